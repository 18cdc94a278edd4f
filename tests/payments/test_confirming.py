"""A person says what has come by bank transfer: the number leads to one checkout, and it is paid once."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.core.money import Money
from gateway.core.subject import Subject
from gateway.payments.checkout import Cashier
from gateway.payments.confirming import Confirmer, NotConfirmed
from gateway.payments.till import Till
from gateway.ports.cashbook import CheckoutStatus, SettleOutcome
from gateway.ports.payment import PaymentProvider
from gateway.store.connection import Store
from gateway_pay_invoice import plugin
from gateway_pay_invoice.number import grouped, number_of
from tests.payments.test_cashier import BACK, KEYRING, Recorder, offer_for, reference, wall_clock
from tests.plugins.host import FakeHost
from tests.store.conftest import new_subject

PRICE = Money(1900, "USD")
ACCOUNT: dict[str, Any] = {"payee": "P", "account": ["Sort code 12-34-56"]}


class Office:
    """A gateway that takes bank transfers, and its operator."""

    def __init__(self, store: Store, **providers: PaymentProvider) -> None:
        recorder = Recorder()
        till = Till(store.payments, store.pending, KEYRING, recorder, wall_clock, recorder.lines.append)
        invoice: PaymentProvider = plugin.create(plugin.settings.model_validate(ACCOUNT), FakeHost())
        self.cashier = Cashier(till, {"invoice": invoice})
        self.operator = Confirmer(till, {"invoice": invoice})
        self.till = till

    async def asked(self, subject: Subject) -> tuple[str, str]:
        """The payment number, and the checkout, of somebody who wants the plan `month`."""
        begun = await self.cashier.begin(subject, offer_for(subject), "month", "invoice", BACK, "en")
        return number_of(reference(subject, begun.checkout)), begun.checkout


@pytest.fixture
def office(store: Store) -> Office:
    return Office(store)


async def test_the_one_with_this_number_is_credited(store: Store, office: Office, subject: Subject) -> None:
    other = new_subject()
    (number, checkout), _ = await office.asked(subject), await office.asked(other)
    done = await office.operator.confirm(grouped(number).lower(), PRICE, "B 1")
    assert (done.outcome, done.subject) == (SettleOutcome.SETTLED, subject)
    assert done.checkout is not None and done.checkout.id == checkout
    assert (await store.subjects.visit(subject)).entitled_until
    assert not (await store.subjects.visit(other)).entitled_until


async def test_told_twice_it_counts_once(store: Store, office: Office, subject: Subject) -> None:
    number, _ = await office.asked(subject)
    outcomes = [(await office.operator.confirm(number, PRICE, "B 1")).outcome for _ in range(2)]
    assert outcomes == [SettleOutcome.SETTLED, SettleOutcome.REPLAYED]
    assert len(await store.payments.ledger(subject)) == 1


async def test_another_amount_gives_nothing_and_the_right_one_does_afterwards(
    store: Store, office: Office, subject: Subject
) -> None:
    number, checkout = await office.asked(subject)
    for wrong in (Money(1899, "USD"), Money(1900, "EUR")):
        assert (await office.operator.confirm(number, wrong, f"B {wrong}")).outcome is SettleOutcome.MISMATCH
    record = await store.payments.checkout(subject, checkout)
    assert record is not None and record.status is CheckoutStatus.MISMATCH
    assert (await office.operator.confirm(number, PRICE, "B 2")).outcome is SettleOutcome.SETTLED


async def test_one_transfer_pays_for_one_subject(office: Office, subject: Subject) -> None:
    (mine, _), (theirs, _) = await office.asked(subject), await office.asked(new_subject())
    await office.operator.confirm(mine, PRICE, "B 1 of one")
    assert (await office.operator.confirm(theirs, PRICE, "B 1 of one")).outcome is SettleOutcome.ANOTHERS


async def test_a_number_of_nobody_credits_nobody(office: Office, subject: Subject) -> None:
    await office.asked(subject)
    done = await office.operator.confirm(number_of("AAAAAAAAAAAAAAAAAAAA"), PRICE, "B 1")
    assert done.outcome is NotConfirmed.NOT_FOUND
    with pytest.raises(ValueError, match="no payment number"):
        await office.operator.confirm("RF00 0000 0000 0000", PRICE, "B 1")


async def test_two_with_the_same_number_are_left_to_a_person(store: Store, office: Office, subject: Subject) -> None:
    number, checkout = await office.asked(subject)
    twin = new_subject()
    opened = await store.payments.checkout(subject, checkout)
    assert opened is not None
    await store.payments.open_checkout(twin, opened, 0)
    await store.pending.watch(reference(twin, checkout), wall_clock())
    assert (await office.operator.confirm(number, PRICE, "B 1")).outcome is NotConfirmed.SEVERAL
    assert not (await store.subjects.visit(subject)).entitled_until


async def test_without_such_a_way_to_pay_that_is_said(store: Store, office: Office) -> None:
    done = await Confirmer(office.till, {}).confirm("RF", PRICE, "B 1")
    assert done.outcome is NotConfirmed.NO_PROVIDER
