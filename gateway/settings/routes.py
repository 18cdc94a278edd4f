"""The settings of one route."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from gateway.core.rule import Mode, RouteClass, StoreFailure
from gateway.ports.fields import Settings
from gateway.settings.body_conditions import (
    BodyFields,
    GraphqlField,
    Words,
    check_not_empty,
    graphql_schema,
    one_or_list,
)
from gateway.settings.pattern import check_pattern
from gateway.settings.quantity import Flag, Grace, Price

_METHOD = re.compile(r"[A-Z][A-Z0-9_-]{0,30}")
_NAME = re.compile(r"[a-z0-9-]{1,64}")
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/([a-z0-9][a-z0-9!#$&^_.+-]*|\*)")


def check_slug(text: str) -> str:
    """The text itself, fit to be a name in logs, metrics and addresses. Raises `ValueError` that says what is."""
    if _NAME.fullmatch(text) is None:
        raise ValueError(f"{text!r} is not a name: use 1 to 64 of a-z, 0-9 and '-', like export-report")
    return text


def _check_method(text: str) -> str:
    if _METHOD.fullmatch(text) is not None:
        return text
    if _METHOD.fullmatch(text.upper()) is not None:
        raise ValueError(f"{text!r}: methods are written in upper case: {text.upper()}")
    raise ValueError(f"{text!r} is not a method: write it like GET or POST")


def _check_media_type(text: str) -> str:
    lower = text.lower()
    if _MEDIA_TYPE.fullmatch(lower) is not None:
        return lower
    if ";" in text:
        raise ValueError(f"{text!r}: write the media type without parameters: {lower.partition(';')[0].strip()}")
    if lower in ("*/*", "*"):
        raise ValueError("every media type would make every answer a result: leave `answer` out instead")
    raise ValueError(f"{text!r} is not a media type: write it like application/pdf or text/*")


_MEDIA_TYPE_SCHEMA = {
    "anyOf": [
        {"type": "string", "pattern": "^[^;]+/[^;]+$"},
        {"type": "array", "items": {"type": "string", "pattern": "^[^;]+/[^;]+$"}, "minItems": 1},
    ]
}

Slug = Annotated[str, AfterValidator(check_slug), Field(json_schema_extra={"pattern": "^[a-z0-9-]{1,64}$"})]
PathPattern = Annotated[str, AfterValidator(check_pattern), Field(json_schema_extra={"pattern": "^/[^?#%;]*$"})]
Method = Annotated[str, AfterValidator(_check_method), Field(json_schema_extra={"pattern": "^[A-Z][A-Z0-9_-]*$"})]
MediaType = Annotated[str, AfterValidator(_check_media_type)]
MediaTypes = Annotated[
    tuple[MediaType, ...],
    BeforeValidator(one_or_list),
    AfterValidator(check_not_empty),
    WithJsonSchema(_MEDIA_TYPE_SCHEMA),
]


class Answer(Settings):
    """Conditions on the head of the application's answer: any of them makes it a result.

    `Paywall-Result: yes` from the application always counts too.
    """

    attachment: Flag = Field(
        default=False,
        description="The answer is a download (`Content-Disposition: attachment`).",
        examples=[True],
    )
    media_type: MediaTypes | None = Field(
        default=None,
        description="The answer is of one of these media types; one or a list, `text/*` means a whole family.",
        examples=["application/pdf", ["application/pdf", "text/csv"]],
    )


class Route(Settings):
    """One rule. The first route that fits a request decides."""

    not_yet: ClassVar[frozenset[str]] = frozenset({"share", "shadow", "product"})
    """Keys that are planned and not supported by this version."""

    path: PathPattern = Field(
        description="Which paths: `{name}` is one segment or a part of one, `**` any number of segments.",
        examples=["/api/reports/{id}/export", "/files/**"],
    )
    methods: Annotated[tuple[Method, ...], AfterValidator(check_not_empty)] | None = Field(
        default=None,
        description="Which methods, in upper case; GET covers HEAD. Every method when left out.",
        examples=[["GET", "POST"]],
    )
    query: dict[str, str] = Field(
        default_factory=dict,
        description="Parameters that the query must have: name and value, or `*` for any value.",
        examples=[{"format": "csv", "token": "*"}],
    )
    body: BodyFields | None = Field(
        default=None,
        description="Fields of the body and their values, each one or a list to choose from; `a.b` is a field "
        "within `a`.",
        examples=[{"kind": "report", "filter.format": ["pdf", "csv"]}],
    )
    graphql: GraphqlField | None = Field(
        default=None,
        description="What a GraphQL request runs: the name of an operation, or more exactly.",
        examples=["ExportReport", {"operation": "ExportReport", "field": "exportReport"}],
        json_schema_extra=graphql_schema,
    )
    rpc: Words | None = Field(
        default=None,
        description="The method that a JSON-RPC request calls; one or a list.",
        examples=["export_report"],
    )
    tool: Words | None = Field(
        default=None,
        description="The tool that an MCP request calls (`tools/call`); one or a list.",
        examples=["export_report"],
    )
    answer: Answer | None = Field(
        default=None,
        description="Judge by the application's answer: only an answer that fits is a result.",
        examples=[{"attachment": True}],
    )
    class_: RouteClass = Field(
        alias="class",
        description="What the route yields: `open` is never touched, `action` is counted and brings the offer after "
        "the trial, `result` is withheld after the trial, `exempt` is not even looked at.",
        examples=["result"],
    )
    name: Slug | None = Field(
        default=None,
        description="The route's name in logs, metrics and offers. Made of the path when left out.",
        examples=["export-report"],
    )
    mode: Mode | None = Field(
        default=None,
        description="What happens to an unpaid result of this route, instead of `results_after_trial.mode`.",
        examples=["block"],
    )
    grace: Grace | None = Field(
        default=None,
        description="Free results of this route after the trial, counted apart from `results_after_trial.grace`.",
        examples=["1 per 7d"],
    )
    price: Price | None = Field(
        default=None,
        description="What one result of this route costs, once it is held. It takes the place of plans that give "
        "results by number: these are not offered here, and do not count.",
        examples=["4.50 USD"],
    )
    on_store_failure: StoreFailure = Field(
        default=StoreFailure.REFUSE,
        description="While the store does not answer: `refuse` results to all but those whose right is known, or "
        "`allow` them to all.",
        examples=["allow"],
    )
