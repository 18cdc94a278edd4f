"""What must stand in the books after a trial, read through the store's ports alone."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from gateway.core.event import CheckoutOpened, PaymentSettled
from gateway.core.quantity import DAY
from gateway.core.subject import Subject, SubjectKind
from gateway.payments.audit import audit
from gateway.ports.books import Book
from gateway.store.connection import Store, open_store
from gateway.store.events.stream import read_events

from .journey import PLANS, Journey

_AT_ONCE = 25
_KINDS = {"payment", "spend", "return"}
MONTH_MS = 30 * DAY
EVENTS = (CheckoutOpened.name, PaymentSettled.name)
"""Of which each person's way leaves one."""
TAKES = {"take": "credits", "grace": "grace", "hold": "grace"}
"""The steps within whose kill a delivery may be in its last instant, and of which purse: those that take a result, and
the one after it, whose kill may come before the delivery is crossed out."""


@dataclass
class Findings:
    """What is wrong after a trial; empty lists when nothing is."""

    lost: list[str] = field(default_factory=list)
    double: list[str] = field(default_factory=list)
    untrue: list[str] = field(default_factory=list)
    """Told, and not so."""

    def __bool__(self) -> bool:
        return bool(self.lost or self.double or self.untrue)

    def count(self, what: str, found: int, due: int) -> None:
        """Compare a number with what is due."""
        if found < due:
            self.lost.append(f"{what}: {found}, {due} are due")
        if found > due:
            self.double.append(f"{what}: {found}, {due} are due")


class Books:
    """The books of one store."""

    def __init__(self, url: str) -> None:
        self._url = url

    def expire(self, people: list[str]) -> None:
        """End the trials of these people."""

        async def work(store: Store) -> None:
            for begin in range(0, len(people), _AT_ONCE):
                some = people[begin : begin + _AT_ONCE]
                await asyncio.gather(*(store.operations.expire(_subject(person)) for person in some))

        self._with(work)

    def export(self, person: str) -> dict[str, Any]:
        """Everything that is known of somebody."""
        return dict(self._with(lambda store: store.operations.export(_subject(person))))

    def events(self) -> Counter[tuple[str, str]]:
        """How often each event of a checkout stands in the stream, by its name and the checkout."""

        async def work(store: Store) -> Counter[tuple[str, str]]:
            found = [event async for event in read_events(store.link) if event.name in EVENTS]
            return Counter((event.name, event.body["checkout"]) for event in found)

        counted: Counter[tuple[str, str]] = self._with(work)
        return counted

    def audit(self, journey: Journey) -> Findings:
        """What is wrong with the books of this person, who has gone the whole way."""
        findings = Findings(untrue=list(journey.broken))
        exported = self._settled(journey)
        payments = [entry for entry in exported["ledger"] if entry["kind"] == "payment"]
        findings.count("payments in the ledger", len(payments), 1)
        others = [entry["kind"] for entry in exported["ledger"] if entry["kind"] not in _KINDS]
        findings.count(f"entries of other kinds in the ledger {others}", len(others), 0)
        entitled, credits, settled = (exported[name] for name in ("entitled_until", "credits", "settled"))
        findings.untrue += audit(Book("", entitled, credits, settled, tuple(exported["ledger"])))
        for entry in payments[:1]:
            assert entry["checkout"] == journey.checkout
            period = exported["entitled_until"] - entry["at"] if exported["entitled_until"] else 0
            findings.count("milliseconds of access", period, MONTH_MS if journey.plan == "month" else 0)
        if PLANS[journey.plan]:
            # One went to the result that was kept back.
            bought = PLANS[journey.plan] - 1
            self._count(findings, journey, "credits", bought - exported["credits"])
        self._count(findings, journey, "grace", _used(exported))
        return findings

    def _count(self, findings: Findings, journey: Journey, purse: str, spent: int) -> None:
        """What is spent is what was delivered. Killed in its last instant, a delivery may have come back as well."""
        delivered = journey.delivered[purse]
        if spent > delivered:
            findings.lost.append(f"{purse}: {spent} are spent, {delivered} were delivered")
        if spent < delivered - (TAKES.get(journey.killed_in) == purse):
            findings.double.append(f"{purse}: {spent} are spent, {delivered} were delivered")

    def _settled(self, journey: Journey) -> dict[str, Any]:
        """The books once everything has come back that is to come back, or the time for it is over. It comes back with
        the next start; while the store is away, attempts are half a second apart and more."""
        deadline = time.monotonic() + journey.patience
        bought = PLANS[journey.plan] - 1
        while True:
            exported = self.export(journey.person)
            missing = _used(exported) > journey.delivered["grace"]
            if PLANS[journey.plan]:
                missing = missing or exported["credits"] < bought - journey.delivered["credits"]
            if not missing or time.monotonic() > deadline:
                return exported
            time.sleep(0.05)

    def _with(self, work: Any) -> Any:
        async def open_and_work() -> Any:
            store = open_store(self._url)
            try:
                return await work(store)
            finally:
                await store.link.close()

        return asyncio.run(open_and_work())


def _used(exported: dict[str, Any]) -> int:
    return sum(len(purse) for purse in exported["grace"].values())


def _subject(person: str) -> Subject:
    return Subject(SubjectKind.PERSON, person)
