"""Give results back to the purses they were taken from, for as long as that takes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from gateway.core.event import GraceGivenBack
from gateway.core.keyring import Keyring
from gateway.core.quantity import Allowance
from gateway.ports.events import Events
from gateway.ports.journal import Journal, Withdrawal
from gateway.ports.state import (
    GiveBackOutcome,
    GraceAsked,
    StoreUnavailable,
    Subjects,
)

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 1.0
"""Seconds between two attempts of whoever's turn it is while the store is away; doubled each time."""


class Returns:
    """Writes down what is taken and sees that it comes back where nothing comes of it."""

    def __init__(
        self, subjects: Subjects, journal: Journal, events: Events, keyring: Keyring, now: Callable[[], int]
    ) -> None:
        self._subjects, self._journal = subjects, journal
        self._events, self._keyring, self._now = events, keyring, now
        # Of those whom the store has failed, one at a time finds out whether it is back.
        self._turn = asyncio.Lock()
        self._pause = 0.0

    def note(self, withdrawal: Withdrawal) -> int:
        """It is about to be taken; where that stands, for `cross_out`."""
        return self._journal.note(withdrawal)

    def cross_out(self, place: int) -> None:
        """It was delivered, or never taken."""
        self._journal.cross_out(place)

    async def give_back(self, withdrawal: Withdrawal, why: str) -> None:
        """Return when it is back, and on record, or was never taken. Cancelled, it may be begun again."""
        if await self._is_back(withdrawal, why):
            return
        while True:
            async with self._turn:  # in the order of their coming; whoever fails goes behind all the others
                await asyncio.sleep(self._pause)
                if await self._is_back(withdrawal, why):
                    self._pause = 0.0
                    return
                self._pause = min(max(2 * self._pause, FIRST_PAUSE), LONGEST_PAUSE)

    async def _is_back(self, withdrawal: Withdrawal, why: str) -> bool:
        # Its allowance is the route's and does not matter here.
        grace = GraceAsked(withdrawal.scope, Allowance(0, 0))
        try:
            outcome = await self._subjects.give_back(withdrawal.subject, withdrawal.purse, withdrawal.operation, grace)
        except StoreUnavailable:
            return False
        if outcome is GiveBackOutcome.GIVEN_BACK:
            self._record(withdrawal, why)
        return True

    def _record(self, withdrawal: Withdrawal, why: str) -> None:
        self._events.record(
            GraceGivenBack(
                at=self._now(),
                subject=self._keyring.pseudonym(withdrawal.subject),
                route=withdrawal.route,
                purse=withdrawal.purse,
                why=why,
            )
        )
