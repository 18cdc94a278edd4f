"""Wait a little for what would be nice to have, and not at all for a while once that was in vain."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

WAIT_SECONDS = 0.05
PAUSE_SECONDS = 1.0


class Patience:
    """Shared by all who wait for the same thing: once somebody has waited in vain nobody does, until it is done in time
    for somebody who did not wait."""

    def __init__(self, wait: float = WAIT_SECONDS, pause: float = PAUSE_SECONDS) -> None:
        self._wait, self._pause = wait, pause
        self._is_lost = False
        self._lost_until = float("-inf")

    async def is_done(self, work: Coroutine[Any, Any, None]) -> bool:
        """Whether this was done in time; it goes on if not. Raises what it raises in time."""
        loop = asyncio.get_running_loop()
        if self._is_lost and loop.time() < self._lost_until:
            work.close()
            return False
        task = loop.create_task(work)
        if self._is_lost:
            self._lost_until = loop.time() + self._pause
            task.add_done_callback(self._judge(loop.time() + self._wait))
            return False
        task.add_done_callback(_heard)
        done, _ = await asyncio.wait([task], timeout=self._wait)
        if not done:
            self._is_lost, self._lost_until = True, loop.time() + self._pause
            return False
        task.result()
        return True

    def _judge(self, in_time: float) -> Callable[[asyncio.Task[None]], None]:
        """For what nobody waited for: done by this instant, it can be waited for again."""

        def judged(task: asyncio.Task[None]) -> None:
            _heard(task)
            if not task.cancelled() and task.get_loop().time() <= in_time:
                self._is_lost = False

        return judged


def _heard(task: asyncio.Task[None]) -> None:
    """What comes too late is nobody's any more, also when it is an error."""
    if not task.cancelled():
        task.exception()
