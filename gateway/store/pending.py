"""Checkouts of which it is not known how they ended, by when to ask about them."""

from __future__ import annotations

from gateway.store.keys import PENDING_CHECKOUTS
from gateway.store.transport.link import Link
from gateway.store.transport.script import Script

_TAKE_DUE = Script.read("take_due")


class StoredPending:
    """The port `PendingCheckouts`."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def watch(self, reference: str, due: int) -> None:
        """See the port."""
        await self._link.ask(("ZADD", PENDING_CHECKOUTS, due, reference))

    async def forget(self, reference: str) -> None:
        """See the port."""
        await self._link.ask(("ZREM", PENDING_CHECKOUTS, reference))

    async def take_due(self, lease_ms: int, limit: int, now: int = 0) -> list[str]:
        """See the port."""
        members: list[bytes] = await self._link.call(_TAKE_DUE, [PENDING_CHECKOUTS], [now, lease_ms, limit])
        return [member.decode() for member in members]

    async def all(self) -> list[str]:
        """See the port."""
        (members,) = await self._link.ask(("ZRANGE", PENDING_CHECKOUTS, 0, -1))
        return [member.decode() for member in members]

    async def count(self) -> int:
        """See the port."""
        (count,) = await self._link.ask(("ZCARD", PENDING_CHECKOUTS))
        return int(count)
