"""Paying out of the wallet on the real store: never more than is in it, however much is pressed at once."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import pytest

from gateway.core.money import Money
from gateway.core.subject import Subject
from gateway.payments.checkout import Cashier
from gateway.ports.payment import PaymentProvider, ProviderRequest
from gateway.store.connection import Store
from gateway_pay_wallet import plugin
from tests.payments.test_cashier import Recorder, begin, make_cashier, wall_clock
from tests.plugins.host import FakeHost
from tests.plugins.pay.pages import FORM


@pytest.fixture
def cashier(store: Store) -> Cashier:
    wallet: PaymentProvider = plugin.create(plugin.settings(), FakeHost())
    return make_cashier(store, Recorder(), wall_clock, wallet=wallet)


async def press(cashier: Cashier, address: str) -> int:
    """Press the button of a page; the status of the answer."""
    request = ProviderRequest("POST", "pay", urlsplit(address).query, FORM, b"choice=pay")
    return (await cashier.providers["wallet"].answer(request, cashier.desk("wallet"))).status


async def left(store: Store, subject: Subject) -> int:
    return (await store.payments.balance(subject, "USD")).minor


async def test_of_two_that_the_wallet_can_pay_one_of_one_is_paid(
    store: Store, cashier: Cashier, subject: Subject
) -> None:
    """19.00 for the month, 3.00 for the single result, and 20.00 to pay them with."""
    await store.payments.credit(subject, "gift", Money(2_000, "USD"), "a test")
    pages = [(await begin(cashier, subject, plan, "wallet")).address for plan in ("month", "single")]
    statuses = await asyncio.gather(*(press(cashier, page) for page in pages * 8))
    paid = [entry for entry in await store.payments.ledger(subject) if entry["kind"] == "payment"]
    assert len(paid) == 1 and set(statuses) == {303, 409}
    assert await left(store, subject) == 2_000 - int(str(paid[0]["amount"]))


async def test_pressed_many_times_it_is_taken_once(store: Store, cashier: Cashier, subject: Subject) -> None:
    await store.payments.credit(subject, "gift", Money(5_700, "USD"), "a test")
    page = (await begin(cashier, subject, "month", "wallet")).address
    assert set(await asyncio.gather(*(press(cashier, page) for _ in range(12)))) == {303}
    assert await left(store, subject) == 3_800


async def test_too_little_is_refused_until_there_is_enough(store: Store, cashier: Cashier, subject: Subject) -> None:
    page = (await begin(cashier, subject, "single", "wallet")).address
    assert await press(cashier, page) == 409
    await store.payments.credit(subject, "first", Money(299, "USD"), "a test")
    assert await press(cashier, page) == 409
    assert not (await store.subjects.visit(subject)).credits
    await store.payments.credit(subject, "second", Money(1, "USD"), "a test")
    assert await press(cashier, page) == 303
    assert (await left(store, subject), (await store.subjects.visit(subject)).credits) == (0, 1)


async def test_money_of_another_currency_pays_nothing(store: Store, cashier: Cashier, subject: Subject) -> None:
    await store.payments.credit(subject, "gift", Money(100_000, "EUR"), "a test")
    page = (await begin(cashier, subject, "single", "wallet")).address
    assert await press(cashier, page) == 409
    assert (await store.payments.balance(subject, "EUR")).minor == 100_000
