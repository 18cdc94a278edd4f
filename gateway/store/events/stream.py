"""The event stream: written in batches while requests go on, read by the command line."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, fields
from json.encoder import encode_basestring_ascii as _quoted
from pathlib import Path
from typing import Any

from gateway.core.event import Event
from gateway.store.events.adoption import Adoption
from gateway.store.events.backlog import Backlog
from gateway.store.events.delivery import BATCH, Delivery
from gateway.store.events.spool import Batch
from gateway.store.files.identity import Identity
from gateway.store.keys import EVENT_STREAM
from gateway.store.transport.line import Command
from gateway.store.transport.link import Link

PAUSE = 0.03
"""A batch is sent when it has `BATCH` events, or this many seconds after its first."""
LATE = 0.02
"""Seconds after which a batch that the store has not taken is on disk."""

_BLOCK_MS = 1_000


class EventWriter:
    """The port `Events`. What the store does not take within moments waits on disk, also for the next process.

    What finds no room is counted in `dropped`.
    """

    def __init__(
        self,
        link: Link,
        spools: Path | None = None,
        log: Callable[[str], None] = lambda line: None,
        memory_limit: int = 20_000,
        identity: Identity | None = None,
    ) -> None:
        self._identity = identity or Identity(link)
        self._link, self._spools, self._memory_limit = link, spools, memory_limit
        self._log = _never_raising(log)
        self._pending: list[tuple[Event, str]] = []
        """Recorded, and not in a batch yet; each with its mark, or without."""
        self.dropped = 0
        """Events that were lost since the start: there was no room for them, or they could not be read any more."""
        # While started.
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pack_timer: asyncio.TimerHandle | None = None
        self._secure_timer: asyncio.TimerHandle | None = None
        self._some = asyncio.Event()
        self._stopping = False
        self._tasks: list[asyncio.Task[None]] = []
        """Delivers what is recorded here; delivers what others have left behind."""
        self._adoption: Adoption | None = None
        # From one start to the next: a name is never used again, for the store knows what it has of it.
        self._writer = ""
        self._packed = 0
        self._backlog = Backlog(None, "", memory_limit)
        self._delivery = Delivery(link, "", self._backlog, log)
        self._told = ""
        self._told_of_loss = False

    @property
    def waiting(self) -> int:
        """Events that are not known to be in the stream yet."""
        return len(self._pending) + (self._packed - self._delivery.reached if self._backlog else 0)

    @property
    def spool_size(self) -> int:
        """Bytes that wait on disk, also those of a process that has ended, as far as this one sends them."""
        return self._backlog.spool_size + (self._adoption.size if self._adoption is not None else 0)

    def warnings(self) -> list[str]:
        """What an operator should mend."""
        return [self._backlog.trouble] if self._backlog.trouble else []

    def record(self, event: Event, mark: str = "") -> None:
        """See the port; `mark` is for `record_once`."""
        pending = self._pending
        if len(pending) >= self._memory_limit:
            self.dropped += 1
            return
        pending.append((event, mark))
        if self._loop is not None:
            if len(pending) == 1:
                self._pack_timer = self._loop.call_later(PAUSE, self._pack)
            elif len(pending) == BATCH:
                self._loop.call_soon(self._pack)

    def record_once(self, event: Event, mark: str) -> None:
        """See the port."""
        self.record(event, mark)
        if self._loop is not None:
            self._pack()
            self._secure()

    async def start(self) -> None:
        """Begin to deliver, also what processes left behind that have ended."""
        self._writer, self._packed, self._stopping = secrets.token_hex(6), 0, False
        self._backlog = Backlog(self._spools, self._writer, self._memory_limit)
        self._backlog.open()
        self._tell()
        self._delivery = Delivery(self._link, self._writer, self._backlog, self._log)
        self._loop = asyncio.get_running_loop()
        self._tasks = [asyncio.create_task(self._deliver(), name="event writer")]
        if self._spools is not None:
            self._adoption = Adoption(self._link, self._identity, self._spools, self._log, self._count_lost)
            self._tasks.append(asyncio.create_task(self._adoption.run(), name="event spools"))
            self._tasks.append(asyncio.create_task(self._assign(self._backlog), name="event spool of which store"))
        self._pack()

    async def stop(self, deadline: float = 2.0) -> None:
        """Deliver what is left, within `deadline` seconds. What is left then is on disk for the next process; what
        can't be written there is counted as dropped."""
        if self._loop is None:
            return
        self._pack()
        self._loop, self._stopping = None, True
        for timer in (self._pack_timer, self._secure_timer):
            if timer is not None:
                timer.cancel()
        self._pack_timer = self._secure_timer = None
        self._delivery.hurry.set()
        self._some.set()
        for task in self._tasks[1:]:
            task.cancel()
        await asyncio.wait(self._tasks[:1], timeout=deadline)
        self._tasks[0].cancel()
        await asyncio.wait(self._tasks)
        self._backlog.close()
        if self._backlog.in_memory:
            self._count_lost(self._backlog.in_memory)
            self._log(f"{self._backlog.in_memory} events are lost: the store has not taken them")
        self._backlog = Backlog(None, "", self._memory_limit)

    def _pack(self) -> None:
        """Make batches of what is pending. What can't be written is left out: it would be in the way of all others."""
        if self._pack_timer is not None:
            self._pack_timer.cancel()
            self._pack_timer = None
        pending, self._pending = self._pending, []
        for begin in range(0, len(pending), BATCH):
            lines: list[str] = []
            for event, mark in pending[begin : begin + BATCH]:
                name = f"{event.name} {mark}" if mark else event.name
                try:
                    lines.append(f"{name}\n{event.version}\n{_body(event)}")
                except Exception as error:
                    self._count_lost(1)
                    self._log(f"events: one of {event.name!r} can't be written and is lost ({error!r})")
            batch = Batch(self._packed + 1, len(lines), "\n".join(lines).encode("ascii"))
            if not lines:
                continue
            if self._backlog.add(batch):
                self._packed += batch.count
            else:
                self._lose(batch.count)
        if pending:
            self._some.set()
            if self._secure_timer is None and self._loop is not None:
                self._secure_timer = self._loop.call_later(LATE, self._secure)

    async def _assign(self, backlog: Backlog) -> None:
        backlog.assign(await self._identity.known())

    def _secure(self) -> None:
        """What was not taken by now goes to the disk."""
        if self._secure_timer is not None:
            self._secure_timer.cancel()
            self._secure_timer = None
        self._backlog.secure()
        self._tell()

    def _lose(self, events: int) -> None:
        self._count_lost(events)
        if not self._told_of_loss:
            self._told_of_loss = True
            self._log("events are lost: there is no room for more that wait for the store")

    def _count_lost(self, events: int) -> None:
        self.dropped += events

    def _tell(self) -> None:
        trouble, told = self._backlog.trouble, self._told
        self._told = trouble
        if trouble and trouble != told:
            self._log(trouble)

    async def _deliver(self) -> None:
        while self._backlog or not self._stopping:
            await self._some.wait()
            self._some.clear()
            lost = self._delivery.lost
            await self._delivery.send_all()
            self._count_lost(self._delivery.lost - lost)
            self._told_of_loss = False


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


def _never_raising(log: Callable[[str], None]) -> Callable[[str], None]:
    """The same log, whose own failure stops nothing."""

    def say(line: str) -> None:
        with suppress(Exception):
            log(line)

    return say
