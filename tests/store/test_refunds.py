"""Money that went back: what it takes away, and what it never does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.core.decision import Purse
from gateway.core.money import Money
from gateway.core.quantity import DAY
from gateway.core.rule import PeriodUnit, Renewal
from gateway.core.subject import Subject
from gateway.payments.audit import audit
from gateway.ports.cashbook import (
    CheckoutRecord,
    CheckoutStatus,
    Refund,
    Settlement,
    SubscriptionChange,
    SubscriptionStatus,
)
from gateway.ports.state import ReleaseOutcome
from gateway.store.connection import Store
from tests.store.conftest import new_subject
from tests.store.test_holds import keep

T0 = 1_800_000_000_000
MONTH = CheckoutRecord("month", "offer-m", "month", Money(1900, "USD"), "stripe", period_ms=30 * DAY)
FIVE = CheckoutRecord("five", "offer-f", "five", Money(1000, "USD"), "stripe", results=5)
CLUB = replace(MONTH, id="club", offer="offer-c", plan="club", renews=Renewal(PeriodUnit.MONTH, 1, 3 * DAY))


async def pay(
    store: Store, subject: Subject, record: CheckoutRecord, now: int = T0, name: str = "", **more: Any
) -> Settlement:
    await store.payments.open_checkout(subject, record, (await store.subjects.visit(subject)).settled, now=now)
    name = name or record.id
    settlement = Settlement(f"e-{name}", f"p-{name}", record.id, record.price, "stripe", **more)
    await store.payments.settle(subject, settlement, now)
    return settlement


def back(paid: Settlement, share: int = 1, refund: str = "r1") -> Refund:
    amount = Money(paid.amount.minor // share, paid.amount.currency)
    return Refund(refund, paid.payment, paid.provider, amount, is_whole=share == 1)


async def verified(store: Store) -> list[str]:
    """What the books say is wrong."""
    return [fault async for books in store.books.read() for book in books for fault in audit(book)]


async def test_the_whole_of_a_period_takes_it_back_and_leaves_what_else_there_is(
    store: Store, subject: Subject
) -> None:
    await store.operations.grant(subject, "gift", period_ms=10 * DAY, now=T0)
    paid = await pay(store, subject, MONTH)
    assert (await store.subjects.visit(subject, now=T0)).entitled_until == T0 + 40 * DAY
    outcomes = [await store.payments.refund(subject.key, back(paid), T0 + DAY) for _ in range(2)]
    assert outcomes == ["revoked", "replayed"]
    assert (await store.subjects.visit(subject, now=T0)).entitled_until == T0 + 10 * DAY
    assert await verified(store) == []


async def test_a_period_that_was_used_costs_no_later_payment_its_own(store: Store, subject: Subject) -> None:
    old = await pay(store, subject, MONTH)
    june = replace(MONTH, id="june", offer="offer-j")
    await pay(store, subject, june, T0 + 150 * DAY)
    assert await store.payments.refund(subject.key, back(old), T0 + 151 * DAY) == "revoked"
    assert (await store.subjects.visit(subject, now=T0)).entitled_until == T0 + 180 * DAY
    assert await verified(store) == []


async def test_the_used_part_of_a_period_stays_used(store: Store, subject: Subject) -> None:
    first = await pay(store, subject, MONTH)
    second = await pay(store, subject, replace(MONTH, id="next", offer="offer-n"), T0 + 19 * DAY)
    await store.payments.refund(subject.key, back(first), T0 + 25 * DAY)
    assert (await store.subjects.visit(subject, now=T0)).entitled_until == T0 + 55 * DAY
    await store.payments.refund(subject.key, back(second), T0 + 40 * DAY)
    assert (await store.subjects.visit(subject, now=T0)).entitled_until == T0 + 40 * DAY
    assert await verified(store) == []


async def test_a_period_that_was_used_after_a_merge_costs_no_later_payment_its_own(
    store: Store, subject: Subject
) -> None:
    visitor = new_subject()
    old = await pay(store, visitor, MONTH)
    await store.operations.merge(visitor, subject, now=T0)
    await pay(store, subject, replace(MONTH, id="june", offer="offer-j"), T0 + 150 * DAY)
    assert await store.payments.refund(visitor.key, back(old), T0 + 151 * DAY) == "revoked"
    assert (await store.subjects.visit(subject, now=T0)).entitled_until == T0 + 180 * DAY
    assert await verified(store) == []


async def test_after_an_erasure_there_is_nothing_to_take_back(store: Store, subject: Subject) -> None:
    paid = await pay(store, subject, MONTH)
    await store.operations.erase(subject, now=T0 + DAY)
    assert await store.payments.refund(subject.key, back(paid), T0 + 2 * DAY) == "revoked"
    assert (await store.operations.export(subject))["entitled_until"] == 0
    assert await verified(store) == []


async def test_a_part_takes_nothing(store: Store, subject: Subject) -> None:
    paid = await pay(store, subject, FIVE)
    assert await store.payments.refund(subject.key, back(paid, share=3), T0) == "noted"
    assert (await store.subjects.visit(subject, now=T0)).credits == 5
    assert await store.payments.refund(subject.key, back(paid, refund="r2"), T0) == "revoked"
    assert (await store.subjects.visit(subject, now=T0)).credits == 0
    assert await verified(store) == []


async def test_what_was_used_stays_used_and_nothing_goes_below_nothing(store: Store, subject: Subject) -> None:
    paid = await pay(store, subject, FIVE)
    for operation in "abc":
        await store.subjects.take(subject, Purse.CREDIT, operation, now=T0)
    assert await store.payments.refund(subject.key, back(paid), T0) == "revoked"
    assert (await store.subjects.visit(subject, now=T0)).credits == 0
    *_, entry = await store.payments.ledger(subject)
    assert (entry["kind"], entry["results"]) == ("refund", 2)
    assert await verified(store) == []


async def test_a_held_result_that_was_not_taken_waits_for_payment_again(store: Store, subject: Subject) -> None:
    await keep(store, subject, "h1")
    paid = await pay(store, subject, replace(FIVE, hold="h1", results=1), now=0)
    await store.payments.refund(subject.key, back(paid))
    hold = await store.holds.get(subject, "h1")
    assert hold is not None and not hold.paid
    assert hold.expires - hold.created == pytest.approx(7 * DAY, abs=DAY)
    assert await store.holds.release(subject, "h1") is ReleaseOutcome.UNPAID
    assert await verified(store) == []


async def test_one_that_was_taken_stays_theirs(store: Store, subject: Subject) -> None:
    await keep(store, subject, "h1")
    paid = await pay(store, subject, replace(FIVE, hold="h1", results=1), now=0)
    for _ in range(2):
        assert await store.holds.release(subject, "h1") is ReleaseOutcome.RELEASED
        await store.payments.refund(subject.key, back(paid))


async def test_before_the_payment_is_known_it_gives_nothing_and_another_can_be_made(
    store: Store, subject: Subject
) -> None:
    await store.payments.open_checkout(subject, MONTH, 0, now=T0)
    paid = Settlement("e", "p", MONTH.id, MONTH.price, "stripe")
    assert await store.payments.refund(subject.key, back(paid), T0) == "early"
    assert [await store.payments.settle(subject, paid, T0) for _ in range(2)] == ["refunded", "replayed"]
    state = await store.subjects.visit(subject, now=T0)
    assert (state.entitled_until, state.settled) == (0, 1)
    found = await store.payments.checkout(subject, MONTH.id)
    assert found is not None and found.status is CheckoutStatus.REFUNDED
    assert await verified(store) == []


async def test_of_a_subscription_the_other_months_stay(store: Store, subject: Subject) -> None:
    paid = [
        await pay(store, subject, CLUB, name=f"i{n}", subscription="sub", paid_until=T0 + n * 31 * DAY)
        for n in (1, 2, 3)
    ]
    await store.payments.refund(subject.key, back(paid[1]), T0)
    assert (await store.subjects.visit(subject, now=T0)).entitled_until == T0 + (93 + 3) * DAY
    await store.payments.refund(subject.key, back(paid[2], refund="r2"), T0)
    assert (await store.subjects.visit(subject, now=T0)).entitled_until == T0 + (31 + 3) * DAY
    assert await verified(store) == []


async def test_a_subscription_is_open_a_little_longer_than_it_is_paid_for_until_it_is_cancelled(
    store: Store, subject: Subject
) -> None:
    await pay(store, subject, CLUB, subscription="sub", paid_until=T0 + 31 * DAY)

    async def report(status: SubscriptionStatus, at: int) -> tuple[str, int]:
        change = SubscriptionChange("sub", "stripe", status, at, CLUB.id)
        outcome = await store.payments.renew(subject.key, change, T0)
        return outcome, ((await store.subjects.visit(subject, now=T0)).entitled_until - T0) // DAY

    assert await report(SubscriptionStatus.ACTIVE, T0) == ("changed", 34)
    assert await report(SubscriptionStatus.PAST_DUE, T0 + 2) == ("changed", 34)
    assert await report(SubscriptionStatus.ACTIVE, T0 + 1) == ("replayed", 34)
    assert await report(SubscriptionStatus.CANCELLED, T0 + 3) == ("changed", 31)
    assert await report(SubscriptionStatus.ACTIVE, T0 + 4) == ("changed", 34)
    assert await report(SubscriptionStatus.ENDED, T0 + 5) == ("changed", 31)
    assert await report(SubscriptionStatus.ACTIVE, T0 + 6) == ("replayed", 31)
    (kept,) = await store.payments.subscriptions(subject)
    assert (kept.status, kept.plan, kept.paid_until) == (SubscriptionStatus.ENDED, "club", T0 + 31 * DAY)
    assert await verified(store) == []


async def test_a_subscription_opens_held_results(store: Store, subject: Subject) -> None:
    await keep(store, subject, "h1")
    assert await store.holds.release(subject, "h1") is ReleaseOutcome.UNPAID
    await pay(store, subject, CLUB, subscription="sub", paid_until=T0 + 31 * DAY)
    assert await store.holds.release(subject, "h1") is ReleaseOutcome.RELEASED


@pytest.mark.parametrize("record", [FIVE, MONTH, CLUB], ids=lambda record: record.id)
async def test_what_went_on_with_a_merge_comes_back_from_there(
    store: Store, subject: Subject, record: CheckoutRecord
) -> None:
    visitor = new_subject()
    more: dict[str, Any] = {"subscription": "sub", "paid_until": T0 + 31 * DAY} if record is CLUB else {}
    paid = await pay(store, visitor, record, **more)
    await store.operations.merge(visitor, subject, now=T0)
    before = await store.subjects.visit(subject, now=T0)
    assert before.credits or before.entitled_until
    outcomes = [await store.payments.refund(visitor.key, back(paid), T0) for _ in range(3)]
    assert outcomes == ["revoked", "replayed", "replayed"]
    state = await store.subjects.visit(subject, now=T0)
    assert (state.credits, max(state.entitled_until - T0, 0)) == (0, 0)
    assert await verified(store) == []


async def test_no_more_comes_back_from_a_merge_than_went_there(store: Store, subject: Subject) -> None:
    visitor = new_subject()
    paid = await pay(store, visitor, MONTH)
    await store.operations.grant(subject, "own", period_ms=50 * DAY, now=T0)
    await store.operations.merge(visitor, subject, now=T0 + 20 * DAY)
    assert (await store.subjects.visit(subject, now=T0)).entitled_until == T0 + 60 * DAY
    assert await store.payments.refund(visitor.key, back(paid), T0 + 21 * DAY) == "revoked"
    assert (await store.subjects.visit(subject, now=T0)).entitled_until == T0 + 50 * DAY
    assert await verified(store) == []


async def test_a_subscription_goes_with_a_merge_and_its_invoices_follow(store: Store, subject: Subject) -> None:
    visitor = new_subject()
    await pay(store, visitor, CLUB, name="i1", subscription="sub", paid_until=T0 + 31 * DAY)
    await store.operations.merge(visitor, subject, now=T0)
    later = Settlement("e2", "p2", CLUB.id, CLUB.price, "stripe", subscription="sub", paid_until=T0 + 62 * DAY)
    await store.payments.settle(visitor, later, T0)
    assert (await store.subjects.visit(subject, now=T0)).entitled_until == T0 + (62 + 3) * DAY
    ended = SubscriptionChange("sub", "stripe", SubscriptionStatus.ENDED, T0 + 1, CLUB.id)
    assert await store.payments.renew(visitor.key, ended, T0) == "changed"
    assert (await store.subjects.visit(subject, now=T0)).entitled_until == T0 + 62 * DAY
    assert (await store.subjects.visit(visitor, now=T0)).entitled_until == 0
    assert await verified(store) == []


async def test_what_has_ended_stays_so_when_two_halves_of_it_meet(store: Store, subject: Subject) -> None:
    visitor = new_subject()
    for who, status, at in ((subject, SubscriptionStatus.ENDED, T0), (visitor, SubscriptionStatus.ACTIVE, T0 + 9)):
        await pay(store, who, CLUB, name=f"i-{who.id}", subscription="sub", paid_until=T0 + 31 * DAY)
        await store.payments.renew(who.key, SubscriptionChange("sub", "stripe", status, at, CLUB.id), T0)
    await store.operations.merge(visitor, subject, now=T0)
    (kept,) = await store.payments.subscriptions(subject)
    assert (kept.status, kept.open_until) == (SubscriptionStatus.ENDED, T0 + 31 * DAY)
    assert await verified(store) == []


class TestWallet:
    async def test_is_credited_once_and_pays_what_it_has(self, store: Store, subject: Subject) -> None:
        await store.payments.open_checkout(subject, FIVE, 0, now=T0)
        out = Settlement("w1", "w1", FIVE.id, FIVE.price, "wallet", from_wallet=True)
        assert await store.payments.settle(subject, out, T0) == "insufficient"
        for _ in range(2):
            await store.payments.credit(subject, "op", Money(1500, "USD"), "sorry", T0)
        assert await store.payments.settle(subject, replace(out, event="w2"), T0) == "settled"
        assert await store.payments.balance(subject, "USD") == Money(500, "USD")
        assert (await store.subjects.visit(subject, now=T0)).credits == 5
        assert await verified(store) == []

    async def test_pays_nothing_for_nothing(self, store: Store, subject: Subject) -> None:
        alone = replace(FIVE, id="dear", offer="offer-d", hold="gone", results=0)
        await store.payments.credit(subject, "op", Money(1500, "USD"), "", T0)
        await store.payments.open_checkout(subject, alone, 0, now=T0)
        out = Settlement("w1", "w1", "dear", alone.price, "wallet", from_wallet=True)
        assert [await store.payments.settle(subject, out, T0) for _ in range(2)] == ["needless", "needless"]
        assert await store.payments.balance(subject, "USD") == Money(1500, "USD")
        assert [entry["kind"] for entry in await store.payments.ledger(subject)] == ["credit"]
        assert await verified(store) == []

    async def test_gets_back_what_it_paid(self, store: Store, subject: Subject) -> None:
        await store.payments.credit(subject, "op", Money(1000, "USD"), "", T0)
        await store.payments.open_checkout(subject, FIVE, 0, now=T0)
        out = Settlement("w1", "w1", FIVE.id, FIVE.price, "wallet", from_wallet=True)
        await store.payments.settle(subject, out, T0)
        assert await store.payments.refund(subject.key, back(out), T0) == "revoked"
        assert await store.payments.balance(subject, "USD") == Money(1000, "USD")
        assert (await store.subjects.visit(subject, now=T0)).credits == 0
        assert await verified(store) == []

    async def test_goes_with_a_merge_and_ends_with_an_erasure(self, store: Store, subject: Subject) -> None:
        visitor = new_subject()
        await store.payments.credit(visitor, "op", Money(700, "USD"), "", T0)
        await store.payments.credit(subject, "op", Money(200, "USD"), "", T0)
        await store.operations.merge(visitor, subject, now=T0)
        assert await store.payments.balance(subject, "USD") == Money(900, "USD")
        assert (await store.operations.export(visitor))["wallet"] == {}
        await store.operations.erase(subject, now=T0)
        assert await store.payments.balance(subject, "USD") == Money(0, "USD")
        assert await verified(store) == []


class TestClosing:
    async def test_a_failed_one_can_still_be_paid(self, store: Store, subject: Subject) -> None:
        await store.payments.open_checkout(subject, FIVE, 0, now=T0)
        closed = await store.payments.close_checkout(subject, FIVE.id, CheckoutStatus.FAILED)
        assert closed is CheckoutStatus.FAILED
        paid = Settlement("e", "p", FIVE.id, FIVE.price, "stripe")
        assert await store.payments.settle(subject, paid, T0) == "settled"
        assert await store.payments.close_checkout(subject, FIVE.id, CheckoutStatus.FAILED) is CheckoutStatus.PAID
        assert await store.payments.close_checkout(subject, "other", CheckoutStatus.FAILED) is None

    async def test_an_unknown_one_is_named_until_it_is_known(self, store: Store, subject: Subject) -> None:
        await store.payments.open_checkout(subject, FIVE, 0, now=T0)
        await store.payments.close_checkout(subject, FIVE.id, CheckoutStatus.UNKNOWN)
        assert (await store.subjects.visit(subject, now=T0)).unknown_checkout == FIVE.id
        await store.payments.settle(subject, Settlement("e", "p", FIVE.id, FIVE.price, "stripe"), T0)
        assert (await store.subjects.visit(subject, now=T0)).unknown_checkout == ""

    async def test_what_the_provider_calls_it_is_kept(self, store: Store, subject: Subject) -> None:
        await store.payments.open_checkout(subject, CLUB, 0, now=T0)
        await store.payments.note_session(subject, CLUB.id, "cs_1")
        assert await store.payments.checkout(subject, CLUB.id) == replace(CLUB, session="cs_1", created=T0)
        await store.payments.note_session(subject, "other", "cs_2")
        assert await store.payments.checkout(subject, "other") is None


class TestPending:
    async def test_who_takes_what_is_due_has_it_alone_for_a_while(self, store: Store) -> None:
        await store.link.ask(("DEL", "{pw:pending}"))
        for number in range(5):
            await store.pending.watch(f"ref{number}", T0 + number)
        assert await store.pending.take_due(1000, 3, now=T0 + 10) == ["ref0", "ref1", "ref2"]
        assert await store.pending.take_due(1000, 3, now=T0 + 10) == ["ref3", "ref4"]
        assert await store.pending.take_due(1000, 9, now=T0 + 10) == []
        await store.pending.forget("ref1")
        assert await store.pending.take_due(1000, 9, now=T0 + 1010) == ["ref0", "ref2", "ref3", "ref4"]
        assert await store.pending.count() == 4
