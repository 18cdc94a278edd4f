"""Who moves money for programs: what the gateway asks of them, and how it is told that there is no answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from gateway.ports.plugin import Provider


class ClearingUnavailable(Exception):
    """There is no answer, or none that can be read. What was asked for may have happened. `str()` says why."""


class NotAsked(ClearingUnavailable):
    """There was nobody to ask: nothing has happened."""


class Facilitator(Provider, Protocol):
    """Verifies and settles x402 payments. Takes and gives the objects of the specification, section 7, unread."""

    async def verify(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """`POST /verify`. Raises `ClearingUnavailable`."""
        ...

    async def settle(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """`POST /settle`. Raises `ClearingUnavailable`."""
        ...

    async def supported(self) -> dict[str, Any]:
        """`GET /supported`. Raises `ClearingUnavailable`."""
        ...


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice of the Lightning network."""

    payment_hash: bytes
    """32 bytes; whoever pays learns what hashes to it."""
    request: str
    """What a wallet is given (BOLT 11)."""


class Invoices(Provider, Protocol):
    """Makes invoices."""

    async def create(self, amount: int, memo: str, seconds: int) -> Invoice:
        """An invoice of so many satoshi, which can be paid for so long. Raises `ClearingUnavailable`."""
        ...
