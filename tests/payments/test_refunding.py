"""Giving money back as an operator does: never more than is left, and whatever it was that came."""

from __future__ import annotations

import pytest

from gateway.core.money import Money
from gateway.core.subject import Subject
from gateway.payments.checkout import Cashier
from gateway.payments.refunding import GiveBackOutcome, Refunder
from gateway.payments.till import Till
from gateway.ports.cashbook import Refund, Settlement
from gateway.ports.payment import PaymentReport
from gateway.store.connection import Store
from tests.payments.test_cashier import KEYRING, SINGLE, Recorder, begin, make_cashier, make_till, wall_clock

PAYMENT = "sandbox-1-300"


class Office:
    """An operator, and what somebody has paid."""

    def __init__(self, store: Store, subject: Subject) -> None:
        self.store, self.subject = store, subject
        self.till: Till = make_till(store, Recorder(), wall_clock, KEYRING)
        self.cashier: Cashier = make_cashier(store, Recorder(), wall_clock)
        self.refunder = Refunder(self.till, self.cashier.providers)

    async def pay(self, checkout: str = "", amount: Money = SINGLE.price) -> str:
        checkout = checkout or (await begin(self.cashier, self.subject)).checkout
        reference = self.cashier.reference(self.subject, checkout)
        settlement = Settlement("event", PAYMENT, "", amount, "")
        return await self.cashier.desk("sandbox").settle(PaymentReport(reference, settlement))

    async def give_back(self, amount: Money | None = None, operation: str = "one") -> tuple[GiveBackOutcome, int]:
        given = await self.refunder.give_back(self.subject, PAYMENT, amount, operation)
        return given.outcome, given.amount.minor if given.amount else 0


@pytest.fixture
def office(store: Store, subject: Subject) -> Office:
    return Office(store, subject)


async def test_parts_and_then_what_is_left(office: Office) -> None:
    await office.pay()
    for minor in (0, -1, 301):
        assert await office.give_back(Money(minor, "USD")) == (GiveBackOutcome.TOO_MUCH, 300)
    assert await office.give_back(Money(100, "EUR")) == (GiveBackOutcome.TOO_MUCH, 300)
    for _ in range(2):
        assert await office.give_back(Money(100, "USD")) == (GiveBackOutcome.GIVEN_BACK, 100)
    assert (await office.store.subjects.visit(office.subject)).credits == 1
    assert await office.give_back(operation="two") == (GiveBackOutcome.GIVEN_BACK, 200)
    assert (await office.store.subjects.visit(office.subject)).credits == 0
    assert await office.give_back(operation="three") == (GiveBackOutcome.TOO_MUCH, 0)


async def test_what_a_bank_took_in_its_own_currency_is_not_given_back_again(office: Office) -> None:
    await office.pay()
    taken = Refund("dispute", PAYMENT, "sandbox", Money(250, "EUR"), is_whole=True, is_chargeback=True)
    await office.store.payments.refund(office.subject.key, taken)
    assert await office.give_back() == (GiveBackOutcome.TOO_MUCH, 0)


async def test_what_another_provider_gave_back_under_the_same_name_is_another_payment(office: Office) -> None:
    await office.pay()
    other = Refund("r", PAYMENT, "other", SINGLE.price, is_whole=True)
    await office.store.payments.refund(office.subject.key, other)
    assert await office.give_back() == (GiveBackOutcome.GIVEN_BACK, 300)


async def test_money_for_a_checkout_that_nobody_knows_can_go_back(office: Office) -> None:
    await begin(office.cashier, office.subject)
    assert await office.pay(checkout="long-gone") == "unknown-checkout"
    assert await office.give_back() == (GiveBackOutcome.GIVEN_BACK, 300)
    assert await office.give_back(operation="two") == (GiveBackOutcome.TOO_MUCH, 0)
