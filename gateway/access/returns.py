"""Give results back to the purses they were taken from, for as long as that takes."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable

from gateway.core.event import GraceGivenBack
from gateway.core.keyring import Keyring
from gateway.core.quantity import Allowance
from gateway.ports.events import Events
from gateway.ports.journal import Journal, Withdrawal
from gateway.ports.state import GiveBackOutcome, GraceAsked, StoreUnavailable, Subjects

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds between two attempts while the store is away; doubled each time."""


class Returns:
    """Writes down what is taken and sees that it comes back where nothing comes of it."""

    def __init__(
        self, subjects: Subjects, journal: Journal, events: Events, keyring: Keyring, now: Callable[[], int]
    ) -> None:
        self._subjects, self._journal = subjects, journal
        self._events, self._keyring, self._now = events, keyring, now

    def note(self, withdrawal: Withdrawal) -> int:
        """It is about to be taken; where that stands, for `cross_out`."""
        return self._journal.note(withdrawal)

    def cross_out(self, place: int) -> None:
        """It was delivered, or never taken."""
        self._journal.cross_out(place)

    async def give_back(self, withdrawal: Withdrawal, why: str) -> None:
        """Return when it is back, and on record, or was never taken. Cancelled, it may be begun again."""
        # Its allowance is the route's and does not matter here.
        grace = GraceAsked(withdrawal.scope, Allowance(0, 0))
        for attempt in itertools.count():
            try:
                outcome = await self._subjects.give_back(
                    withdrawal.subject, withdrawal.purse, withdrawal.operation, grace
                )
            except StoreUnavailable:
                await asyncio.sleep(min(FIRST_PAUSE * 2 ** min(attempt, 10), LONGEST_PAUSE))
                continue
            if outcome is GiveBackOutcome.GIVEN_BACK:
                self._record(withdrawal, why)
            return

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
