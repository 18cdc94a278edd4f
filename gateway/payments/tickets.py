"""What is given along with an offer to a program, and comes back with its payment.

A ticket says whose result is to be paid for, sealed like a payment's reference, so that who brings it need not sign in
again. It never becomes public, as what was signed does once it is settled: whoever brings both is who was made the
offer.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from gateway.payments.reference import References


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a ticket says."""

    owner: str
    """`Subject.key`"""
    hold: str


class Tickets:
    """Makes tickets under one key, and reads those of former keys, too."""

    def __init__(self, key: bytes, *former: bytes) -> None:
        self._references = References(key, *former)

    def make(self, owner: str, hold: str) -> str:
        """The one ticket of a held result."""
        return self._references.make(owner, hold)

    def blank(self) -> str:
        """One for a result that is still to be made: nobody else has the same."""
        return secrets.token_urlsafe(18)

    def read(self, ticket: str) -> Ticket | None:
        """What it says; None for a blank one, and for one that is not ours."""
        found = self._references.read(ticket)
        return Ticket(*found) if found is not None else None
