"""One line for every request: what was asked, what was decided and why, and what the gateway itself cost.

Lines are written in batches, so that a request never waits for the disk or the pipe. Paths are logged without their
query, subjects as keyed hashes, and no address of a client at all: what is not there can't leak.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import encode_basestring_ascii as _quoted
from typing import Literal, TextIO

from gateway.eventlog.entry import AccessEntry
from gateway.eventlog.metrics import Metrics

FLUSH_SECONDS = 0.1
FLUSH_LINES = 500


class AccessLog:
    """Writes entries as JSON or as text, in batches."""

    def __init__(self, stream: TextIO, form: Literal["json", "text"], metrics: Metrics | None = None) -> None:
        self._stream = stream
        self._metrics = metrics
        self._format = _as_json if form == "json" else _as_text
        self._pending: list[AccessEntry] = []
        self._timer: asyncio.TimerHandle | None = None

    def write(self, entry: AccessEntry) -> None:
        """Take one entry; it is on the stream within a tenth of a second."""
        self._pending.append(entry)
        if len(self._pending) >= FLUSH_LINES:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(FLUSH_SECONDS, self.flush)

    def flush(self) -> None:
        """Write what is pending. A log that can't be written must not stop the gateway."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        pending, self._pending = self._pending, []
        if not pending:
            return
        if self._metrics is not None:
            self._metrics.count(pending)
        try:
            self._stream.write("".join(map(self._format, pending)))
            self._stream.flush()
        except (OSError, ValueError):
            return


def _as_json(entry: AccessEntry) -> str:
    # Written out: a dictionary and its dump cost three times as much. What may hold anything is quoted; decisions and
    # reasons are words of ours.
    detail = f',"detail":{_quoted(entry.detail)}' if entry.detail else ""
    return (
        f'{{"at":"{_instant(entry.at_ms)}","method":{_quoted(entry.method)},"path":{_quoted(entry.path)}'
        f',"status":{entry.status},"decision":"{entry.decision}","reason":"{entry.reason}"'
        f',"route":{_quoted(entry.route)},"subject":{_quoted(entry.subject)},"bytes":{entry.size}'
        f',"duration_us":{entry.duration_ns // 1000},"overhead_us":{entry.overhead_us}{detail}}}\n'
    )


def _as_text(entry: AccessEntry) -> str:
    detail = f" ({_printable(entry.detail)})" if entry.detail else ""
    return (
        f"{_instant(entry.at_ms)} {_word(entry.method)} {_word(entry.path)} {entry.status}"
        f" {_decided(entry.decision, entry.reason, entry.route, entry.subject)} {entry.size}B"
        f" {entry.duration_ns / 1e6:.1f}ms own={entry.overhead_us / 1e3:.2f}ms{detail}\n"
    )


@lru_cache(maxsize=1024)
def _decided(decision: str, reason: str, route: str, subject: str) -> str:
    return f"{decision}:{reason} route={route or '-'} subject={subject or '-'}"


def _printable(text: str) -> str:
    """Plain ASCII without a line end or a terminal's control sequence, whatever was in it."""
    if text.isascii() and text.isprintable() and "\\" not in text:
        return text
    return text.encode("unicode_escape").decode("ascii").replace("\x7f", "\\x7f")


@lru_cache(maxsize=1024)
def _word(text: str) -> str:
    """The same in one word, so that nobody can write the fields that follow it."""
    return _printable(text).replace(" ", "\\x20")


@lru_cache(maxsize=8)
def _instant(milliseconds: int) -> str:
    # Several lines share a millisecond, thousands a second; formatting them is the dearest part of a line.
    return f"{_second(milliseconds // 1000)}.{milliseconds % 1000:03d}Z"


@lru_cache(maxsize=4)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
