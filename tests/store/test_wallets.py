"""Money in a wallet: what is taken out of it can come back once, wherever its owner has gone meanwhile."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from gateway.core.money import Money
from gateway.core.subject import Subject
from gateway.ports.cashbook import CheckoutRecord, CheckoutStatus, RefundOutcome, Settlement
from gateway.store.connection import Store
from tests.store.conftest import new_subject
from tests.store.test_holds import keep
from tests.store.test_refunds import FIVE, T0, back, verified

HELD = CheckoutRecord("held", "offer-h", "route", Money(300, "USD"), "wallet", hold="h1")


async def pay_from_wallet(store: Store, subject: Subject, record: CheckoutRecord, name: str = "w1") -> Settlement:
    settled = (await store.subjects.visit(subject)).settled
    await store.payments.open_checkout(subject, record, settled, now=T0)
    out = Settlement(name, name, record.id, record.price, "wallet", from_wallet=True)
    await store.payments.settle(subject, out, T0)
    return out


async def left(store: Store, subject: Subject) -> int:
    return (await store.payments.balance(subject, "USD")).minor


class TestNothingTaken:
    async def test_what_needs_no_payment_any_more_takes_nothing_and_so_brings_nothing_back(
        self, store: Store, subject: Subject
    ) -> None:
        await keep(store, subject, "h1")
        await store.payments.credit(subject, "op", Money(1000, "USD"), "", T0)
        twin = replace(HELD, id="twin", offer="offer-t")
        for record in (HELD, twin):
            await store.payments.open_checkout(subject, record, 0, now=T0)
        first = Settlement("w1", "w1", HELD.id, HELD.price, "wallet", from_wallet=True)
        second = replace(first, event="w2", payment="w2", checkout=twin.id)
        assert await store.payments.settle(subject, first, T0) == "settled"
        for _ in range(2):
            assert await store.payments.settle(subject, second, T0) == "needless"
        assert [entry["kind"] for entry in await store.payments.ledger(subject)] == ["credit", "payment"]
        await store.payments.refund(subject.key, back(second), T0)
        assert await left(store, subject) == 700
        assert await verified(store) == []

    async def test_what_went_back_before_it_was_paid_takes_nothing(self, store: Store, subject: Subject) -> None:
        await store.payments.credit(subject, "op", Money(1000, "USD"), "", T0)
        await store.payments.open_checkout(subject, FIVE, 0, now=T0)
        out = Settlement("w1", "w1", FIVE.id, FIVE.price, "wallet", from_wallet=True)
        assert await store.payments.refund(subject.key, back(out), T0) == "early"
        assert await store.payments.settle(subject, out, T0) == "refunded"
        await store.payments.refund(subject.key, back(out, refund="r2"), T0)
        assert await left(store, subject) == 1000
        assert await verified(store) == []


class TestNoMoreThanWasTaken:
    async def test_two_who_give_it_back_at_once_give_it_back_once(self, store: Store, subject: Subject) -> None:
        await store.payments.credit(subject, "op", Money(1000, "USD"), "", T0)
        out = await pay_from_wallet(store, subject, FIVE)
        gifts = [store.payments.refund(subject.key, back(out, refund=f"r{number}"), T0) for number in range(4)]
        outcomes = await asyncio.gather(*gifts)
        assert sorted(outcomes) == [RefundOutcome.REVOKED, *[RefundOutcome.TOO_MUCH] * 3]
        assert await left(store, subject) == 1000
        assert await verified(store) == []

    async def test_parts_add_up_to_the_whole_at_most(self, store: Store, subject: Subject) -> None:
        await store.payments.credit(subject, "op", Money(1000, "USD"), "", T0)
        out = await pay_from_wallet(store, subject, FIVE)
        part = replace(back(out), amount=Money(400, "USD"), is_whole=False)
        outcomes = [await store.payments.refund(subject.key, replace(part, refund=name), T0) for name in "abcaa"]
        assert outcomes == ["noted", "noted", "too-much", "replayed", "replayed"]
        assert await left(store, subject) == 800
        rest = replace(part, refund="d", amount=Money(200, "USD"), is_whole=True)
        assert await store.payments.refund(subject.key, rest, T0) == "revoked"
        assert await left(store, subject) == 1000
        assert await verified(store) == []

    @pytest.mark.parametrize("amount", [Money(1000, "EUR"), Money(-1, "USD"), Money(1001, "USD")])
    async def test_another_currency_and_impossible_sums_move_nothing(
        self, store: Store, subject: Subject, amount: Money
    ) -> None:
        await store.payments.credit(subject, "op", Money(1000, "USD"), "", T0)
        out = await pay_from_wallet(store, subject, FIVE)
        assert await store.payments.refund(subject.key, replace(back(out), amount=amount), T0) == "too-much"
        assert (await store.payments.balance(subject, amount.currency)).minor == 0
        assert await verified(store) == []


class TestMerged:
    @pytest.mark.parametrize("is_whole", [True, False])
    async def test_what_goes_back_follows_its_owner(self, store: Store, subject: Subject, is_whole: bool) -> None:
        visitor = new_subject()
        await store.payments.credit(visitor, "op", Money(1000, "USD"), "", T0)
        out = await pay_from_wallet(store, visitor, FIVE)
        await store.operations.merge(visitor, subject, now=T0)
        refund = replace(back(out), amount=Money(1000 if is_whole else 400, "USD"), is_whole=is_whole)
        for _ in range(2):
            await store.payments.refund(visitor.key, refund, T0)
        assert await left(store, subject) == refund.amount.minor
        assert await verified(store) == []

    async def test_a_balance_is_that_of_whom_it_belongs_to_now(self, store: Store, subject: Subject) -> None:
        visitor = new_subject()
        await store.payments.credit(visitor, "op", Money(700, "USD"), "", T0)
        await store.operations.merge(visitor, subject, now=T0)
        assert await left(store, visitor) == await left(store, subject) == 700

    async def test_money_that_is_put_into_an_old_name_arrives(self, store: Store, subject: Subject) -> None:
        visitor = new_subject()
        await store.payments.credit(visitor, "op", Money(700, "USD"), "", T0)
        await store.operations.merge(visitor, subject, now=T0)
        for _ in range(2):
            told = await store.payments.credit(visitor, "later", Money(300, "USD"), "", T0)
        assert (await left(store, subject), told) == (1000, Money(1000, "USD"))
        assert await verified(store) == []

    async def test_what_the_provider_calls_a_checkout_follows_it(self, store: Store, subject: Subject) -> None:
        visitor = new_subject()
        await store.payments.open_checkout(visitor, FIVE, 0, now=T0)
        await store.operations.merge(visitor, subject, now=T0)
        await store.payments.note_session(visitor, FIVE.id, "sent")
        found = await store.payments.checkout(subject, FIVE.id)
        assert found is not None and found.session == "sent"

    async def test_an_unknown_checkout_keeps_its_owner_from_paying_again(self, store: Store, subject: Subject) -> None:
        visitor = new_subject()
        await store.payments.open_checkout(visitor, FIVE, 0, now=T0)
        await store.payments.close_checkout(visitor, FIVE.id, CheckoutStatus.UNKNOWN)
        await store.operations.merge(visitor, subject, now=T0)
        assert (await store.subjects.visit(subject)).unknown_checkout == FIVE.id


class TestUnknown:
    async def test_of_two_unknown_ones_the_other_is_named_when_one_is_known(
        self, store: Store, subject: Subject
    ) -> None:
        records = [replace(FIVE, id=name) for name in ("first", "second", "third")]
        for record in records:
            await store.payments.open_checkout(subject, record, 0, now=T0)
            await store.payments.close_checkout(subject, record.id, CheckoutStatus.UNKNOWN)
        left_over = {record.id for record in records}
        for status in (CheckoutStatus.FAILED, CheckoutStatus.OPEN):
            named = (await store.subjects.visit(subject)).unknown_checkout
            assert named in left_over
            left_over.remove(named)
            await store.payments.close_checkout(subject, named, status)
        (last,) = left_over
        assert (await store.subjects.visit(subject)).unknown_checkout == last
        await store.payments.settle(subject, Settlement("e", "p", last, FIVE.price, "stripe"), T0)
        assert (await store.subjects.visit(subject)).unknown_checkout == ""
