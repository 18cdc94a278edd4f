"""The sections of the config, one class each. Every field says in its description what an operator must know."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from gateway.core.rule import Mode, NoticeShow, OverlayPlace
from gateway.core.wording import LANGUAGES
from gateway.ports.fields import Settings
from gateway.settings.address import AddressField, Origin, OriginField
from gateway.settings.quantity import (
    BodySize,
    Count,
    Flag,
    GivesField,
    Grace,
    PlanPrice,
    PositiveSize,
    PositiveTime,
    Time,
)
from gateway.settings.routes import Slug
from gateway.settings.texts import LanguagesField, NameField, TextField
from gateway.settings.theme import Theme
from gateway.settings.written import written

IN_STORE = "store"
"""What `holds.storage` says where everything stays in the store."""
_MAIL = re.compile(r"[^@\s<>\"'&]+@[^@\s<>\"'&]+\.[^@\s<>\"'&]+")
_WEB = re.compile(r"https?://[^\s<>\"']+")


@dataclass(frozen=True, slots=True)
class PluginSection:
    """One entry of `identity`, `payments` or `teasers`: the plugin's name and its settings, not yet checked."""

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """A mapping with one key."""
        return core_schema.no_info_plain_validator_function(cls._read)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: Any) -> dict[str, Any]:
        """Any plugin; `json_schema` puts the schemas of those that are installed in its place."""
        return {"type": "object", "minProperties": 1, "maxProperties": 1}

    @classmethod
    def _read(cls, value: object) -> PluginSection:
        if isinstance(value, PluginSection):
            return value
        if isinstance(value, str):
            raise ValueError(f"write the plugin's name with its settings: `- {value}: {{}}`")
        if not isinstance(value, dict) or len(value) != 1:
            raise ValueError("each item is one plugin's name with its settings, like `- visitor: {}`")
        [(name, settings)] = value.items()
        if not isinstance(settings, dict):
            raise ValueError(f"the settings of {name!r} must be a mapping: write `{name}: {{}}` where it needs none")
        return cls(name, settings)


@dataclass(frozen=True, slots=True)
class StorageSection(PluginSection):
    """`holds.storage`: the word `store`, or a plugin's name with its settings, not yet checked."""

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: Any) -> dict[str, Any]:
        """The word, or any plugin; `json_schema` puts the schemas of those that are installed in its place."""
        return {"anyOf": [{"const": IN_STORE}, {"type": "object", "minProperties": 1, "maxProperties": 1}]}

    @classmethod
    def _read(cls, value: object) -> PluginSection:
        if isinstance(value, PluginSection):
            return value
        if value == IN_STORE:
            return cls(IN_STORE)
        if not isinstance(value, dict) or len(value) != 1:
            raise ValueError(
                "must be `store`, or a storage with its settings, like `directory: {path: /var/lib/paywall/holds}`"
            )
        [(name, settings)] = value.items()
        if not isinstance(settings, dict):
            raise ValueError(f"the settings of {name!r} must be a mapping, like `directory: {{path: /var/lib/holds}}`")
        return cls(name, settings)


class Admin(Settings):
    """The gateway's own pages for operators."""

    listen: AddressField = Field(
        description="Address of the operators' pages, API and metrics. Never the public one.",
        examples=["127.0.0.1:8081"],
    )


def _check_addresses(addresses: tuple[Origin, ...]) -> tuple[Origin, ...]:
    if not addresses:
        raise ValueError("names no address: write them like [http://10.0.0.1:3000, http://10.0.0.2:3000]")
    twice = next((address for address in addresses if addresses.count(address) > 1), None)
    if twice is not None:
        raise ValueError(f"names {twice} twice: every address takes its turn as often as any other, so name it once")
    return addresses


class Upstream(Settings):
    """The application behind the gateway."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["url"]}, {"required": ["urls"]}]})

    url: OriginField | None = Field(
        default=None,
        description="The application: http, https or a unix socket; without a path.",
        examples=["http://localhost:3000", "unix:/run/app.sock"],
    )
    urls: Annotated[tuple[OriginField, ...], AfterValidator(_check_addresses)] | None = Field(
        default=None,
        description="The application at several addresses, which take turns; one that fails is set aside for a while.",
        examples=[["http://10.0.0.1:3000", "http://10.0.0.2:3000"]],
        json_schema_extra={"minItems": 1, "uniqueItems": True},
    )
    connect_timeout: PositiveTime = Field(
        default=written("5s"),
        description="How long connecting may take.",
        examples=["2s"],
    )
    read_timeout: PositiveTime = Field(
        default=written("60s"),
        description="How long the application may be silent, before its answer and within it.",
        examples=["5m"],
    )
    max_connections: Count = Field(
        default=256,
        description="Connections to one address of the application at one time, for each worker. One client address "
        "has at most seven eighths of them in use.",
        examples=[64],
    )
    keepalive: Time = Field(
        default=written("4s"),
        description="How long an idle connection is kept; shorter than the application's own limit. `0s` keeps none.",
        examples=["4s"],
    )

    def model_post_init(self, context: object) -> None:
        """One of `url` and `urls` must be given; that it is only one is among the `checks`."""
        if self.url is None and self.urls is None:
            raise ValueError("names no application: add `url: http://localhost:3000`, or `urls` for several addresses")

    @property
    def addresses(self) -> tuple[Origin, ...]:
        """Where the application listens; at least one."""
        return self.urls or tuple(filter(None, [self.url]))


class ResultsAfterTrial(Settings):
    """What happens to results once the trial is over, for every result route that does not say otherwise."""

    mode: Mode = Field(
        default=Mode.HOLD,
        description="`hold` produces the result and keeps it back until it is paid for; `block` does not produce it; "
        "`preview` shows a teaser and keeps nothing.",
        examples=["preview"],
    )
    grace: Grace = Field(
        default=written("0"),
        description="Free results after the trial, such as `2 per 30d`; `2` alone means once and for all.",
        examples=["2 per 30d"],
    )


class Plan(Settings):
    """Something that can be bought."""

    id: Slug = Field(
        description="The plan's name in logs, events and addresses. Keep it for ever.",
        examples=["pro"],
    )
    name: NameField = Field(
        description="The plan's name for people, in one language or in several.",
        examples=["Pro", {"en": "Pro", "de": "Profi"}],
    )
    price: PlanPrice = Field(
        description="What it costs. Every price of a config is in one currency. Whoever is known can take a plan of "
        "`0 USD` once.",
        examples=["19.00 USD"],
    )
    gives: GivesField = Field(
        description="What it gives: a number of results or a time. A month counts as 31 days, a year as 366.",
        examples=["1 result", "30d", "1 month"],
    )
    renews: Flag = Field(
        default=False,
        description="Whether it is a subscription: paid again and again, by the provider, until it is cancelled. It "
        "gives a time then.",
        examples=[True],
    )
    renewal_grace: Time = Field(
        default=written("3d"),
        description="Of a subscription: how long results stay open after the end of what is paid, while the next "
        "payment is still to come or could not be made.",
        examples=["7d"],
    )


class Holds(Settings):
    """How long and how much is kept back."""

    ttl: PositiveTime = Field(
        default=written("7d"),
        description="How long a held result is kept for its subject.",
        examples=["30d"],
    )
    max_size: PositiveSize = Field(
        default=written("16MiB"),
        description="Size of one held result; a larger one is not kept and the offer says so.",
        examples=["64MiB"],
    )
    max_count: Count = Field(
        default=20,
        description="Held results of one subject at one time.",
        examples=[5],
    )
    max_total: PositiveSize = Field(
        default=written("64MiB"),
        description="Size of all held results of one subject together.",
        examples=["256MiB"],
    )
    storage: StorageSection = Field(
        default=written(IN_STORE),
        description="Where large held results are kept: in the `store` like small ones, or by a storage plugin: in a "
        "`directory`, or in a bucket of `s3` or alike. They are encrypted everywhere.",
        examples=[{"directory": {"path": "/var/lib/paywall/holds"}}],
    )
    large: PositiveSize = Field(
        default=written("1MiB"),
        description="With another storage than the store: how much of a result the store keeps at most. A larger one "
        "goes to the storage, as a whole where the application announces its length.",
        examples=["256KiB"],
    )
    max_stored: PositiveSize | None = Field(
        default=None,
        description="Size of all results in that storage together; where it is full, results that need room there are "
        "not kept and the offer says so. As much as the storage takes when left out.",
        examples=["200GiB"],
    )
    max_wait: PositiveTime = Field(
        default=written("2m"),
        description="A result that is not complete after this long counts as endless and is not kept.",
        examples=["10m"],
    )
    reuse: Time = Field(
        default=written("10m"),
        description="The same GET within this time shows the result that is already held. `0s` never does.",
        examples=["1h"],
    )


class Bodies(Settings):
    """Bodies of requests that must be looked into, for `body`, `graphql`, `rpc` and `tool` of routes."""

    max_size: BodySize = Field(
        default=written("64KiB"),
        description="Larger ones are not looked into, and count as a result for whoever has no right to results.",
        examples=["256KiB"],
    )


class Canonical(Settings):
    """What is done with paths that have more than one reading."""

    redirect: Flag = Field(
        default=True,
        description="Send an open GET with an ambiguous path on (308) to its one plain form.",
        examples=[False],
    )
    allow_encoded_slash: Flag = Field(
        default=False,
        description="Read `%2F` as a plain character of a segment, for applications that keep the two apart.",
        examples=[True],
    )


class Reason(Settings):
    """A reason that a person can give for not paying."""

    id: Slug = Field(description="The reason's name in events and reports. Keep it for ever.", examples=["not-now"])
    text: TextField = Field(
        description="The reason as the person reads it, in one language or in several.",
        examples=["Not right now", {"en": "Not right now", "de": "Jetzt nicht"}],
    )


def _check_contact(text: str) -> str:
    if _MAIL.fullmatch(text) is None and _WEB.fullmatch(text) is None:
        raise ValueError(f"{text!r} is no contact: write a mail address or a URL that begins with https://")
    return text


def _check_link(text: str) -> str:
    if _WEB.fullmatch(text) is None and re.fullmatch(r"/(?!/)[^\s<>\"'\\]*", text) is None:
        raise ValueError(f"{text!r} is no link: write a URL that begins with https:// or a path that begins with '/'")
    return text


_REASONS = (
    {"id": "too-expensive", "text": "It is too expensive"},
    {"id": "not-now", "text": "Not right now"},
    {"id": "still-trying", "text": "I am still trying it out"},
    {"id": "missing-something", "text": "It lacks something I need"},
    {"id": "other", "text": "Another reason"},
)


class Offer(Settings):
    """The page that is shown beside a withheld result."""

    name: NameField = Field(
        default=written("This service"),
        description="The service's name, as people know it, in one language or in several.",
        examples=["Northwind Reports", {"en": "Northwind Reports", "de": "Nordwind Berichte"}],
    )
    languages: LanguagesField = Field(
        default=LANGUAGES,
        description="The languages that people are spoken to in: the one that fits a browser's best, and the first "
        "where none does.",
        examples=[["de", "en"]],
    )
    theme: Theme = Field(
        default=written({}),
        description="How the gateway's pages look.",
        examples=[{"accent": "#8a1c5c", "logo": "/static/logo.svg"}],
    )
    templates: Path | None = Field(
        default=None,
        description="A folder of templates that take the places of the gateway's own, each by its name.",
        examples=["./paywall-templates"],
    )
    contact: Annotated[str, AfterValidator(_check_contact)] | None = Field(
        default=None,
        description="Whom to ask: a mail address or a URL.",
        examples=["help@example.com", "https://example.com/help"],
    )
    reasons: tuple[Reason, ...] = Field(
        default=written(_REASONS),
        description="What a person can answer who does not pay now.",
        examples=[[{"id": "not-now", "text": "Not right now"}]],
    )
    terms_url: Annotated[str, AfterValidator(_check_link)] | None = Field(
        default=None,
        description="Where the terms stand: a URL or a path of the application.",
        examples=["https://example.com/terms", "/terms"],
    )
    overlay: OverlayPlace = Field(
        default=OverlayPlace.BY_HAND,
        description="How the overlay for single-page applications comes into their pages: `by-hand` where they name "
        "its script themselves, `inject` into all that may have to show an offer and whose policies let it in.",
        examples=["inject"],
    )


class Notice(Settings):
    """A few words in the application's own pages, for people to know where they stand."""

    show: NoticeShow = Field(
        default=NoticeShow.NEVER,
        description="Who finds them at the end of a page: `after-trial` those whose trial is over and who have nothing "
        "paid, `always` those in their trial too, `never` nobody.",
        examples=["after-trial"],
    )


class Log(Settings):
    """The access log: one line for each request, to standard output."""

    format: Literal["text", "json"] = Field(
        default="text",
        description="`text` for people, `json` for programs.",
        examples=["json"],
    )
