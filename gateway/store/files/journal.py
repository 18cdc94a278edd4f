"""The journal of withdrawals, in a file that is part of this process's memory.

A process that is killed leaves the file as it was at that instant, since the pages are the kernel's; only the end of
the machine may lose them. Writing costs no system call. Whoever starts in the same folder gives back what stands in the
files of processes that have ended: a result is given back that may have been delivered in the last instant, never kept
that was not.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from gateway.core.decision import Purse
from gateway.core.subject import Subject
from gateway.ports.journal import NOWHERE, Withdrawal
from gateway.store.files.owned_file import assign, inherit, is_for, make_owned

PLACES = 4096
"""Results under way at once that are written down; more are taken without."""
PLACE_BYTES = 1024
_LENGTH_BYTES = 2
_SUFFIX = ".journal"


class FileJournal:
    """The port `Journal`, in a file of its own, which no other process reads while this one lives."""

    def __init__(self, folder: Path) -> None:
        """Raises OSError where the folder can't be written, or has no room; and leaves nothing there then."""
        self._path = folder / f"{secrets.token_hex(8)}{_SUFFIX}"
        self._file = make_owned(self._path)
        try:
            # Not a file with holes: to write into one where the disk is full ends the process.
            os.posix_fallocate(self._file, 0, PLACES * PLACE_BYTES)
            self._map = mmap.mmap(self._file, PLACES * PLACE_BYTES)
        except OSError:
            self._path.unlink(missing_ok=True)
            os.close(self._file)
            raise
        self._free = list(range(PLACES - 1, -1, -1))

    def assign(self, store: str) -> None:
        """What is taken is taken in this store. Raises OSError."""
        self._path = assign(self._path, store)

    def note(self, withdrawal: Withdrawal) -> int:
        """See the port."""
        text = _write(withdrawal)
        if not self._free or len(text) > PLACE_BYTES - _LENGTH_BYTES:
            return NOWHERE
        place = self._free.pop()
        start = place * PLACE_BYTES + _LENGTH_BYTES
        # The length last: without it nothing stands there.
        self._map[start : start + len(text)] = text
        self._map[start - _LENGTH_BYTES : start] = len(text).to_bytes(_LENGTH_BYTES, "big")
        return place

    def cross_out(self, place: int) -> None:
        """See the port."""
        if place != NOWHERE:
            start = place * PLACE_BYTES
            self._map[start : start + _LENGTH_BYTES] = bytes(_LENGTH_BYTES)
            self._free.append(place)

    def close(self) -> None:
        """What is still written down is left to whoever starts next."""
        if len(self._free) == PLACES:
            self._path.unlink(missing_ok=True)
        self._map.close()
        os.close(self._file)


class Estate:
    """What a process that has ended had written down."""

    def __init__(self, path: Path, file: int) -> None:
        self._path, self._file = path, file

    def withdrawals(self) -> list[tuple[int, Withdrawal]]:
        """By their places. What can't be read is left out."""
        found = []
        for place in range(PLACES):
            entry = os.pread(self._file, PLACE_BYTES, place * PLACE_BYTES)
            length = int.from_bytes(entry[:_LENGTH_BYTES], "big")
            withdrawal = _read(entry[_LENGTH_BYTES : _LENGTH_BYTES + length]) if length else None
            if withdrawal is not None:
                found.append((place, withdrawal))
        return found

    def cross_out(self, place: int) -> None:
        """It was given back."""
        os.pwrite(self._file, bytes(_LENGTH_BYTES), place * PLACE_BYTES)

    def close(self, *, settled: bool) -> None:
        """Let it go; once `settled`, for ever."""
        if settled:
            self._path.unlink(missing_ok=True)
        os.close(self._file)


def estates(folder: Path, store: str = "") -> Iterator[Estate]:
    """The journals in this folder whose processes have ended, as far as they are for this store; nobody else gets these
    until they are closed."""
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        if is_for(path, store):
            yield from _inherited(path)


def strange_estates(folder: Path, store: str) -> list[str]:
    """The names of those that are for another store, and say of something that it was taken there."""
    found = []
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        if not is_for(path, store):
            for estate in _inherited(path):
                says_nothing = not estate.withdrawals()
                estate.close(settled=says_nothing)
                if not says_nothing:
                    found.append(path.name)
    return found


def _inherited(path: Path) -> Iterator[Estate]:
    with contextlib.suppress(OSError):
        file = inherit(path)
        if file is not None:
            yield Estate(path, file)


def _write(withdrawal: Withdrawal) -> bytes:
    parts = (withdrawal.purse, withdrawal.operation, withdrawal.scope, withdrawal.route, str(withdrawal.subject))
    return "\n".join(parts).encode("utf-8", "surrogatepass")


def _read(text: bytes) -> Withdrawal | None:
    try:
        purse, operation, scope, route, subject = text.decode("utf-8", "surrogatepass").split("\n", 4)
        return Withdrawal(Subject.parse(subject), Purse(purse), operation, scope, route)
    except ValueError:
        return None
