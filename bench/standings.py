"""Subjects in every standing, brought there by the product's own verbs, many at a time over one connection."""

from __future__ import annotations

import asyncio
import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from typing import Any

from gateway.core.decision import Purse
from gateway.core.money import Money
from gateway.core.quantity import DAY, Allowance
from gateway.core.subject import Subject
from gateway.ports.cashbook import CheckoutRecord, Settlement
from gateway.ports.state import (
    GraceAsked,
    HoldRecord,
    StoreUnavailable,
    TrialBegin,
)
from gateway.store.durability import Durability
from gateway.store.holds import StoredHolds
from gateway.store.merges import Merges
from gateway.store.near import NearMemory
from gateway.store.payments import StoredPayments
from gateway.store.subjects import StoredSubjects
from gateway.store.transport.line import Argument, Command
from gateway.store.transport.link import Link
from gateway.store.transport.script import Script

GRACE = GraceAsked("exports", Allowance(2, 30 * DAY))
PRICE = Money(1900, "USD")
HOLD_BYTES = 200
STANDINGS = {
    "in trial": "in_trial",
    "expired, 2 grace taken": "expired",
    "declined": "declined",
    "entitled, 1 payment": "entitled",
    "expired, 1 small hold": "holding",
}
"""Which method of `Standings` brings a subject there."""

_LIMITS = (5, 64 * 1024 * 1024)
_PATIENCE = 60
"""How often, a second apart, a busy machine is asked again."""


class CountingLink(Link):
    """Counts how often the server was waited for, as long as nothing is asked at the same time."""

    trips = 0

    async def call(self, script: Script, keys: Sequence[str], args: Sequence[Argument]) -> Any:
        """See `Link`."""
        self.trips += 1
        return await super().call(script, keys, args)

    async def ask(self, *commands: Command, key: str | None = None) -> list[Any]:
        """See `Link`."""
        self.trips += 1
        return await super().ask(*commands, key=key)


class Straight(Durability):
    """Waits for no disk and shares the one connection: what is in memory afterwards is the same."""

    def __init__(self, link: Link) -> None:
        super().__init__(link)
        self._straight = link

    async def call(self, script: Script, keys: Sequence[str], args: Sequence[Argument]) -> Any:
        """See `Durability`."""
        return await self._straight.call(script, keys, args)


class Standings:
    """Brings subjects into their standing. `now` is when all of them are looked at."""

    def __init__(self, link: Link, now: int) -> None:
        self._now, self._began = now, now - 20 * DAY
        self._subjects = StoredSubjects(link, NearMemory())
        self._holds = StoredHolds(link)
        straight = Straight(link)
        self._payments = StoredPayments(link, straight, Merges(link, straight, self._holds))

    async def fill(self, name: str, numbers: range) -> None:
        """The subjects of these numbers, at the same time; once more where a busy machine was late with an answer."""
        bring = getattr(self, STANDINGS[name])
        for attempt in range(_PATIENCE):
            said = await asyncio.gather(*(bring(number) for number in numbers), return_exceptions=True)
            late = [each for each in said if isinstance(each, BaseException)]
            if not late:
                return
            if attempt == _PATIENCE - 1 or not all(isinstance(each, StoreUnavailable) for each in late):
                raise late[0]
            await asyncio.sleep(1)

    async def read(self, number: int) -> None:
        """What the page `me` reads of one subject."""
        subject = subject_of(number)
        state = await self._subjects.visit(subject, None, GRACE)
        if state.holds:
            await self._holds.all(subject)

    async def in_trial(self, number: int) -> None:
        """Came once."""
        await self._subjects.visit(subject_of(number), TrialBegin(14 * DAY), GRACE, self._now)

    async def _trial_is_over(self, number: int) -> Subject:
        subject = subject_of(number)
        await self._subjects.visit(subject, TrialBegin(14 * DAY), GRACE, self._began)
        return subject

    async def expired(self, number: int) -> None:
        """Was there again after the trial, for all that grace gives."""
        subject = await self._trial_is_over(number)
        for place in range(2):
            operation = f"{_id(f'process {number % 8}', 8)}{number * 2 + place:x}"
            await self._subjects.take(subject, Purse.GRACE, operation, GRACE, self._now)

    async def declined(self, number: int) -> None:
        """Said no after the trial."""
        await self._subjects.decline(await self._trial_is_over(number), "too-expensive", now=self._now)

    async def entitled(self, number: int) -> None:
        """Paid once, for a period."""
        subject, checkout, offer = await self._trial_is_over(number), _id(f"c{number}", 20), _id(f"o{number}", 20)
        record = CheckoutRecord(checkout, offer, "month", PRICE, "sandbox", route="exports", period_ms=30 * DAY)
        await self._payments.open_checkout(subject, record, 0, self._now)
        event, payment = f"evt_{_id(f'e{number}', 24)}", f"pay_{_id(f'p{number}', 24)}"
        await self._payments.settle(subject, Settlement(event, payment, checkout, PRICE, "sandbox"), self._now)

    async def holding(self, number: int) -> None:
        """Has a result waiting."""
        subject, hold = await self._trial_is_over(number), _id(f"h{number}", 32)
        await self._holds.begin(subject, hold, *_LIMITS, self._now)
        await self._holds.append(subject, hold, 0, b"x" * HOLD_BYTES)
        record = HoldRecord(
            id=hold,
            route="exports",
            created=self._now,
            expires=self._now + 7 * DAY,
            size=HOLD_BYTES,
            chunks=1,
            status=200,
            media_type="text/csv",
            filename="report.csv",
            teaser=b'{"rows":120}',
            fingerprint=_id(f"f{number}", 22),
            sealed_head=b"x" * 120,
        )
        await self._holds.commit(subject, record, _LIMITS[1], self._now)


def subject_of(number: int) -> Subject:
    """A person whose id has the length of an address."""
    return Subject.parse(f"person:user-{number:08}@example.org")


def _id(seed: str, length: int) -> str:
    """As random as an id is, the same on every run."""
    return urlsafe_b64encode(hashlib.blake2b(seed.encode()).digest()).decode()[:length]
