"""One result taken from a purse, to be given back unless it was delivered."""

from __future__ import annotations

import itertools
import os
import secrets

from gateway.core.decision import Purse
from gateway.core.rule import Rule
from gateway.core.subject import Subject
from gateway.ports.journal import Withdrawal
from gateway.ports.state import (
    GraceAsked,
    NotAsked,
    TakeOutcome,
    Taking,
)
from gateway.web.runtime import Runtime


class _Operations:
    """Names for operations, none of which any process ever gives twice. Random in whole they cost ten times as much."""

    def __init__(self) -> None:
        self._begin_anew()
        os.register_at_fork(after_in_child=self._begin_anew)  # else both would go on with the same names

    def _begin_anew(self) -> None:
        self._process = secrets.token_urlsafe(6)
        self._numbers = itertools.count(1)

    def name(self) -> str:
        return f"{self._process}{next(self._numbers):x}"


_operations = _Operations()


class Ticket:
    """Holds the operation under which a result was taken.

    It exists before the taking, and is written down (`Journal`): a caller that was cancelled in the midst of it, or a
    process that was killed, does not know whether it took one, and giving back what was not taken is harmless. So every
    ticket must be closed or given back.
    """

    __slots__ = ("_closed", "_place", "_runtime", "_withdrawal", "grace", "is_paid_by_number", "operation")

    def __init__(self, runtime: Runtime, subject: Subject, rule: Rule, purse: Purse, grace: GraceAsked) -> None:
        self._runtime = runtime
        self.grace = grace
        self.operation = _operations.name()
        self.is_paid_by_number = rule.price is None
        self._withdrawal = Withdrawal(subject, purse, self.operation, grace.scope, rule.name)
        self._place = runtime.returns.note(self._withdrawal)
        self._closed = False

    @classmethod
    def for_grace(cls, runtime: Runtime, subject: Subject, rule: Rule) -> Ticket:
        """For a grace result of this route, which is taken with the visit that reads the state."""
        return cls(runtime, subject, rule, Purse.GRACE, grace_of(rule))

    @property
    def taking(self) -> Taking:
        """What the visit is told. Routes with a price of their own are not paid for by number."""
        return Taking(self.operation, credits=self.is_paid_by_number)

    async def take(self) -> bool:
        """Take it; False when there is none, and nothing to give back. Raises `StoreUnavailable`."""
        asked = self._withdrawal
        try:
            taken = await self._runtime.subjects.take(asked.subject, asked.purse, self.operation, self.grace)
        except NotAsked:
            self.close()
            raise
        if taken.outcome is TakeOutcome.EXHAUSTED:
            self.close()
        return taken.outcome is not TakeOutcome.EXHAUSTED

    def close(self) -> None:
        """The result was delivered, or none was taken: there is nothing to give back."""
        if not self._closed:
            self._closed = True
            self._runtime.returns.cross_out(self._place)

    def give_back_unless_closed(self, why: str) -> None:
        """Give it back in the background, for as long as it takes."""
        if not self._closed:
            self._closed = True
            self._runtime.background.run(self._give_back(why))

    async def _give_back(self, why: str) -> None:
        await self._runtime.returns.give_back(self._withdrawal, why)
        self._runtime.returns.cross_out(self._place)


def grace_of(rule: Rule) -> GraceAsked:
    """The purse of grace results that a route takes from."""
    return GraceAsked(rule.grace_scope, rule.grace)
