"""How many of the connections one client may have in use: never all of them.

A client that does not read its answers holds a connection for each, for as long as it likes to. An eighth of them is
always left to everybody else.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque


class Shares:
    """Counts what is in use by owner; whoever has its share waits until something of its own is free again.

    Every change happens in a synchronous step, so that no cancellation can find it half done.
    """

    def __init__(self, connections: int) -> None:
        self.most = connections - connections // 8
        """How many one owner may have."""
        self._used: Counter[str] = Counter()
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    def try_enter(self, owner: str) -> bool:
        """Take one of the owner's share, if there is one left. Nobody in particular (`""`) has no limit."""
        if owner:
            if self._used[owner] >= self.most:
                return False
            self._used[owner] += 1
        return True

    async def enter(self, owner: str) -> None:
        """Take one of the owner's share as soon as there is one."""
        if self.try_enter(owner):
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue = self._waiting.setdefault(owner, deque())
        queue.append(waiter)
        try:
            await waiter
        except BaseException:
            if waiter.done() and not waiter.cancelled():  # it was given one in the very moment of giving up
                self.leave(owner)
            elif waiter in queue:
                queue.remove(waiter)
                if not queue:
                    self._waiting.pop(owner, None)
            raise

    def leave(self, owner: str) -> None:
        """What was taken by this owner is free again: for its own next in the queue, if there is one."""
        if not owner:
            return
        queue = self._waiting.get(owner)
        while queue:
            waiter = queue.popleft()
            if not queue:
                del self._waiting[owner]
            if not waiter.done():
                waiter.set_result(None)
                return
        self._used[owner] -= 1
        if self._used[owner] <= 0:
            del self._used[owner]

    @property
    def owners(self) -> int:
        """How many have something in use."""
        return len(self._used)

    @property
    def queue_length(self) -> int:
        """Requests that wait for a connection of their owner's share."""
        return sum(map(len, self._waiting.values()))
