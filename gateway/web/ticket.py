"""One result taken from a purse, to be given back unless it was delivered."""

from __future__ import annotations

import asyncio
import itertools
import os
import secrets

from gateway.core.decision import Purse
from gateway.core.event import GraceGivenBack
from gateway.core.rule import Rule
from gateway.core.subject import Subject
from gateway.ports.state import GiveBackOutcome, GraceAsked, StoreUnavailable, TakeOutcome, Taking
from gateway.web.runtime import Runtime

ATTEMPTS = 8


class _Operations:
    """Names for operations, none of which any process ever gives twice. Random in whole they cost ten times as much."""

    def __init__(self) -> None:
        self._begin_anew()
        os.register_at_fork(after_in_child=self._begin_anew)  # else both would go on with the same names

    def _begin_anew(self) -> None:
        self._process = secrets.token_urlsafe(9)
        self._numbers = itertools.count(1)

    def name(self) -> str:
        return f"{self._process}{next(self._numbers):x}"


_operations = _Operations()


class Ticket:
    """Holds the operation under which a result was taken.

    It exists before the taking: a caller that was cancelled in the midst of it does not know whether it took one, and
    giving back what was not taken is harmless.
    """

    def __init__(self, runtime: Runtime, subject: Subject, rule: Rule, purse: Purse, grace: GraceAsked) -> None:
        self._runtime, self._subject, self._rule = runtime, subject, rule
        self._purse, self.grace = purse, grace
        self.operation = _operations.name()
        self._closed = False

    @classmethod
    def for_grace(cls, runtime: Runtime, subject: Subject, rule: Rule) -> Ticket:
        """For a grace result of this route, which is taken with the visit that reads the state."""
        return cls(runtime, subject, rule, Purse.GRACE, grace_of(rule))

    @property
    def taking(self) -> Taking:
        """What the visit is told. Routes with a price of their own are not paid for by number."""
        return Taking(self.operation, credits=self._rule.price is None)

    async def take(self) -> bool:
        """Take it; False when there is none, and nothing to give back. Raises `StoreUnavailable`."""
        taken = await self._runtime.subjects.take(self._subject, self._purse, self.operation, self.grace)
        if taken.outcome is TakeOutcome.EXHAUSTED:
            self.close()
        return taken.outcome is not TakeOutcome.EXHAUSTED

    def close(self) -> None:
        """The result was delivered, or none was taken: there is nothing to give back."""
        self._closed = True

    def give_back_unless_closed(self, pseudonym: str, why: str) -> None:
        """Give it back in the background, for as long as it takes (about two minutes at most). The log names the
        subject by `pseudonym`."""
        if not self._closed:
            self._closed = True
            self._runtime.background.run(self._give_back(pseudonym, why))

    async def _give_back(self, pseudonym: str, why: str) -> None:
        for attempt in range(ATTEMPTS):
            try:
                outcome = await self._runtime.subjects.give_back(self._subject, self._purse, self.operation, self.grace)
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
