"""Events that wait on disk: one file for each process that records, which outlives that process.

The process that has a file holds a lock on it that ends with the process, however that ends; whoever finds the lock
free may take the file over. Nothing is forced to the disk: what was written survives the process, not the power.
"""

from __future__ import annotations

import errno
import mmap
import os
import struct
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gateway.store.files.owned_file import assign, inherit, locked, make_owned

SPOOL_LIMIT = 64 << 20
"""Bytes of one file: some 300,000 events."""

# No event has a zero byte: behind a damaged place, the next batch is found by its mark.
_MARK = b"\x00pw1"
_HEAD = struct.Struct("<4sIIQI")
"""Mark, checksum of what follows, bytes of the body, and the batch's `first` and `count`."""
_SUMMED = struct.Struct("<IQI")
_WORTH_REWRITING = 1 << 20


@dataclass(frozen=True, slots=True)
class Batch:
    """Events that one writer recorded one after the other."""

    first: int
    """Place of the first one among all that its writer recorded, counted from 1."""
    count: int
    body: bytes
    """Name, version and fields of each, one a line."""

    @property
    def end(self) -> int:
        """Place of what its writer recorded next."""
        return self.first + self.count

    @property
    def size(self) -> int:
        """Bytes that it takes in a spool."""
        return _HEAD.size + len(self.body)

    def packed(self) -> bytes:
        """As it stands in a spool."""
        summed = _SUMMED.pack(len(self.body), self.first, self.count)
        return _MARK + zlib.crc32(self.body, zlib.crc32(summed)).to_bytes(4, "little") + summed + self.body


def following(batches: Iterable[Batch], events: int) -> list[Batch]:
    """The first of these, and those behind it that follow without a gap, as far as there are no more events."""
    found: list[Batch] = []
    for batch in batches:
        if found and (batch.first != found[-1].end or batch.end - found[0].first > events):
            break
        found.append(batch)
    return found


class Spool:
    """One file, which belongs to this process until it is closed. Everything but `close` may raise `OSError`."""

    def __init__(self, path: Path, file: int) -> None:
        self._path, self._file = path, file
        self._head, self._end = 0, os.fstat(file).st_size
        self._rewrite_at = _WORTH_REWRITING
        self.writer = path.name.partition(".")[0]
        """The name under which its events are to be sent."""
        self.unreadable = 0
        """Bytes that were passed over because they are no whole batch."""

    @classmethod
    def make(cls, folder: Path, writer: str) -> Spool:
        """A new one; the folder is made where it is missing."""
        path = folder / f"{writer}.log"
        return cls(path, make_owned(path))

    @classmethod
    def adopt(cls, path: Path) -> Spool | None:
        """One that another process has left behind; `None` where that process lives, or another was faster."""
        file = inherit(path)
        if file is None:
            return None
        found = cls(path, file)
        found._rewrite_at = SPOOL_LIMIT  # nothing is appended to it, so that it needs no room
        return found

    def assign(self, store: str) -> None:
        """It is for this store. Raises OSError."""
        self._path = assign(self._path, store)

    @property
    def size(self) -> int:
        """Bytes that wait."""
        return self._end - self._head

    @property
    def room(self) -> int:
        """Bytes that may still be appended."""
        return SPOOL_LIMIT - self._end

    def append(self, batches: Iterable[Batch]) -> None:
        """Write these behind all others, all or none."""
        data = b"".join([batch.packed() for batch in batches])
        if len(data) > self.room:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
        # What a write that failed has left behind is written over by the next one.
        if os.pwrite(self._file, data, self._end) < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._end += len(data)

    def oldest(self, events: int) -> list[Batch]:
        """What waits longest and follows each other: about this many events, and none where nothing waits."""
        return following(self._waiting(), events)

    def drop(self, batches: Iterable[Batch]) -> None:
        """Forget these, which are the oldest."""
        self._head += sum([batch.size for batch in batches])
        if self._head >= self._end:
            self._head = self._end = 0
            self._rewrite_at = _WORTH_REWRITING
            os.ftruncate(self._file, 0)
        elif self._head >= max(self._rewrite_at, self.size) and (
            self.size < _WORTH_REWRITING or self.room < SPOOL_LIMIT // 4
        ):
            # A store that is never quite in step would let the file grow for ever. No more is copied than was sent, and
            # much at once (32 MiB take some 50 ms) only where events would be dropped otherwise.
            self._rewrite_at = self._head + _WORTH_REWRITING
            self._rewrite()

    def close(self) -> None:
        """Let go of it: removed where nothing waits, left to whoever comes next where something does. Never raises."""
        with suppress(OSError):
            if not self.size:
                self._path.unlink()
        os.close(self._file)

    def _waiting(self) -> Iterator[Batch]:
        place = self._head
        while place < self._end:
            batch = self._read(place)
            if batch is not None:
                yield batch
                place += batch.size
            elif place == self._head:
                place = self._pass_over()
            else:
                return

    def _read(self, place: int) -> Batch | None:
        head = os.pread(self._file, _HEAD.size, place)
        if len(head) < _HEAD.size or not head.startswith(_MARK):
            return None
        _, summed, length, first, count = _HEAD.unpack(head)
        if place + _HEAD.size + length > self._end:
            return None
        body = os.pread(self._file, length, place + _HEAD.size)
        if zlib.crc32(body, zlib.crc32(head[8:])) != summed:
            return None
        return Batch(first, count, body)

    def _pass_over(self) -> int:
        """Begin behind the damage that is at the head."""
        with mmap.mmap(self._file, self._end, access=mmap.ACCESS_READ) as everything:
            found = everything.find(_MARK, self._head + 1)
        found = found if found >= 0 else self._end
        self.unreadable += found - self._head
        self._head = found
        return found

    def _rewrite(self) -> None:
        """Leave out what was sent. Whoever is killed meanwhile leaves the old file or the new one, each whole."""
        path = self._path.with_suffix(".new")
        file = locked(path, os.O_CREAT | os.O_TRUNC)
        try:
            rest = os.pread(self._file, self.size, self._head)
            if len(rest) < self.size or os.write(file, rest) < len(rest):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            path.rename(self._path)
        except OSError:
            os.close(file)
            raise
        os.close(self._file)
        self._file, self._head, self._end = file, 0, len(rest)
        self._rewrite_at = _WORTH_REWRITING
