"""Batches of events on their way into the stream, under the name of the writer that recorded them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from gateway.ports.state import StoreUnavailable
from gateway.store.events.spool import Batch
from gateway.store.keys import EVENT_STREAM, event_mark_key, event_writer_key
from gateway.store.transport.line import Argument
from gateway.store.transport.link import Link
from gateway.store.transport.script import Script

STREAM_LIMIT = 1_000_000
"""About how many events the stream keeps."""

BATCH = 500
"""About how many events are sent at once."""

WRITER_MEMORY_DAYS = 90
"""How long the store knows what it has of a writer that sends nothing any more, and which marks it has."""

_RECORD = Script.read("record_events")
_FIRST_RETRY, _LONGEST_RETRY = 0.05, 5.0
_WRITER_MEMORY_MS = WRITER_MEMORY_DAYS * 86_400_000


class Waiting(Protocol):
    """Where batches wait, oldest first."""

    def oldest(self, events: int) -> list[Batch]:
        """The next ones, without a gap in between: about this many events."""
        ...

    def drop(self, batches: Sequence[Batch]) -> None:
        """Forget these, which are the oldest."""
        ...

    @property
    def unreadable(self) -> int:
        """Bytes that were no batch."""
        ...


class Delivery:
    """Sends what one writer has waiting, in its order, until nothing is left. Goes on after whatever happens."""

    def __init__(self, link: Link, writer: str, waiting: Waiting, log: Callable[[str], None]) -> None:
        self._link, self._writer, self._waiting, self._log = link, writer, waiting, log
        self.reached = 0
        """Place of the last event that was sent."""
        self._told = ""
        self._unreadable = 0
        self.lost = 0
        """Events that were between others and could not be read any more."""
        self.hurry = asyncio.Event()
        """Set: the longest time between attempts is the shortest."""

    async def send_all(self) -> None:
        """Returns when nothing waits any more."""
        retry = _FIRST_RETRY
        while True:
            try:
                batches = self._waiting.oldest(BATCH)
                if not batches:
                    break
                await self._send(batches)
                retry, self._told = _FIRST_RETRY, ""
            except StoreUnavailable:
                await self._pause(retry)
                retry = min(retry * 2, _LONGEST_RETRY)
            except Exception as error:  # an error of ours: what waits can be sent all the same, perhaps a moment later
                self._tell(f"events: sending them failed ({error!r}) and is tried again")
                await self._pause(retry)
                retry = min(retry * 2, _LONGEST_RETRY)
        self._tell_of_damage()

    async def _send(self, batches: list[Batch]) -> None:
        first = batches[0].first
        arguments: list[Argument] = [self._writer, STREAM_LIMIT, _WRITER_MEMORY_MS, first]
        keys = [EVENT_STREAM, event_writer_key(self._writer)]
        for batch in batches:
            lines = batch.body.split(b"\n")
            arguments += lines
            keys += [event_mark_key(mark.decode("ascii")) for name in lines[::3] if (mark := name.partition(b" ")[2])]
        await self._link.call_at_length(_RECORD, keys, arguments)
        if self.reached:
            self.lost += max(0, first - self.reached - 1)
        self.reached = batches[-1].end - 1
        self._waiting.drop(batches)

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self.hurry.wait()
        except TimeoutError:
            return
        await asyncio.sleep(_FIRST_RETRY)

    def _tell(self, line: str) -> None:
        if line != self._told:
            self._told = line
            self._log(line)

    def _tell_of_damage(self) -> None:
        damage, self._unreadable = self._waiting.unreadable - self._unreadable, self._waiting.unreadable
        if damage:
            self._log(f"events: {damage} bytes of what waited on disk were damaged, and the events in them are lost")
