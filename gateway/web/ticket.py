"""One result taken from a purse, to be given back unless it was delivered."""

from __future__ import annotations

import asyncio
import secrets

from gateway.core.decision import Purse
from gateway.core.event import GraceGivenBack
from gateway.core.rule import Rule
from gateway.core.subject import Subject
from gateway.ports.state import GiveBackOutcome, GraceAsked, StoreUnavailable
from gateway.web.exchange import Exchange
from gateway.web.runtime import Runtime

ATTEMPTS = 8


class Ticket:
    """Holds the operation under which a result was taken.

    It exists before the taking: a caller that was cancelled in the midst of it does not know whether it took one, and
    giving back what was not taken is harmless.
    """

    def __init__(self, runtime: Runtime, subject: Subject, rule: Rule, purse: Purse, grace: GraceAsked) -> None:
        self._runtime, self._subject, self._rule = runtime, subject, rule
        self._purse, self._grace = purse, grace
        self.operation = secrets.token_urlsafe(12)
        self._closed = False

    def close(self) -> None:
        """The result was delivered, or none was taken: there is nothing to give back."""
        self._closed = True

    def give_back_unless_closed(self, exchange: Exchange) -> None:
        """Give it back in the background, for as long as it takes (about two minutes at most)."""
        if not self._closed:
            self._closed = True
            self._runtime.background.run(self._give_back(exchange.subject, exchange.detail or str(exchange.status)))

    async def _give_back(self, pseudonym: str, why: str) -> None:
        for attempt in range(ATTEMPTS):
            try:
                outcome = await self._runtime.subjects.give_back(
                    self._subject, self._purse, self.operation, self._grace
                )
            except StoreUnavailable:
                if attempt == ATTEMPTS - 1:
                    raise
                await asyncio.sleep(0.5 * 2**attempt)
                continue
            if outcome is GiveBackOutcome.GIVEN_BACK:
                self._runtime.events.record(
                    GraceGivenBack(
                        at=self._runtime.now(), subject=pseudonym, route=self._rule.name, purse=self._purse, why=why
                    )
                )
            return


def grace_of(rule: Rule) -> GraceAsked:
    """The purse of grace results that a route takes from."""
    return GraceAsked(rule.grace_scope, rule.grace)
