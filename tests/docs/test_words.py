"""Every word of the closed vocabularies has its entry, and no entry is of a word that is not there."""

from __future__ import annotations

import dataclasses
import io
import json
import re
from pathlib import Path
from typing import get_type_hints

import pytest

import gateway.store
from gateway.core.event import EVENTS, Event
from gateway.core.finding import Gravity, Matter
from gateway.core.reason import Reason
from gateway.eventlog.access_log import AccessLog
from gateway.eventlog.entry import AccessEntry
from gateway.eventlog.metrics import Metrics
from gateway.web.answers import TITLES
from gateway.web.forward import FAILURES

from .page import codes, read, rows, sections

JSON_TYPES = {int: "integer", str: "string", bool: "boolean"}
REASON_ROWS = {codes(row[0])[0]: row for row in rows(read("reasons.md"))}
EVENT_SECTIONS = sections(read("events.md"))


def test_every_reason_has_a_row_and_every_row_a_reason() -> None:
    assert set(REASON_ROWS) == {reason.value for reason in Reason}


@pytest.mark.parametrize("reason", Reason)
def test_the_row_of_a_reason_is_complete(reason: Reason) -> None:
    row = REASON_ROWS[reason]
    assert len(row) == 5
    assert all(row)


@pytest.mark.parametrize("reason", TITLES)
def test_a_reason_that_is_an_answer_has_a_status(reason: Reason) -> None:
    assert re.search(r"\d{3}", REASON_ROWS[reason][2])


@pytest.mark.parametrize(("status", "reason"), [(status, reason) for status, reason, _ in FAILURES.values()])
def test_failures_of_the_application_have_the_true_status(status: int, reason: Reason) -> None:
    assert REASON_ROWS[reason][2].startswith(str(status))


def fields_told(section: str) -> dict[str, str]:
    """The fields of a section's table, with their types."""
    return {codes(row[0])[0]: row[1] for row in rows(section)}


def fields_of(event: type[Event]) -> dict[str, str]:
    """The fields of an event, with their types as JSON has them."""
    hints = get_type_hints(event)
    return {field.name: JSON_TYPES[hints[field.name]] for field in dataclasses.fields(event)}


def test_the_fields_of_every_event_are_told() -> None:
    assert fields_told(EVENT_SECTIONS["Fields of every event"]) == fields_of(Event)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.name)
def test_every_event_is_told_with_its_fields_types_and_version(event: type[Event]) -> None:
    section = EVENT_SECTIONS[event.name]
    own = {name: kind for name, kind in fields_of(event).items() if name not in fields_of(Event)}
    assert fields_told(section) == own
    assert f"Version {event.version}." in section


def test_no_event_is_told_that_is_not_there() -> None:
    told = {title for title in EVENT_SECTIONS if re.fullmatch(r"[a-z]+(-[a-z]+)+", title)}
    assert told == {event.name for event in EVENTS}


def entry(detail: str = "") -> AccessEntry:
    return AccessEntry(0, "GET", "/", 200, "forward", "open", "all", "somebody", 1, 2_000, 1_000, detail)


def test_every_metric_is_told_with_its_type_and_labels() -> None:
    metrics = Metrics(upstreams_set_aside=lambda: {"http://10.0.0.1:3000": True})
    metrics.count([entry()])
    metrics.count_reload("accepted", True)
    page = metrics.page().decode()
    told = {codes(row[0])[0]: (row[1], set(codes(row[2]))) for row in rows(sections(read("operations.md"))["Metrics"])}
    there: dict[str, tuple[str, set[str]]] = {}
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", page, re.MULTILINE):
        if name.endswith("_created"):
            continue
        samples = re.findall(rf"^{name}[a-z_]*(?:\{{(.*)\}})? ", page, re.MULTILINE)
        labels = {label for sample in samples for label in re.findall(r'(\w+)="', sample)} - {"le"}
        there[name] = (kind, labels)
    assert told == there


def test_every_field_of_the_log_is_told() -> None:
    stream = io.StringIO()
    log = AccessLog(stream, "json")
    log._pending.append(entry("what went wrong"))
    log.flush()
    written = json.loads(stream.getvalue())
    kinds = {name: "number" if isinstance(value, int) else "string" for name, value in written.items()}
    assert fields_told(sections(read("operations.md"))["Logs"]) == kinds


def test_every_kind_of_entry_of_the_ledger_is_told() -> None:
    verbs = "".join(file.read_text("utf-8") for file in (Path(gateway.store.__file__).parent / "verbs").glob("*.lua"))
    entered = set(re.findall(r"kind = '([a-z-]+)'", verbs)) | {"mismatch", "unknown-checkout", "refunded"}
    told = {codes(row[0])[0] for row in rows(sections(read("operations.md"))["The ledger"])}
    assert told == entered


def test_every_matter_and_gravity_of_a_finding_is_told() -> None:
    told = [codes(row[0])[0] for row in rows(sections(read("commands.md"))["What doctor looks at"])]
    assert told == [matter.value for matter in Matter]
    option = next(row[1] for row in rows(sections(read("commands.md"))["paywall doctor"]) if "`--json`" in row[0])
    assert set(codes(option)) >= {gravity.value for gravity in Gravity}
