"""Chunks of large held results, in a storage outside of the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.access.parcel import name_of
from gateway.core.subject import Subject
from gateway.ports.storage import Stock, StockIdentity, Storage, StorageUnavailable


@dataclass(frozen=True, slots=True)
class Outside:
    """The storage of one config."""

    name: str
    """What the config calls it: `directory`, `s3`."""
    storage: Storage
    stock: Stock
    large: int
    """Bytes of one result that go into the store, before the rest goes here."""
    max_stored: int = 0
    """Bytes of all results here; 0 for as many as come."""

    async def place(self, subject: Subject, hold: str, expires: int) -> str:
        """Where a new result goes, for `HoldRecord.outside_at`."""
        identity: StockIdentity = await self.stock.identity()
        return f"{self.name}/{name_of(identity, subject.key, hold, expires)}"

    async def write(self, place: str, number: int, chunk: bytes) -> bool:
        """Keep one chunk; False where there is no room for it."""
        name = self._name(place)
        total = await self.stock.add(len(chunk))
        if self.max_stored and total > self.max_stored:
            await self.stock.add(-len(chunk))
            return False
        try:
            await self.storage.write(name, number, chunk)
        except StorageUnavailable:
            await self.stock.add(-len(chunk))
            raise
        return True

    async def read(self, place: str, number: int) -> bytes | None:
        """One chunk, or None where it is missing."""
        return await self.storage.read(self._name(place), number)

    async def sizes(self, place: str) -> Mapping[int, int]:
        """The bytes of each chunk that is there."""
        async for stored in self.storage.walk(self._name(place)):
            return stored.sizes
        return {}

    async def remove(self, place: str, size: int) -> None:
        """Remove a result of so many bytes that nobody will ask for."""
        await self.storage.remove(self._name(place))
        await self.stock.add(-size)

    def _name(self, place: str) -> str:
        storage, _, name = place.partition("/")
        if storage != self.name:
            raise StorageUnavailable(
                f"it is kept in the storage {storage!r}, and `holds.storage` of the config names {self.name!r}: "
                f"move what was there, or name it again"
            )
        return name
