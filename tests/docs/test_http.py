"""docs/http.md and its neighbours tell of every address, member, header and limit."""

from __future__ import annotations

import inspect
import json
import re
from typing import Any

import pytest

from gateway.access.describe import kept_headers
from gateway.access.notice import QUIET_MS
from gateway.access.teasers import TIME_LIMIT_SECONDS, WHOLE_BODY_LIMIT
from gateway.core.money import Money
from gateway.core.quantity import DAY
from gateway.core.reason import Reason
from gateway.core.rule import Plan
from gateway.core.standing import Standing
from gateway.extend.life import START_SECONDS, STOP_SECONDS
from gateway.html.head import _OUTDATED
from gateway.html.insertion import LOOK_AHEAD
from gateway.payments.offer import Offer
from gateway.ports.cashbook import CheckoutStatus
from gateway.ports.state import DELIVERED_MS, HoldRecord
from gateway.ports.teaser import SAMPLE_BYTES
from gateway.ports.wire import HEAD_BYTES_LIMIT, HEADER_COUNT_LIMIT
from gateway.store.events.delivery import STREAM_LIMIT, WRITER_MEMORY_DAYS
from gateway.store.events.spool import SPOOL_LIMIT
from gateway.store.events.stream import LATE, PAUSE
from gateway.store.transport.node import ANSWER_TIMEOUT
from gateway.web.admin import AdminActions, make_admin
from gateway.web.exchange import CLIENT_SECONDS
from gateway.web.message import FORWARDING, HOP_BY_HOP, METHOD_OVERRIDES, PATH_OVERRIDES
from gateway.web.offer_face import OfferFace, Situation
from gateway.web.offering import NOTE_LIMIT
from gateway.web.pages import Pages
from gateway.web.paying import REPORT_BYTES_LIMIT
from gateway.web.person import FORM_BYTES_LIMIT
from gateway.web.runtime import Site
from gateway.web.shaping import PARTIAL
from gateway.web.site import make_site
from gateway.wire.protocol import HEAD_SECONDS_LIMIT, STALLED_SECONDS_LIMIT
from gateway.wire.serve import DRAIN_SECONDS
from gateway.wire.tunnel import STALLED_SECONDS_LIMIT as TUNNEL_STALLED_SECONDS
from gateway.wire.tunnel import STOP_SECONDS_LIMIT
from gateway.wiring.application import DRAIN_SECONDS as OLD_PLUGINS_SECONDS
from gateway.wiring.assemble import OWN_HEADERS

from .page import codes, read, rows, sections

KIB, MIB = 1024, 2**20
HTTP = sections(read("http.md"))
RECORD = HoldRecord("id", "r", 0, 1, 5, 1, 200, "text/csv", "a.csv", b'{"facts": {}}', "", b"")
LIMITS = [
    ("request.md", f"complete within {HEAD_SECONDS_LIMIT:g} seconds"),
    ("request.md", f"at most {HEAD_BYTES_LIMIT // KIB} KiB and {HEADER_COUNT_LIMIT} headers"),
    ("request.md", f"each for at most {TIME_LIMIT_SECONDS:g} seconds"),
    ("request.md", f"answers too late ({ANSWER_TIMEOUT:g} s)"),
    ("request.md", f"silent for {CLIENT_SECONDS:g} seconds in the midst of its body"),
    ("request.md", f"does not read its answer for {STALLED_SECONDS_LIMIT:g} seconds"),
    ("http.md", f"silent for {CLIENT_SECONDS:g} seconds in the midst of its body"),
    ("http.md", f"does not read its answer for {STALLED_SECONDS_LIMIT:g} seconds"),
    ("http.md", f"Forms have at most {FORM_BYTES_LIMIT // KIB} KiB"),
    ("http.md", f"A side that does not read for {TUNNEL_STALLED_SECONDS:g} seconds"),
    ("http.md", f"between two frames, and {STOP_SECONDS_LIMIT:g} seconds"),
    ("reasons.md", f"a form lacks something, or has more than {FORM_BYTES_LIMIT // KIB} KiB"),
    ("reasons.md", f"more than {HEAD_BYTES_LIMIT // KIB} KiB or {HEADER_COUNT_LIMIT} headers"),
    ("http.md", f"more than {HEAD_BYTES_LIMIT // KIB} KiB or {HEADER_COUNT_LIMIT} headers"),
    ("http.md", f"its webhook and pages. At most {REPORT_BYTES_LIMIT // MIB} MiB"),
    ("http.md", f"`note` ({NOTE_LIMIT:,} characters)"),
    ("http.md", f"for {DELIVERED_MS // DAY} days; paid and never taken, it is kept until somebody comes"),
    ("http.md", f"at most {LOOK_AHEAD // KIB} KiB are held back"),
    ("http.md", f"for {'a minute' if QUIET_MS == 60_000 else QUIET_MS} each time"),
    ("events.md", f"about {'a million' if STREAM_LIMIT == 10**6 else STREAM_LIMIT} events"),
    ("events.md", f"{WRITER_MEMORY_DAYS} days after the last"),
    ("events.md", f"taken within a {'twentieth' if round(PAUSE + LATE, 3) == 0.05 else PAUSE + LATE} of a second"),
    ("events.md", f"up to {SPOOL_LIMIT // MIB} MiB for a process"),
    ("operations.md", f"when a process has {SPOOL_LIMIT // MIB} MiB"),
    ("operations.md", f"lets requests end for up to {DRAIN_SECONDS} seconds"),
    ("operations.md", f"its plugins are stopped after {OLD_PLUGINS_SECONDS:g} seconds"),
    ("plugins.md", f"opens what is needed, within {START_SECONDS:g} seconds"),
    ("plugins.md", f"closes everything, within {STOP_SECONDS:g} seconds"),
    ("plugins.md", f"the result or its first {SAMPLE_BYTES // KIB} KiB"),
    ("plugins.md", f"whole body, of at most {WHOLE_BODY_LIMIT // MIB} MiB. It has {TIME_LIMIT_SECONDS:g} seconds"),
]


@pytest.mark.parametrize(("page", "sentence"), LIMITS)
def test_a_limit_is_the_true_one(page: str, sentence: str) -> None:
    assert sentence in " ".join(read(page).split())


def own_addresses() -> set[str]:
    """The addresses under the prefix, as the code that routes them has them."""
    found = re.findall(r'Route\(f"\{prefix\}(\S+)"', inspect.getsource(make_site))
    return {re.sub(r"\{\{(\w+)(?::\w+)?\}\}", lambda part: part[1].upper(), path) for path in found}


def test_every_address_under_the_prefix_is_told() -> None:
    told = {codes(row[0])[0].partition("?")[0] for row in rows(HTTP["Addresses under the prefix"])}
    told = {address.removeprefix("/_paywall").replace("hold/ID", "hold/HOLD") for address in told}
    assert {address.replace("/…", "/PATH") for address in told} == own_addresses()
    assert len(told) > 5


def test_every_status_of_a_checkout_is_told() -> None:
    (told,) = (row for row in rows(HTTP["Addresses under the prefix"]) if "/paid?" in row[0])
    assert set(CheckoutStatus) <= set(codes(told[3]))


def test_every_address_of_the_admin_listener_is_told() -> None:
    async def nothing() -> Any:
        return None

    application: Any = make_admin(AdminActions(nothing, nothing, nothing, nothing))
    there = {f"{method} {route.path}" for route in application.routes for method in route.methods if method != "HEAD"}
    assert {codes(row[0])[0] for row in rows(sections(read("operations.md"))["The admin listener"])} == there


def problem() -> Any:
    """What a program is told of a result that is kept."""
    plan = Plan("p", "P", Money(100, "USD"), results=1)
    situation = Situation(Reason.RESULT_HELD, Standing.EXPIRED, Offer("o", "r", "id", (plan,), 0), RECORD)
    site = Site()
    return json.loads(OfferFace(Pages(site, "/_paywall"), site, "/_paywall").show(situation, False, 402, []).body)


def test_every_member_of_the_402_answer_is_told_with_its_type() -> None:
    kinds = {str: "string", int: "number", list: "list", dict: "object"}
    found = problem()
    members, of_hold = HTTP["The 402 answer"].split("Members of `hold`:")
    told = {codes(row[0])[0]: row[1] for row in rows(members) if len(row) == 3}
    assert told == {name: kinds[type(value)] for name, value in found.items()}
    told = {codes(row[0])[0]: row[1] for row in rows(of_hold)}
    assert told == {name: kinds[type(value)] for name, value in found["hold"].items()}
    (checkout,) = [row[2] for row in rows(members) if codes(row[0]) == ["checkout"]]
    assert set(codes(checkout)) >= set(found["checkout"][0])


def header_names(text: str) -> set[str]:
    """Names of headers in `code`, in lower case; `-Proto` after a longer one is short for `X-Forwarded-Proto`."""
    names = {name.lower() for name in codes(text)}
    return {f"x-forwarded{name}" if name.startswith("-") else name for name in names}


def lower(names: frozenset[bytes]) -> set[str]:
    return {name.decode() for name in names}


def test_every_header_that_is_removed_is_told() -> None:
    told = [header_names(row[0]) for row in rows(HTTP["What is removed from requests"])]
    assert told[0] - {"connection"} == lower(HOP_BY_HOP) - {"connection"}
    assert told[1] == lower(OWN_HEADERS)
    assert told[2] == lower(PATH_OVERRIDES)
    assert told[3] == lower(FORWARDING)


def test_every_header_that_is_removed_for_holding_is_told() -> None:
    assert lower(PARTIAL) <= header_names(HTTP["What the gateway changes"])


def test_what_is_not_kept_of_a_held_result_is_told() -> None:
    (told,) = [item for item in HTTP["What the gateway changes"].split("\n- ") if "held result is kept without" in item]
    headers = [(name.encode(), b"x") for name in ("content-type", "etag", "set-cookie", "paywall-other")]
    assert kept_headers(headers) == headers[:2]
    assert {"Set-Cookie", "Paywall-*"} <= set(codes(told))


def test_every_header_that_a_changed_page_loses_is_told() -> None:
    assert lower(_OUTDATED) <= header_names(HTTP["The notice"])


def test_every_header_that_names_another_method_is_told() -> None:
    assert lower(METHOD_OVERRIDES) <= header_names(sections(read("request.md"))["Ambiguous paths"])
