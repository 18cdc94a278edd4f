"""Wait a little for what would be nice to have, and not at all for a while once that was in vain."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

WAIT_SECONDS = 0.05
PAUSE_SECONDS = 1.0


class Patience:
    """Shared by all who wait for the same thing: of many pages a second, one finds out that it takes too long."""

    def __init__(self, wait: float = WAIT_SECONDS, pause: float = PAUSE_SECONDS) -> None:
        self._wait, self._pause = wait, pause
        self._lost_until = float("-inf")

    async def is_done(self, work: Coroutine[Any, Any, None]) -> bool:
        """Whether this was done in time; it goes on if not. Raises what it raises in time."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._lost_until:
            work.close()
            return False
        task = asyncio.create_task(work)
        task.add_done_callback(_heard)
        done, _ = await asyncio.wait([task], timeout=self._wait)
        if not done:
            self._lost_until = loop.time() + self._pause
            return False
        task.result()
        return True


def _heard(task: asyncio.Task[None]) -> None:
    """What comes too late is nobody's any more, also when it is an error."""
    if not task.cancelled():
        task.exception()
