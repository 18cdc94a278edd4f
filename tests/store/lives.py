"""Subjects in every state that the store can hold, brought there by the verbs themselves, the same each time."""

from __future__ import annotations

from dataclasses import replace

from gateway.core.decision import Purse
from gateway.core.money import Money
from gateway.core.quantity import DAY, HOUR, Allowance
from gateway.core.subject import Subject
from gateway.ports.cashbook import CheckoutRecord, Settlement
from gateway.ports.state import GraceAsked, HoldRecord, TrialBegin
from gateway.store.connection import Store

NOW = 1_800_000_000_000
LATER = NOW + 20 * DAY
GRACE = GraceAsked("exports", Allowance(2, 30 * DAY))
FOR_EVER = GraceAsked("reports", Allowance(2, 0))
LIMITS = (5, 10_000)
MONTH = CheckoutRecord("month", "offer", "month", Money(1900, "USD"), "sandbox", route="exports", period_ms=30 * DAY)
PACK = replace(MONTH, id="pack", plan="pack", price=Money(1000, "USD"), results=5, period_ms=0)
ONE = replace(MONTH, id="one", plan="route-exports", price=Money(450, "USD"), hold="h", period_ms=0)


def who(name: str) -> Subject:
    """One of those below."""
    return Subject.parse(f"person:{name}@example.org")


async def live(store: Store) -> None:
    """All of them."""
    await _in_trial(store, who("trial"))
    for name, life in _LIVES.items():
        await _in_trial(store, who(name))
        await life(store, who(name))


def report(subject: Subject, record: CheckoutRecord, minor: int | None = None) -> Settlement:
    """What the provider says of its payment."""
    amount = record.price if minor is None else Money(minor, record.price.currency)
    return Settlement(f"e-{subject.id}-{record.id}", f"p-{subject.id}-{record.id}", record.id, amount, "sandbox")


async def _in_trial(store: Store, subject: Subject) -> None:
    await store.subjects.visit(subject, TrialBegin(14 * DAY), GRACE, NOW)


async def _with_grace(store: Store, subject: Subject) -> None:
    for purse in (GRACE, FOR_EVER):
        for operation in ("o1", "o2"):
            await store.subjects.take(subject, Purse.GRACE, f"{operation}-{purse.scope}", purse, LATER)
    await store.subjects.give_back(subject, Purse.GRACE, "o2-exports", GRACE, LATER)


async def _declined(store: Store, subject: Subject) -> None:
    await store.subjects.decline(subject, "too-expensive", "more than I earn", LATER)


async def _holding(store: Store, subject: Subject) -> None:
    record = HoldRecord(
        id="h",
        route="exports",
        created=LATER,
        expires=LATER + 7 * DAY,
        size=200,
        chunks=2,
        status=200,
        media_type="text/csv",
        filename="report.csv",
        teaser=b'{"rows":120}',
        fingerprint="of the request",
        sealed_head=b"\x00\xff sealed",
    )
    await store.holds.begin(subject, "h", *LIMITS, LATER)
    for number in range(2):
        await store.holds.append(subject, "h", number, bytes([number]) * 100)
    await store.holds.commit(subject, record, LIMITS[1], LATER)


async def _reserving(store: Store, subject: Subject) -> None:
    await store.holds.begin(subject, "begun", *LIMITS, LATER)
    await store.holds.append(subject, "begun", 0, b"first")


async def _opened(store: Store, subject: Subject) -> None:
    await store.payments.open_checkout(subject, MONTH, 0, LATER)


async def _mismatched(store: Store, subject: Subject) -> None:
    await _opened(store, subject)
    await store.payments.settle(subject, report(subject, MONTH, 1), LATER)


async def _entitled(store: Store, subject: Subject) -> None:
    await _opened(store, subject)
    await store.payments.settle(subject, report(subject, MONTH), LATER)


async def _paid_for_a_hold(store: Store, subject: Subject) -> None:
    await _holding(store, subject)
    await store.payments.open_checkout(subject, ONE, 0, LATER)
    await store.payments.settle(subject, report(subject, ONE), LATER)


async def _took_it(store: Store, subject: Subject) -> None:
    await _paid_for_a_hold(store, subject)
    await store.holds.release(subject, "h", now=LATER + HOUR)


async def _paid_in_vain(store: Store, subject: Subject) -> None:
    await store.payments.open_checkout(subject, ONE, 0, LATER)
    await store.payments.settle(subject, report(subject, ONE), LATER)


async def _with_credits(store: Store, subject: Subject) -> None:
    await store.payments.open_checkout(subject, PACK, 0, LATER)
    await store.payments.settle(subject, report(subject, PACK), LATER)
    for operation in ("o1", "o2"):
        await store.subjects.take(subject, Purse.CREDIT, operation, now=LATER)
    await store.subjects.give_back(subject, Purse.CREDIT, "o2", now=LATER)


async def _favoured(store: Store, subject: Subject) -> None:
    await store.operations.extend(subject, "ticket-1", 7 * DAY, LATER)
    await store.operations.grant(subject, "ticket-2", period_ms=30 * DAY, now=LATER)
    await store.operations.grant(subject, "ticket-3", results=2, now=LATER)


async def _erased(store: Store, subject: Subject) -> None:
    await _entitled(store, subject)
    await _holding(store, subject)
    await store.operations.erase(subject, now=LATER)


async def _merged(store: Store, subject: Subject) -> None:
    visitor = Subject.parse(f"visitor:of {subject.id}")
    await _in_trial(store, visitor)
    await _with_grace(store, visitor)
    await _with_credits(store, visitor)
    await _holding(store, visitor)
    await store.operations.merge(visitor, subject, LATER)


_LIVES = {
    "grace": _with_grace,
    "declined": _declined,
    "holding": _holding,
    "reserving": _reserving,
    "opened": _opened,
    "mismatched": _mismatched,
    "entitled": _entitled,
    "paid-for-a-hold": _paid_for_a_hold,
    "took-it": _took_it,
    "paid-in-vain": _paid_in_vain,
    "with-credits": _with_credits,
    "favoured": _favoured,
    "erased": _erased,
    "merged": _merged,
}
NAMES = ("trial", *_LIVES)
