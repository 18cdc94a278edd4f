"""One line for every request, which nobody can forge and which never stops the gateway."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.eventlog.access_log import FLUSH_LINES, AccessLog
from gateway.eventlog.entry import AccessEntry
from tests.store.conftest import until

Form = Literal["json", "text"]
ENTRY = AccessEntry(
    at_ms=1_714_557_600_042,
    method="GET",
    path="/reports/7",
    status=402,
    decision="hold",
    reason="result-held",
    route="reports",
    subject="abc",
    size=1234,
    duration_ns=5_600_000,
    waited_ns=5_000_000,
)
FIELDS = {
    "at": "2024-05-01T10:00:00.042Z",
    "method": "GET",
    "path": "/reports/7",
    "status": 402,
    "decision": "hold",
    "reason": "result-held",
    "route": "reports",
    "subject": "abc",
    "bytes": 1234,
    "duration_us": 5600,
    "overhead_us": 600,
}
HOSTILE = [
    '\n{"at":"forged"}',
    "\r\n2024-05-01T10:00:00.000Z GET / 200 forward:entitled",
    "\x1b[2J\x1b]0;owned\x07",
    "\x9b31m",
    "\u2028\u2029\x85",
    '"},{"',
    "\x00\x7f\b",
    "\ud800",
    "\u202e",
    "\\n\\",
]


class Closed(io.StringIO):
    """A pipe whose reader has gone."""

    def __init__(self, error: type[Exception]) -> None:
        super().__init__()
        self.error = error

    def write(self, text: str) -> int:
        raise self.error("closed")


async def written(form: Form, *entries: AccessEntry) -> str:
    stream = io.StringIO()
    log = AccessLog(stream, form)
    for entry in entries:
        log.write(entry)
    log.flush()
    return stream.getvalue()


async def test_a_json_line_has_the_documented_fields() -> None:
    lines = (await written("json", ENTRY, replace(ENTRY, detail="why"))).splitlines()
    assert [json.loads(line) for line in lines] == [FIELDS, {**FIELDS, "detail": "why"}]
    assert list(json.loads(lines[0])) == list(FIELDS)


async def test_a_line_of_text_is_read_from_left_to_right() -> None:
    told = (
        "2024-05-01T10:00:00.042Z GET /reports/7 402 hold:result-held route=reports subject=abc 1234B 5.6ms own=0.60ms"
    )
    nobody = replace(ENTRY, route="", subject="", detail="why not")
    lines = (await written("text", ENTRY, nobody)).splitlines()
    assert lines == [told, told.replace("=reports", "=-").replace("=abc", "=-") + " (why not)"]


@pytest.mark.parametrize("form", ["json", "text"])
@pytest.mark.parametrize("field", ["path", "detail", "method"])
@pytest.mark.parametrize("hostile", HOSTILE, ids=ascii)
async def test_nothing_that_came_from_outside_forges_a_line(form: Form, field: str, hostile: str) -> None:
    changed: dict[str, Any] = {field: "/x" + hostile}
    text = await written(form, replace(ENTRY, **changed), ENTRY)
    assert text.isascii() and text.endswith("\n")
    assert len(text.splitlines()) == 2
    assert all(character.isprintable() or character in "\n\x7f" for character in text)
    if form == "json":
        assert json.loads(text.splitlines()[0])[field] == "/x" + hostile
    else:
        assert "\x7f" not in text


@pytest.mark.parametrize("field", ["path", "method"])
async def test_a_space_in_the_path_does_not_shift_the_fields_behind_it(field: str) -> None:
    changed: dict[str, Any] = {field: "/x 200 forward:entitled"}
    line = await written("text", replace(ENTRY, **changed))
    assert line.split(" ")[3:5] == ["402", "hold:result-held"]


@given(st.text(st.characters()), st.sampled_from(["json", "text"]))
async def test_any_path_makes_one_line(path: str, form: Form) -> None:
    text = await written(form, replace(ENTRY, path=path))
    assert len(text.splitlines()) == 1 and text.isascii()


@given(st.integers(0, 10**15), st.integers(0, 10**15))
def test_what_the_gateway_took_is_never_negative(duration: int, waited: int) -> None:
    entry = replace(ENTRY, duration_ns=duration, waited_ns=waited)
    assert 0 <= entry.overhead_us <= duration // 1000


@pytest.mark.parametrize("error", [OSError, BrokenPipeError, ValueError])
async def test_a_log_that_can_not_be_written_stops_nothing(error: type[Exception]) -> None:
    log = AccessLog(Closed(error), "json")
    log.write(ENTRY)
    log.flush()


async def test_a_closed_stream_stops_nothing() -> None:
    stream = io.StringIO()
    log = AccessLog(stream, "text")
    log.write(ENTRY)
    stream.close()
    log.flush()
    log.write(ENTRY)
    log.flush()


async def test_a_line_is_written_without_being_asked_for() -> None:
    stream = io.StringIO()
    log = AccessLog(stream, "json")
    log.write(ENTRY)
    assert stream.getvalue() == ""
    await until(lambda: bool(stream.getvalue()), "the line was written")
    log.write(ENTRY)
    await until(lambda: stream.getvalue().count("\n") == 2, "the next one too")


async def test_many_lines_are_written_at_once() -> None:
    stream = io.StringIO()
    log = AccessLog(stream, "json")
    for number in range(FLUSH_LINES):
        log.write(replace(ENTRY, status=number))
    assert [json.loads(line)["status"] for line in stream.getvalue().splitlines()] == list(range(FLUSH_LINES))
    log.flush()
    assert stream.getvalue().count("\n") == FLUSH_LINES


async def test_times_are_written_with_their_milliseconds() -> None:
    text = await written("json", replace(ENTRY, at_ms=0), replace(ENTRY, at_ms=1999))
    assert re.findall(r'"at":"([^"]+)"', text) == ["1970-01-01T00:00:00.000Z", "1970-01-01T00:00:01.999Z"]
