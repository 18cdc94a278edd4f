"""A result on its way into the store, and the storage outside of it."""

from __future__ import annotations

from contextlib import suppress

from gateway.access.outside import Outside
from gateway.access.seal import Sealer
from gateway.core.rule import HoldLimits
from gateway.core.subject import Subject
from gateway.ports.state import HoldBeginOutcome, Holds
from gateway.ports.storage import StorageUnavailable

FRAME_BYTES = 512 * 1024


class NoRoom(Exception):
    """The subject, or the storage, has no room for so many bytes."""


class NewHold:
    """A hold that is being written: the room that is reserved for it, and the chunks that are there already."""

    def __init__(
        self,
        holds: Holds,
        outside: Outside | None,
        subject: Subject,
        hold: str,
        limits: HoldLimits,
        now: int,
        length: int | None,
    ) -> None:
        self._holds, self._outside, self._limits = holds, outside, limits
        self.subject, self.id, self.expires = subject, hold, now + limits.ttl_ms
        self._known_large = outside is not None and length is not None and length > outside.large
        self._room = self._outside_bytes = 0
        self.outside_at = ""
        self.outside_chunks = 0

    async def reserve(self, size: int) -> bool:
        """Have room for so many bytes in all."""
        limits = self._limits
        outcome = await self._holds.begin(self.subject, self.id, limits.max_count, limits.max_total, size=size)
        self._room = size
        return outcome is HoldBeginOutcome.RESERVED

    async def store(self, number: int, sealed: bytes, size: int) -> None:
        """Store a chunk of a body that has so many bytes with it. Raises `NoRoom`."""
        if size > self._room and not await self.reserve(size):
            raise NoRoom
        outside = self._outside
        if outside is None or not (self._known_large or self.outside_at or size > outside.large):
            await self._holds.append(self.subject, self.id, number, sealed)
            return
        if not self.outside_at:
            self.outside_at = await outside.place(self.subject, self.id, self.expires)
        if not await outside.write(self.outside_at, number, sealed):
            raise NoRoom
        self.outside_chunks += 1
        self._outside_bytes += len(sealed)

    async def discard(self) -> None:
        """Nothing comes of it. What can't be removed now is left to the sweep; what the store says is paid stays."""
        gone = await self._holds.discard(self.subject, self.id)
        if gone and self._outside is not None and self.outside_at:
            with suppress(StorageUnavailable):
                await self._outside.remove(self.outside_at, self._outside_bytes)


class Frames:
    """Cuts a body into frames, seals them and stores them; one frame at most is in memory."""

    def __init__(self, hold: NewHold, sealer: Sealer) -> None:
        self._hold, self._sealer = hold, sealer
        self._pending = bytearray()
        self.size = 0
        self.count = 0

    async def add(self, piece: bytes) -> None:
        """The next bytes of the body. Raises `NoRoom`."""
        self.size += len(piece)
        self._pending += piece
        # Strictly more than a frame, so that something is left to be sealed as the last.
        while len(self._pending) > FRAME_BYTES:
            frame = bytes(self._pending[:FRAME_BYTES])
            del self._pending[:FRAME_BYTES]
            await self._store(frame, last=False)

    async def finish(self) -> None:
        """There are no more. Raises `NoRoom`."""
        await self._store(bytes(self._pending), last=True)

    async def _store(self, frame: bytes, last: bool) -> None:
        so_far = self.count * FRAME_BYTES + len(frame)
        await self._hold.store(self.count, self._sealer.seal(self.count, last, frame), so_far)
        self.count += 1
