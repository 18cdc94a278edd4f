"""Where the chunks of large held results go: a directory, an object store, whatever a plugin has to offer.

The chunks are encrypted before they come here, and nothing here says whose they are. Which hold they belong to and
whether it may be given out is the store's business alone; a storage keeps bytes under names.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from gateway.ports.plugin import Provider
from gateway.ports.state import StoreUnavailable

NAME = re.compile(r"[A-Za-z0-9_-]{1,100}(/[A-Za-z0-9_-]{1,100}){0,3}")
"""What names look like: nothing in them leads anywhere else, on any file system and in any URL."""


class StorageUnavailable(StoreUnavailable):
    """The storage did not do it, or did not say so in time. `str()` says which storage and why."""


def checked(name: str) -> str:
    """The name, if it is one. Raises `ValueError`."""
    if NAME.fullmatch(name) is None:
        raise ValueError(f"{name!r} can't name anything in a storage")
    return name


@dataclass(frozen=True, slots=True)
class Stored:
    """What is there under one name."""

    name: str
    sizes: Mapping[int, int]
    """The bytes of each chunk, by its number."""
    changed: int
    """When the newest chunk was written, by the storage's own clock."""

    @property
    def size(self) -> int:
        """Bytes of all chunks."""
        return sum(self.sizes.values())


class Storage(Provider, Protocol):
    """Keeps numbered chunks under names (`NAME`). All raise `StorageUnavailable`. Each call may be repeated."""

    async def write(self, name: str, number: int, chunk: bytes) -> None:
        """Keep a chunk, in the place of one of the same number. It is whole and durable when this returns; before, or
        when it fails, it is not there at all."""
        ...

    async def read(self, name: str, number: int) -> bytes | None:
        """The chunk, or None where there is none."""
        ...

    async def remove(self, name: str) -> None:
        """Remove every chunk of this name, if there are any."""
        ...

    def walk(self, under: str) -> AsyncIterator[Stored]:
        """Everything of this name, or whose name begins with it and a slash; what was written or removed meanwhile may
        be missing or there."""
        ...


@dataclass(frozen=True, slots=True)
class StockIdentity:
    """What the store calls itself in a storage. Both are made once and live and die with the store's data."""

    id: str
    """16 characters that no other store has: all it keeps there begins with them."""
    key: bytes
    """32 bytes, which hide in the names whose results they are."""


class Stock(Protocol):
    """What the store knows of a storage. All raise `StoreUnavailable`."""

    async def identity(self) -> StockIdentity:
        """Who the store is; made at the first call."""
        ...

    async def is_kept(self, owner: str, hold: str) -> bool:
        """Whether the store has this hold of this `Subject.key`, or room reserved for it."""
        ...

    async def add(self, size: int) -> int:
        """Count bytes that came, or went where it is negative; how many there are now, as far as is known."""
        ...

    async def measured(self, size: int) -> None:
        """How many bytes there really are."""
        ...

    async def sweeps(self) -> int:
        """How often the storage was swept, as the store remembers it."""
        ...

    async def count_sweep(self, number: int) -> None:
        """Remember it. Never goes down."""
        ...

    async def turn(self, milliseconds: int) -> bool:
        """Whether it is the caller's turn to sweep: once in this time, whoever asks first."""
        ...
