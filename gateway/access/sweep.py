"""Remove from a storage what no hold needs any more, and never what one may still need.

A result goes only when all of this holds:

- its name begins with the id that the store gives itself: an empty store, or another one, has another id, and finds
  nothing here that is its own;
- the day that stands in its name has come: five days after the hold would have expired unpaid, so nothing that is being
  written, and nothing that a store lost lately which was put back from a backup;
- the store, asked for this one hold, says that it has it no more: one that is paid for and was not taken it has for
  ever;
- the store remembers as many sweeps as the storage: one that was put back from an old backup remembers fewer, and may
  have forgotten holds that somebody has paid for.

Stopped at any moment it has done no harm; the next sweep does the rest.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass

from gateway.access.parcel import read_name
from gateway.core.quantity import DAY
from gateway.ports.storage import Stock, Storage

_COUNT = "sweeps"
_IS_COUNT = re.compile(rb"[0-9]{1,15}")
_FRESH_MS = DAY
_PAUSE_SECONDS = 0.01
"""Between removals, so that whoever waits for a result waits no longer."""


class NotSwept(Exception):
    """It can't be told that the store has forgotten nothing: nothing was removed."""

    mend = ""
    """What an operator does about it, besides trusting the store."""


class StoreIsOlder(NotSwept):
    """The store remembers less than it did."""

    mend = "put a newer backup back, or, if there is none,"

    def __init__(self, remembered: int, counted: int) -> None:
        super().__init__(
            f"nothing is swept: the store remembers {remembered} sweeps of this storage, and there were {counted}: it "
            "was put back from a backup, and may have forgotten results that are paid for"
        )


class CountUnreadable(NotSwept):
    """Somebody else has written where the storage counts."""

    mend = "if the store was not put back from a backup,"

    def __init__(self, name: str, found: bytes) -> None:
        super().__init__(
            f"nothing is swept: {name} in the storage should say how often it was swept, and says {found[:40]!r}"
        )


@dataclass(frozen=True, slots=True)
class Swept:
    """What there is, so far, and what became of it."""

    looked_at: int = 0
    bytes_looked_at: int = 0
    removed: int = 0
    bytes_removed: int = 0

    @property
    def bytes_left(self) -> int:
        """Bytes that are still there."""
        return self.bytes_looked_at - self.bytes_removed


class Sweeper:
    """Sweeps one storage for one store."""

    def __init__(self, storage: Storage, stock: Stock, now: Callable[[], int]) -> None:
        self._storage, self._stock, self._now = storage, stock, now

    async def sweep(
        self,
        *,
        remove: bool = True,
        trust_store: bool = False,
        tell: Callable[[Swept], None] = lambda swept: None,
    ) -> Swept:
        """Sweep once; without `remove` only look. `tell` hears how far it is after each result.

        Raises `NotSwept`, unless the store is to be trusted all the same, and `StoreUnavailable`: then what was removed
        until then was rightly removed.
        """
        identity, count = await self._stock.identity(), await self._count(trust_store)
        if remove:
            await self._stock.count_sweep(count)
        swept = Swept()
        async for stored in self._storage.walk(identity.id):
            parcel, gone = read_name(identity, stored.name), False
            if parcel is None:
                continue
            if parcel.may_go(self._now()) and stored.changed < self._now() - _FRESH_MS:
                gone = not await self._stock.is_kept(parcel.owner, parcel.hold)
            if gone and remove:
                await self._storage.remove(stored.name)
                await asyncio.sleep(_PAUSE_SECONDS)
            swept = Swept(
                swept.looked_at + 1,
                swept.bytes_looked_at + stored.size,
                swept.removed + gone,
                swept.bytes_removed + gone * stored.size,
            )
            tell(swept)
        if remove:
            await self._storage.write(f"{identity.id}/{_COUNT}", 0, str(count).encode())
            await self._stock.measured(swept.bytes_left)
        return swept

    async def _count(self, trust_store: bool) -> int:
        """Which sweep this is."""
        identity, remembered = await self._stock.identity(), await self._stock.sweeps()
        name = f"{identity.id}/{_COUNT}"
        found = await self._storage.read(name, 0) or b"0"
        if not _IS_COUNT.fullmatch(found) and not trust_store:
            raise CountUnreadable(name, found)
        counted = int(found) if _IS_COUNT.fullmatch(found) else 0
        if remembered < counted and not trust_store:
            raise StoreIsOlder(remembered, counted)
        return max(remembered, counted) + 1


async def probe(storage: Storage, name: str) -> None:
    """Write, read and remove a few bytes under this name. Raises `StorageUnavailable`, `ValueError` where other bytes
    come back."""
    content = b"a probe of the paywall gateway"
    await storage.write(name, 0, content)
    try:
        if await storage.read(name, 0) != content:
            raise ValueError("other bytes come back than were written")
    finally:
        await storage.remove(name)
