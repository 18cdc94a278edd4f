"""Count the results that each subject got, without making anybody wait for the store.

It is what people are told ("you have had 14 results so far"), never what they are charged by: what a killed process had
counted in its last second is lost.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

from gateway.ports.state import StoreUnavailable, Subjects

REMEMBERED = 100_000
"""Subjects whose counts wait for a store that is away; more are not counted."""
_EVERY_SECONDS = 1.0
_AT_ONCE = 64


class Tallies:
    """Collects counts, and tells the store of them once a second."""

    def __init__(self, subjects: Subjects, log: Callable[[str], None]) -> None:
        self._subjects, self._log = subjects, log
        self._counts: Counter[str] = Counter()
        self._task: asyncio.Task[None] | None = None

    def add(self, key: str) -> None:
        """The subject with this `Subject.key` got a result."""
        if key in self._counts or len(self._counts) < REMEMBERED:
            self._counts[key] += 1

    async def start(self) -> None:
        """Begin to tell the store."""
        self._task = asyncio.create_task(self._go_on())

    async def stop(self) -> None:
        """Tell what is left, as far as the store takes it."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None
        await self.tell()

    async def _go_on(self) -> None:
        while True:
            await asyncio.sleep(_EVERY_SECONDS)
            await self.tell()

    async def tell(self) -> None:
        """Tell the store of all that was counted; what it does not take waits. Never raises."""
        counts, self._counts = self._counts, Counter()
        keys = list(counts)
        try:
            while keys:
                some = keys[:_AT_ONCE]
                await asyncio.gather(*(self._subjects.tally(key, counts[key]) for key in some))
                del keys[:_AT_ONCE]
        except StoreUnavailable:
            pass
        except Exception as error:  # nobody's request depends on it
            self._log(f"results could not be counted: {type(error).__name__}: {error}")
        finally:
            # Some of these may have been counted: rather twice than not at all is good enough for what people are told.
            for key in keys:
                self._counts[key] += counts[key]
