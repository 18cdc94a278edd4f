"""What one process recorded and the store has not taken yet."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from gateway.store.events.spool import Batch, Spool, following

_AGAIN_SECONDS = 5.0
"""How long after a failure to write the next attempt is made."""


class Backlog:
    """A line of batches: in memory what has just come, before it in the spool what had to wait.

    Without a folder, and while the folder can't be written, everything is in memory, and much less of it.
    """

    def __init__(self, folder: Path | None, writer: str, memory_limit: int) -> None:
        self._folder, self._writer, self._memory_limit = folder, writer, memory_limit
        self._spool: Spool | None = None
        self._store = ""
        """For which store all this is, once that is known."""
        self._fresh: deque[Batch] = deque()
        self.in_memory = 0
        """Events that would be lost with the process now."""
        self._fresh_size = 0
        # While the folder can't be written.
        self.trouble = ""
        """What is in the way of the spool, for an operator; empty while nothing is."""
        self._again = 0.0

    def __bool__(self) -> bool:
        return bool(self._fresh) or self.spool_size > 0

    @property
    def spool_size(self) -> int:
        """Bytes that wait on disk."""
        return self._spool.size if self._spool is not None else 0

    def open(self) -> None:
        """Make the spool, so that it shows at once whether it can be made. Never raises."""
        if self._folder is not None and self._spool is None:
            self._attempt([])

    def assign(self, store: str) -> None:
        """It is for this store: another process must not send it to another one. Never raises."""
        self._store = store
        if self._spool is not None:
            with suppress(OSError):  # whoever finds it sends it to the store that it has, then
                self._spool.assign(store)

    def add(self, batch: Batch) -> bool:
        """Put it at the end; false where there is no room."""
        if self._spool is not None and not self.trouble:
            if self._fresh_size + batch.size > self._spool.room:
                return False
        elif self.in_memory + batch.count > self._memory_limit:
            return False
        self._fresh.append(batch)
        self.in_memory += batch.count
        self._fresh_size += batch.size
        return True

    def secure(self, at_once: bool = False) -> None:
        """Move to the spool what is in memory, as far as that can be done. Never raises."""
        if self._fresh and self._folder is not None and (at_once or time.monotonic() >= self._again):
            self._attempt(self._fresh)

    def oldest(self, events: int) -> list[Batch]:
        """What is to be sent next: about this many events. Raises `OSError`."""
        if self._spool is not None and self._spool.size and (found := self._spool.oldest(events)):
            return found
        return following(self._fresh, events)

    def drop(self, batches: Sequence[Batch]) -> None:
        """Forget these, which are the oldest, wherever they have come to by now. Raises `OSError`."""
        if self._spool is not None and self._spool.size:
            self._spool.drop(batches)
            return
        for _ in batches:
            batch = self._fresh.popleft()
            self.in_memory -= batch.count
            self._fresh_size -= batch.size

    def close(self) -> None:
        """Leave on disk what is left, for the next process. Never raises."""
        self.secure(at_once=True)
        if self._spool is not None:
            self._spool.close()
            self._spool = None

    @property
    def unreadable(self) -> int:
        """Bytes of the spool that were passed over."""
        return self._spool.unreadable if self._spool is not None else 0

    def _attempt(self, batches: Sequence[Batch]) -> None:
        try:
            if self._spool is None:
                assert self._folder is not None
                self._spool = Spool.make(self._folder, self._writer)
                if self._store:
                    self._spool.assign(self._store)
            if batches:
                self._spool.append(batches)
        except OSError as error:
            self.trouble = (
                f"events that the store does not take at once can't be written to {self._folder} ({error.strerror}): "
                "they are kept in memory, and lost with the process; mend the folder"
            )
            self._again = time.monotonic() + _AGAIN_SECONDS
            return
        self.trouble = ""
        self._fresh.clear()
        self.in_memory = self._fresh_size = 0
