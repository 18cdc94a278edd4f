"""What the store knows of the storage outside of it that large held results lie in."""

from __future__ import annotations

import secrets

from gateway.ports.storage import StockIdentity
from gateway.store.keys import STOCK, key_of
from gateway.store.merges import LONGEST_WAY
from gateway.store.transport.link import Link

_TURN = f"{STOCK}:turn"


class StoredStock:
    """The port `Stock`."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def identity(self) -> StockIdentity:
        """See the port."""
        *_, (name, key) = await self._link.ask(
            ("HSETNX", STOCK, "id", secrets.token_hex(8)),
            ("HSETNX", STOCK, "key", secrets.token_bytes(32)),
            ("HMGET", STOCK, "id", "key"),
        )
        return StockIdentity(name.decode(), key)

    async def is_kept(self, owner: str, hold: str) -> bool:
        """See the port. Of an owner who was merged it is looked for where the owner went, too."""
        for _ in range(LONGEST_WAY):
            key = key_of(owner)
            there, reserved, into = await self._link.ask(
                ("EXISTS", f"{key}:hold:{hold}"), ("ZSCORE", f"{key}:reserved", hold), ("HGET", key, "mi")
            )
            if there or reserved is not None:
                return True
            if not into:
                break
            owner = into.decode()
        return False

    async def add(self, size: int) -> int:
        """See the port. An answer that was lost may leave it wrong, until the next measurement."""
        (total,) = await self._link.ask(("HINCRBY", STOCK, "bytes", size))
        return int(total)

    async def measured(self, size: int) -> None:
        """See the port. What came since the measuring began is not counted: off by little, and not for long."""
        await self._link.ask(("HSET", STOCK, "bytes", size))

    async def sweeps(self) -> int:
        """See the port."""
        (number,) = await self._link.ask(("HGET", STOCK, "sweeps"))
        return int(number or 0)

    async def count_sweep(self, number: int) -> None:
        """See the port."""
        if number > await self.sweeps():
            await self._link.ask(("HSET", STOCK, "sweeps", number))

    async def turn(self, milliseconds: int) -> bool:
        """See the port."""
        (taken,) = await self._link.ask(("SET", _TURN, 1, "NX", "PX", milliseconds))
        return taken is not None
