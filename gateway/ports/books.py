"""What the store says of money: each subject's balances, and the ledger that they must follow from."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Book:
    """One subject's balances and ledger, of one instant."""

    subject: str
    """As an operator knows it; its key where the store does not know its name."""
    entitled_until: int
    credits: int
    settled: int
    """How many payments it counts."""
    entries: tuple[dict[str, Any], ...]
    """Oldest first. Amounts are integers of minor units."""
    subscribed_until: int = 0
    """Until when results are open by subscriptions."""
    wallets: dict[str, int] = field(default_factory=dict)
    """What is in the wallet by currency, in minor units."""
    faults: tuple[str, ...] = ()
    """What of its indexes does not lead to the entry that it should."""


class Books(Protocol):
    """Reads everybody's book."""

    def read(self) -> AsyncIterator[list[Book]]:
        """All that the store has, some at a time, in no order. What changes meanwhile may be missed, or come twice.
        Raises `StoreUnavailable`."""
        ...
