"""The event stream: written in batches while requests go on, read by the command line.

A batch whose answer was lost is sent again under its own name, and stands in the stream once.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, fields
from json.encoder import encode_basestring_ascii as _quoted
from typing import Any

from gateway.core.event import Event
from gateway.ports.state import StoreUnavailable
from gateway.store.keys import EVENT_BATCHES, EVENT_STREAM
from gateway.store.line import Argument, Command
from gateway.store.link import Link
from gateway.store.script import Script

STREAM_LIMIT = 1_000_000
"""About how many events the stream keeps."""

BATCH = 500
PAUSE = 0.05
"""A batch is sent when it has this many events, or this many seconds after its first."""

_RECORD = Script.read("record_events")
_LONGEST_RETRY = 5.0
_BATCHES_REMEMBERED = 1_000
"""A batch is sent again until it is known to be in the stream: each gateway has one under way at most."""
_BLOCK_MS = 1_000


class EventWriter:
    """The port `Events`. What can't be delivered waits in memory; what does not fit there is counted in `dropped`."""

    def __init__(self, link: Link, limit: int = 20_000) -> None:
        self._link = link
        self._limit = limit
        self._queue: deque[tuple[str, Event]] = deque()
        self._ids = secrets.token_hex(6)
        self._recorded = 0
        self._batch: tuple[str, list[tuple[str, Event]]] = ("", [])
        """What is under way, with its name: it stays as it is until it is known to be in the stream."""
        self.dropped = 0
        """Events that were lost since the start, because the store was away for too long."""
        # While started.
        self._task: asyncio.Task[None] | None = None
        self._some = asyncio.Event()
        self._many = asyncio.Event()
        self._stopping = asyncio.Event()

    @property
    def waiting(self) -> int:
        """Events that are not known to be in the stream yet."""
        return len(self._queue) + len(self._batch[1])

    def record(self, event: Event) -> None:
        """See the port."""
        queue = self._queue
        if len(queue) + len(self._batch[1]) >= self._limit:
            self.dropped += 1
            return
        self._recorded += 1
        queue.append((f"{self._ids}-{self._recorded:x}", event))
        if len(queue) == 1:
            self._some.set()
        elif len(queue) >= BATCH:
            self._many.set()

    async def start(self) -> None:
        """Begin to deliver."""
        self._stopping.clear()
        self._task = asyncio.create_task(self._deliver(), name="event writer")

    async def stop(self, deadline: float = 2.0) -> None:
        """Deliver what is left, within `deadline` seconds; what is left after that is counted as dropped."""
        self._stopping.set()
        self._some.set()
        self._many.set()
        if self._task is not None:
            done, _ = await asyncio.wait([self._task], timeout=deadline)
            if not done:
                self._task.cancel()
                await asyncio.wait([self._task])
            self._task = None
        self.dropped += self.waiting
        self._queue.clear()
        self._batch = ("", [])

    async def _deliver(self) -> None:
        retry = PAUSE
        while self.waiting or not self._stopping.is_set():
            await self._some.wait()
            await _wait(self._many, PAUSE)
            try:
                await self._send_batch()
                retry = PAUSE
            except StoreUnavailable:
                await _wait(self._stopping, retry)
                if self._stopping.is_set():
                    await asyncio.sleep(PAUSE)
                retry = min(retry * 2, _LONGEST_RETRY)

    async def _send_batch(self) -> None:
        name, events = self._batch
        if not events and self._queue:
            events = [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]
            name = events[0][0]
            self._batch = (name, events)
        if events:
            args: list[Argument] = [0, name, STREAM_LIMIT, _BATCHES_REMEMBERED]
            for identity, event in events:
                args += (identity, event.name, event.version, _body(event))
            await self._link.call_at_length(_RECORD, [EVENT_STREAM, EVENT_BATCHES], args)
            self._batch = ("", [])
        if not self._stopping.is_set():
            _set(self._some, bool(self._queue))
            _set(self._many, len(self._queue) >= BATCH)


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as it stands in the stream."""

    position: str
    """Where in the stream: reading can go on after it."""
    id: str
    name: str
    version: int
    body: dict[str, Any]
    """The event's fields."""


async def read_events(link: Link, after: str = "0", follow: bool = False) -> AsyncIterator[StoredEvent]:
    """Events of the stream after a position (`0`: from the beginning, `$`: only new ones).

    Ends with the newest, or with `follow` waits for more. Raises `StoreUnavailable`.
    """
    block: Command = ("BLOCK", _BLOCK_MS) if follow else ()
    if after == "$":
        after = await _newest(link)
    while True:
        (answer,) = await link.ask(("XREAD", "COUNT", BATCH, *block, "STREAMS", EVENT_STREAM, after), key=EVENT_STREAM)
        entries = _entries(answer)
        for event in entries:
            after = event.position
            yield event
        if not entries and not follow:
            return


async def _newest(link: Link) -> str:
    """The last position: `$` itself would lose what comes between two questions."""
    (newest,) = await link.ask(("XREVRANGE", EVENT_STREAM, "+", "-", "COUNT", 1))
    return str(newest[0][0].decode()) if newest else "0"


def _body(event: Event) -> str:
    # Events are flat, of text and numbers: written out field by field they cost a third of what `json.dumps` does.
    names = _names.get(event.name)
    if names is None:
        names = _names[event.name] = tuple(field.name for field in fields(event))
    return "{" + ",".join([f'"{name}":{_written(getattr(event, name))}' for name in names]) + "}"


def _written(value: str | int) -> str:
    if isinstance(value, str):
        return _quoted(value)
    return repr(value) if value.__class__ is int else json.dumps(value)


_names: dict[str, tuple[str, ...]] = {}
"""The fields of each event that was recorded."""


def _entries(answer: Any) -> list[StoredEvent]:
    if not answer:
        return []
    (streams,) = answer.values()
    return [_read(position.decode(), flat) for position, flat in streams]


def _read(position: str, flat: list[bytes]) -> StoredEvent:
    fields = dict(zip(flat[::2], flat[1::2], strict=True))
    return StoredEvent(
        position,
        fields[b"id"].decode(),
        fields[b"name"].decode(),
        int(fields[b"version"]),
        json.loads(fields[b"body"]),
    )


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return


def _set(event: asyncio.Event, value: bool) -> None:
    if value:
        event.set()
    else:
        event.clear()
