"""The event stream: written in batches while requests go on, read by the command line.

A batch whose answer was lost is sent again, so an event can stand in the stream twice; both copies carry the same `id`,
and `read_events` shows it once.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from gateway.core.event import Event
from gateway.ports.state import StoreUnavailable
from gateway.store.keys import EVENT_STREAM
from gateway.store.link import Command, Link

STREAM_LIMIT = 1_000_000
"""About how many events the stream keeps."""

BATCH = 500
PAUSE = 0.05
"""A batch is sent when it has this many events, or this many seconds after its first."""

_LONGEST_RETRY = 5.0
_REMEMBERED = 10_000
_BLOCK_MS = 1_000


class EventWriter:
    """The port `Events`. What can't be delivered waits in memory; what does not fit there is counted in `dropped`."""

    def __init__(self, link: Link, limit: int = 20_000) -> None:
        self._link = link
        self._limit = limit
        self._queue: deque[tuple[str, Event]] = deque()
        self._ids = secrets.token_hex(6)
        self._recorded = 0
        self.dropped = 0
        """Events that were lost since the start, because the store was away for too long."""
        # While started.
        self._task: asyncio.Task[None] | None = None
        self._some = asyncio.Event()
        self._many = asyncio.Event()
        self._stopping = asyncio.Event()

    def record(self, event: Event) -> None:
        """See the port."""
        if len(self._queue) >= self._limit:
            self.dropped += 1
            return
        self._recorded += 1
        self._queue.append((f"{self._ids}-{self._recorded:x}", event))
        self._some.set()
        if len(self._queue) >= BATCH:
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
        self.dropped += len(self._queue)
        self._queue.clear()

    async def _deliver(self) -> None:
        retry = PAUSE
        while self._queue or not self._stopping.is_set():
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
        batch = list(islice(self._queue, BATCH))
        if batch:
            await self._link.ask(*(_entry(identity, event) for identity, event in batch))
            for _ in batch:
                self._queue.popleft()
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
    """Events of the stream after a position (`0`: from the beginning, `$`: only new ones), each once.

    Ends with the newest, or with `follow` waits for more. Raises `StoreUnavailable`.
    """
    seen: deque[str] = deque(maxlen=_REMEMBERED)
    known: set[str] = set()
    block: Command = ("BLOCK", _BLOCK_MS) if follow else ()
    if after == "$":
        after = await _newest(link)
    while True:
        (answer,) = await link.ask(("XREAD", "COUNT", BATCH, *block, "STREAMS", EVENT_STREAM, after))
        entries = _entries(answer)
        for event in entries:
            after = event.position
            if event.id in known:
                continue
            if len(seen) == _REMEMBERED:
                known.discard(seen[0])
            seen.append(event.id)
            known.add(event.id)
            yield event
        if not entries and not follow:
            return


async def _newest(link: Link) -> str:
    """The last position: `$` itself would lose what comes between two questions."""
    (newest,) = await link.ask(("XREVRANGE", EVENT_STREAM, "+", "-", "COUNT", 1))
    return str(newest[0][0].decode()) if newest else "0"


def _entry(identity: str, event: Event) -> Command:
    body = json.dumps(asdict(event), separators=(",", ":"), default=str)
    fields = ("id", identity, "name", event.name, "version", event.version, "body", body)
    return ("XADD", EVENT_STREAM, "MAXLEN", "~", STREAM_LIMIT, "*", *fields)


def _entries(answer: Any) -> list[StoredEvent]:
    if not answer:
        return []
    (streams,) = answer.values()
    return [_read(position.decode(), fields) for position, fields in streams]


def _read(position: str, fields: dict[bytes, bytes]) -> StoredEvent:
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
