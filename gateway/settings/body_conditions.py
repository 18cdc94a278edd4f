"""Conditions of a route on the body of a request."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, WithJsonSchema

from gateway.core.rule import FieldCondition
from gateway.ports.fields import Settings

TOOL_CALL = "tools/call"
"""The method by which the Model Context Protocol calls a tool."""

_GRAPHQL_NAME = re.compile(r"[_A-Za-z][_0-9A-Za-z]{0,199}")
_LONGEST = 200
_EMPTY_LIST = "the list is empty: name at least one, or remove the key"


def one_or_list(value: object) -> object:
    """A single text as a list of one."""
    return [value] if isinstance(value, str) else value


def check_not_empty(values: tuple[str, ...]) -> tuple[str, ...]:
    """The list itself. Raises `ValueError` when nothing is in it."""
    if not values:
        raise ValueError(_EMPTY_LIST)
    return values


def _check_word(text: str) -> str:
    if not text or text != text.strip() or not text.isprintable() or len(text) > _LONGEST:
        raise ValueError(f"{text[:_LONGEST]!r} is no name: write it as the application does, like export_report")
    return text


def _check_graphql_name(text: str) -> str:
    if _GRAPHQL_NAME.fullmatch(text) is None:
        raise ValueError(f"{text[:_LONGEST]!r} is no GraphQL name: use letters, digits and '_', like ExportReport")
    return text


def _read_values(value: object) -> tuple[str | int | float | bool, ...]:
    values = value if isinstance(value, list | tuple) else [value]
    if not values:
        raise ValueError(_EMPTY_LIST)
    for each in values:
        if not isinstance(each, str | int | float):
            raise ValueError("must be text, a number, true or false, or a list of these")
    return tuple(values)


def _check_fields(fields: dict[str, Any]) -> dict[str, Any]:
    if not fields:
        raise ValueError("names no field: write {name: value}, or remove the key")
    for path in fields:
        if not all(any(map(str.isalnum, name)) for name in path.split(".")) or len(path) > _LONGEST:
            raise ValueError(f"{path[:_LONGEST]!r} is no field: write names with dots in between, like filter.type")
    return fields


def _one_or_more(item: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [item, {"type": "array", "items": item, "minItems": 1}]}


_WORD_SCHEMA = {"type": "string", "minLength": 1, "maxLength": _LONGEST}
_NAME_SCHEMA = {"type": "string", "pattern": "^[_A-Za-z][_0-9A-Za-z]*$"}
_VALUE_SCHEMA = {"type": ["string", "number", "boolean"]}

Words = Annotated[
    tuple[Annotated[str, AfterValidator(_check_word)], ...],
    BeforeValidator(one_or_list),
    AfterValidator(check_not_empty),
    WithJsonSchema(_one_or_more(_WORD_SCHEMA)),
]
GraphqlNames = Annotated[
    tuple[Annotated[str, AfterValidator(_check_graphql_name)], ...],
    BeforeValidator(one_or_list),
    AfterValidator(check_not_empty),
    WithJsonSchema(_one_or_more(_NAME_SCHEMA)),
]
BodyFields = Annotated[
    dict[str, Annotated[tuple[str | int | float | bool, ...], PlainValidator(_read_values)]],
    AfterValidator(_check_fields),
    WithJsonSchema({"type": "object", "additionalProperties": _one_or_more(_VALUE_SCHEMA), "minProperties": 1}),
]


class Graphql(Settings):
    """What a GraphQL request runs; any of it fits. A name or a list alone means `operation`."""

    operation: GraphqlNames | None = Field(
        default=None,
        description="An operation of this name, asked for by `operationName` or written in the query; one or a list.",
        examples=["ExportReport", ["ExportReport", "ExportAll"]],
    )
    field: GraphqlNames | None = Field(
        default=None,
        description="This field at the root of what is run, whatever the query calls it; one or a list.",
        examples=["exportReport", ["exportReport", "exportAll"]],
    )
    persisted: Words | None = Field(
        default=None,
        description="A query that the application keeps under this id (`documentId`, `id`, or the hash of a persisted "
        "query); one or a list. All others that it keeps are then known to be none.",
        examples=["ecf4edb46db40b5132295c0291d62fb65d6759a9eedfa4d5d612dd5ec54a6b38"],
    )

    def model_post_init(self, context: object) -> None:
        """At least one must be given."""
        if self.operation is None and self.field is None and self.persisted is None:
            raise ValueError("says nothing: name an `operation`, a `field` or what is `persisted`")


def _expand_graphql(value: object) -> object:
    if isinstance(value, str | list):
        return {"operation": value}
    if isinstance(value, dict | Graphql):
        return value
    raise ValueError(
        "must be the name of an operation, or a mapping like {operation: ExportReport, field: exportReport}"
    )


def graphql_schema(schema: dict[str, Any]) -> None:
    """The short form is a name, or a list of names."""
    for choice in schema.get("anyOf", ()):
        if "$ref" in choice:
            schema["anyOf"] = [*_one_or_more(_NAME_SCHEMA)["anyOf"], *schema["anyOf"]]
            return


GraphqlField = Annotated[Graphql, BeforeValidator(_expand_graphql)]


def field_conditions(
    body: dict[str, tuple[str | int | float | bool, ...]] | None,
    rpc: tuple[str, ...] | None,
    tool: tuple[str, ...] | None,
) -> tuple[FieldCondition, ...]:
    """The conditions on fields, also those that `rpc` and `tool` are short for."""
    conditions = [FieldCondition(tuple(path.split(".")), values) for path, values in (body or {}).items()]
    if rpc is not None:
        conditions.append(FieldCondition(("method",), rpc))
    if tool is not None:
        conditions.append(FieldCondition(("method",), (TOOL_CALL,)))
        conditions.append(FieldCondition(("params", "name"), tool))
    return tuple(conditions)
