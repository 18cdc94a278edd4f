"""The whole config as one immutable value."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from gateway.core.rule import Framework
from gateway.ports.fields import Secret, Settings
from gateway.settings.address import (
    ORIGIN_PATTERN,
    AddressField,
    NetworkField,
    PrefixField,
    PublicUrlField,
    StoreField,
)
from gateway.settings.agents import X402, Lightning
from gateway.settings.fairness import Fairness
from gateway.settings.quantity import Flag, WorkerCount
from gateway.settings.routes import Route
from gateway.settings.sections import (
    Admin,
    Bodies,
    Canonical,
    Holds,
    Log,
    Notice,
    Offer,
    Plan,
    PluginSection,
    ResultsAfterTrial,
    Upstream,
)
from gateway.settings.subjects import Retention, Trial
from gateway.settings.written import written

DOCUMENT_MEDIA_TYPES = (
    "application/pdf",
    "text/csv",
    "application/vnd.ms-excel",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.oasis.opendocument.spreadsheet",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.oasis.opendocument.text",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "application/epub+zip",
    "application/zip",
    "application/x-zip-compressed",
    "application/gzip",
    "application/x-gzip",
    "application/x-tar",
    "application/x-7z-compressed",
    "application/vnd.rar",
    "application/x-rar-compressed",
)
"""What is a result where no route says otherwise: documents, spreadsheets and archives."""

DEFAULT_ROUTES: tuple[dict[str, Any], ...] = (
    {
        "path": "/**",
        "class": "result",
        "name": "documents",
        "answer": {"attachment": True, "media_type": list(DOCUMENT_MEDIA_TYPES)},
    },
    {"path": "/**", "class": "open", "name": "everything-else"},
)


def _expand_upstream(value: object) -> object:
    return {"url": value} if isinstance(value, str) else value


def _upstream_schema(schema: dict[str, Any]) -> None:
    """The short form is a plain address."""
    long_form = schema.pop("$ref", None)
    if long_form is not None:
        schema["anyOf"] = [{"$ref": long_form}, {"type": "string", "pattern": ORIGIN_PATTERN}]


class GatewaySettings(Settings):
    """Everything that a config says. Made by `load_settings` and `default_settings`."""

    listen: AddressField = Field(
        default=written("127.0.0.1:8080"),
        description="Public address of the gateway.",
        examples=["0.0.0.0:8080", "[::1]:8080"],
    )
    public_url: PublicUrlField | None = Field(
        default=None,
        description="Where people reach the gateway: scheme and host. Payment providers elsewhere send them back "
        "there; when left out, to the host that each request names.",
        examples=["https://app.example.com"],
    )
    admin: Admin | None = Field(
        default=None,
        description="The operators' pages, API and metrics. Off when left out.",
        examples=[{"listen": "127.0.0.1:8081"}],
    )
    workers: WorkerCount = Field(
        default=1,
        description="Processes that serve, each on a core of its own; they share the address, the store and the logs.",
        examples=[4],
    )
    upstream: Annotated[Upstream, BeforeValidator(_expand_upstream)] = Field(
        description="The application behind the gateway; `upstream: URL` is the short form.",
        examples=["http://localhost:3000", {"url": "http://localhost:3000", "read_timeout": "5m"}],
        json_schema_extra=_upstream_schema,
    )
    store: StoreField = Field(
        default="embedded",
        description="Where counters, payments and held results live: `embedded`, or the URL of a Redis or Valkey.",
        examples=["redis://localhost:6379/0", "rediss://redis.internal:6380"],
        repr=False,  # the URL may hold a password
    )
    data: Path = Field(
        default=written("./paywall-data"),
        description="Folder of the embedded store, of the secret made beside it, and of what must outlive a process.",
        examples=["/var/lib/paywall"],
    )
    secret: Secret | None = Field(
        default=None,
        description="Signs cookies and links and encrypts held results: at least 16 bytes, given by reference. Made "
        "and kept beside the embedded store when left out.",
        examples=[{"env": "PAYWALL_SECRET"}, {"file": "/run/secrets/paywall"}],
    )
    former_secrets: tuple[Secret, ...] = Field(
        default=(),
        description="Secrets that were in force before, by reference: held results that were kept under one of them "
        "open as before, and payments that were begun are credited. Nothing new is sealed or signed with them.",
        examples=[[{"env": "PAYWALL_SECRET_OF_2025"}]],
    )
    trusted_proxies: tuple[NetworkField, ...] = Field(
        default=(),
        description="Networks of the proxies in front: only theirs are `X-Forwarded-*` and identity headers believed.",
        examples=[["127.0.0.1/32", "10.0.0.0/8"]],
    )
    prefix: PrefixField = Field(
        default="/_paywall",
        description="The path that the gateway's own pages live under.",
        examples=["/_billing"],
    )
    identity: tuple[PluginSection, ...] = Field(
        default=written([{"visitor": {}}]),
        description="How a subject is known: plugins, asked in order. The first that answers wins, and a proof wins "
        "over what a client merely says (a key without a list, a visitor's cookie).",
        examples=[[{"api_key": {"from": "header:x-api-key"}}, {"visitor": {}}]],
    )
    merge_visitors: Flag = Field(
        default=True,
        description="A visitor who signs in becomes the person: trial, purchases and held results come along, once.",
        examples=[False],
    )
    trial: Trial = Field(
        default=written({}),
        description="The trial that every subject gets once.",
        examples=[{"length": "14d", "starts": "first-visit"}],
    )
    results_after_trial: ResultsAfterTrial = Field(
        default=written({}),
        description="What happens to results once the trial is over; a route can say otherwise.",
        examples=[{"mode": "hold", "grace": "2 per 30d"}],
    )
    plans: tuple[Plan, ...] = Field(
        default=(),
        description="What can be bought.",
        examples=[[{"id": "single", "name": "This result", "price": "3.00 USD", "gives": "1 result"}]],
    )
    payments: tuple[PluginSection, ...] = Field(
        default=(),
        description="How it can be paid: provider plugins, each with its own settings.",
        examples=[[]],
    )
    x402: X402 | None = Field(
        default=None,
        description="How programs pay for one result with the request itself, by x402. Off when left out.",
        examples=[
            {
                "facilitator": "https://x402.org/facilitator",
                "pay_to": "0x209693Bc6afc0C5328bA36FaF03C514EF312287C",
                "network": "eip155:84532",
                "price": "0.05",
            }
        ],
    )
    lightning: Lightning | None = Field(
        default=None,
        description="How held results are paid for over the Lightning network, by L402. Off when left out.",
        examples=[{"lnd": "https://127.0.0.1:8080", "macaroon": {"env": "LND_MACAROON"}, "price": 500}],
    )
    sandbox: Literal["allowed"] | None = Field(
        default=None,
        description="`allowed` lets the payment plugin `sandbox` load, with which nothing is really paid.",
        examples=["allowed"],
    )
    teasers: tuple[PluginSection, ...] = Field(
        default=(),
        description="What is shown of a held result: teaser plugins. Those that come with the gateway when left out.",
        examples=[[{"metadata": {}}, {"table": {}}]],
    )
    routes: tuple[Route, ...] = Field(
        default=written(DEFAULT_ROUTES),
        description="The rules; the first that fits a request decides. When left out, downloads and documents are "
        "results and everything else is open.",
        examples=[[{"path": "/api/export", "class": "result"}, {"path": "/**", "class": "open"}]],
    )
    holds: Holds = Field(
        default=written({}),
        description="How long and how much is kept back.",
        examples=[{"ttl": "30d"}],
    )
    retention: Retention = Field(
        default=written({}),
        description="When the store forgets whoever only looked around.",
        examples=[{"subjects": "400d"}],
    )
    bodies: Bodies = Field(
        default=written({}),
        description="How much of a request's body is looked into.",
        examples=[{"max_size": "256KiB"}],
    )
    canonical: Canonical = Field(
        default=written({}),
        description="What is done with paths that have more than one reading.",
        examples=[{"redirect": False}],
    )
    frameworks: tuple[Framework, ...] = Field(
        default=(),
        description="What the application is built with, of those that serve the data of a page at another address: "
        "what lies there counts as the page.",
        examples=[["nextjs"]],
    )
    offer: Offer = Field(
        default=written({}),
        description="The page that is shown beside a withheld result.",
        examples=[{"name": "Northwind Reports", "contact": "help@example.com"}],
    )
    notice: Notice = Field(
        default=written({}),
        description="A few words in the application's own pages, for people to know where they stand.",
        examples=[{"show": "after-trial"}],
    )
    fairness: Fairness = Field(
        default=written({}),
        description="Promises to clients, which no route takes back.",
        examples=[{"own_data": ["/account/export/**"], "disclosed": True}],
    )
    log: Log = Field(
        default=written({}),
        description="The access log: one line for each request, to standard output.",
        examples=[{"format": "json"}],
    )
