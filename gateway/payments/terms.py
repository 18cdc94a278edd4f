"""What programs pay, in what, and to whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.core.money import Money
from gateway.protocols.x402 import Requirements

PROVIDER = "x402"
"""What the ledger calls this way to pay."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of one config."""

    scheme: str
    network: str
    asset: str
    pay_to: str
    symbol: str
    """What the ledger calls the token."""
    name: str
    version: str
    """Of the domain that its authorizations are signed under (EIP-712)."""
    valid_seconds: int
    prices: Mapping[str, int]
    """What one result of a route costs, in atomic units."""
    lease_ms: int
    """How long verifying, making a result and opening a checkout may take together."""
    settle_lease_ms: int
    """How long settling may."""
    by_scheme: bool = False
    """Whether held results are offered by the HTTP authentication scheme "Payment", too."""

    def requirements(self, route: str, ticket: str) -> Requirements | None:
        """What is asked for one result of this route; None where it is not sold so."""
        price = self.prices.get(route)
        if price is None:
            return None
        extra = {"name": self.name, "version": self.version}
        return Requirements(
            self.scheme, self.network, price, self.asset, self.pay_to, self.valid_seconds, extra, ticket
        )

    def money(self, atomic: int) -> Money:
        """An amount as the ledger has it."""
        return Money(atomic, self.symbol)
