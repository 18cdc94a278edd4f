"""What several payments for one offer give: each what was bought, once, in every order and however often reported."""

from __future__ import annotations

import asyncio
import itertools
import random
from dataclasses import replace

import pytest

from gateway.core.money import Money
from gateway.core.quantity import DAY
from gateway.core.subject import Subject
from gateway.ports.cashbook import (
    CheckoutOutcome,
    CheckoutRecord,
    CheckoutStatus,
    Settlement,
    SettleOutcome,
)
from gateway.ports.operations import EraseOutcome
from gateway.ports.state import HoldRecord, ReleaseOutcome
from gateway.store.connection import Store, open_store
from gateway.store.keys import subject_key
from tests.store.conftest import new_subject
from tests.store.test_holds import keep

T0 = 1_800_000_000_000
HOLD = "h"
ONE = CheckoutRecord("one", "offer", "one", Money(300, "USD"), "sandbox", HOLD, "exports", results=1)
FIVE = replace(ONE, id="five", plan="five", price=Money(1000, "USD"), results=5)
MONTH = replace(ONE, id="month", plan="month", price=Money(1900, "USD"), results=0, period_ms=30 * DAY)
DEAR = replace(ONE, id="dear", plan="route-exports", price=Money(450, "USD"), results=0)
"""The price of the route: it buys the held result alone."""


async def open_all(store: Store, subject: Subject, *records: CheckoutRecord, now: int = 0) -> None:
    """Several tabs, each before any of them is paid."""
    for record in records:
        opened = await store.payments.open_checkout(subject, record, settled=0, now=now)
        assert opened.outcome is CheckoutOutcome.OPENED


async def pay(store: Store, subject: Subject, record: CheckoutRecord, payment: str = "", now: int = 0) -> SettleOutcome:
    """The provider's report, which comes twice."""
    name = payment or record.id
    settlement = Settlement(f"e-{name}", f"p-{name}", record.id, record.price, "sandbox")
    outcome = await store.payments.settle(subject, settlement, now)
    assert await store.payments.settle(subject, settlement, now) is SettleOutcome.REPLAYED
    return outcome


async def stored(store: Store, subject: Subject, record: CheckoutRecord) -> CheckoutRecord:
    found = await store.payments.checkout(subject, record.id)
    assert found is not None
    return found


async def held(store: Store, subject: Subject) -> HoldRecord:
    found = await store.holds.get(subject, HOLD)
    assert found is not None
    return found


@pytest.mark.parametrize("order", list(itertools.permutations([ONE, FIVE, MONTH])))
async def test_plans_of_one_offer_paid_in_several_tabs_give_all_of_it(
    store: Store, subject: Subject, order: tuple[CheckoutRecord, ...]
) -> None:
    await keep(store, subject, HOLD)
    await open_all(store, subject, *order, now=T0)
    assert [await pay(store, subject, record, now=T0) for record in order] == [SettleOutcome.SETTLED] * 3
    state = await store.subjects.visit(subject, now=T0)
    # Six results were bought. The held one took one of them, unless the period had paid for it.
    assert (state.credits, state.entitled_until) == (6 if order[0] is MONTH else 5, T0 + 30 * DAY)
    assert (await held(store, subject)).paid
    found = [await stored(store, subject, record) for record in order]
    assert [(each.status, each.again, each.took_hold) for each in found] == [
        (CheckoutStatus.PAID, False, True),
        (CheckoutStatus.PAID, True, False),
        (CheckoutStatus.PAID, True, False),
    ]
    ledger = await store.payments.ledger(subject)
    assert [(entry["kind"], entry["plan"], entry.get("again")) for entry in ledger] == [
        ("payment", order[0].plan, None),
        ("payment", order[1].plan, True),
        ("payment", order[2].plan, True),
    ]


async def test_one_plan_paid_by_two_checkouts_is_given_twice(store: Store, subject: Subject) -> None:
    twin = replace(MONTH, id="twin", provider="other")
    await open_all(store, subject, MONTH, twin, now=T0)
    for record in (twin, MONTH):
        assert await pay(store, subject, record, now=T0) is SettleOutcome.SETTLED
    assert (await store.subjects.visit(subject, now=T0)).entitled_until == T0 + 60 * DAY


async def test_one_checkout_paid_twice_is_given_twice(store: Store, subject: Subject) -> None:
    await keep(store, subject, HOLD)
    await open_all(store, subject, ONE)
    for payment in ("first", "second"):
        assert await pay(store, subject, ONE, payment) is SettleOutcome.SETTLED
    assert (await store.subjects.visit(subject)).credits == 1
    found = await stored(store, subject, ONE)
    assert (found.again, found.took_hold, found.payment) == (True, True, "p-second")


@pytest.mark.parametrize("second", [DEAR, replace(DEAR, id="twin", provider="other")], ids=["one", "two checkouts"])
async def test_one_held_result_paid_twice_leaves_the_second_payment_to_be_given_back(
    store: Store, subject: Subject, second: CheckoutRecord
) -> None:
    await keep(store, subject, HOLD)
    await open_all(store, subject, *{DEAR.id: DEAR, second.id: second}.values())
    assert await pay(store, subject, DEAR, "first") is SettleOutcome.SETTLED
    before = await store.subjects.visit(subject)
    assert await pay(store, subject, second, "second") is SettleOutcome.SURPLUS
    assert await store.subjects.visit(subject) == before
    assert (before.credits, before.entitled_until, before.settled) == (0, 0, 1)
    found = await stored(store, subject, second)
    assert (found.status, found.payment) == (CheckoutStatus.SURPLUS, "p-second")
    entry = (await store.payments.ledger(subject))[-1]
    assert (entry["kind"], entry["payment"], entry["amount"]) == ("surplus", "p-second", 450)
    assert len(await store.payments.ledger(subject)) == 2
    assert await store.holds.release(subject, HOLD) is ReleaseOutcome.RELEASED


async def test_a_result_and_a_period_beside_it_are_both_given_where_the_result_is_paid_first(
    store: Store, subject: Subject
) -> None:
    await keep(store, subject, HOLD)
    await open_all(store, subject, DEAR, MONTH, now=T0)
    assert [await pay(store, subject, each, now=T0) for each in (DEAR, MONTH)] == [SettleOutcome.SETTLED] * 2
    assert (await store.subjects.visit(subject, now=T0)).entitled_until == T0 + 30 * DAY


async def test_a_result_that_the_period_has_paid_for_already_is_surplus(store: Store, subject: Subject) -> None:
    await keep(store, subject, HOLD)
    await open_all(store, subject, DEAR, MONTH, now=T0)
    outcomes = [await pay(store, subject, each, now=T0) for each in (MONTH, DEAR)]
    assert outcomes == [SettleOutcome.SETTLED, SettleOutcome.SURPLUS]


async def test_a_payment_for_a_result_that_is_gone_is_surplus_and_says_nothing_of_the_offer(
    store: Store, subject: Subject
) -> None:
    await store.subjects.decline(subject, "price")
    await open_all(store, subject, DEAR)
    assert await pay(store, subject, DEAR) is SettleOutcome.SURPLUS
    state = await store.subjects.visit(subject)
    assert (state.credits, state.settled, state.decline_reason) == (0, 0, "price")
    opened = await store.payments.open_checkout(subject, ONE, settled=0)
    assert opened.outcome is CheckoutOutcome.OPENED


@pytest.mark.parametrize(("record", "credits"), [(ONE, 1), (FIVE, 5), (DEAR, 0)])
async def test_a_result_that_was_given_out_takes_nothing_of_a_later_payment(
    store: Store, subject: Subject, record: CheckoutRecord, credits: int
) -> None:
    await keep(store, subject, HOLD)
    await open_all(store, subject, record)
    await store.operations.grant(subject, "gift", period_ms=DAY)
    assert await store.holds.release(subject, HOLD) is ReleaseOutcome.RELEASED
    outcome = await pay(store, subject, record)
    assert outcome is (SettleOutcome.SETTLED if credits else SettleOutcome.SURPLUS)
    assert (await store.subjects.visit(subject)).credits == credits


async def test_many_deliveries_of_several_payments_at_once_give_each_once(
    store: Store, url: str, subject: Subject
) -> None:
    await keep(store, subject, HOLD)
    twin = replace(DEAR, id="twin", provider="other")
    records = [ONE, MONTH, DEAR, twin]
    await open_all(store, subject, *records, now=T0)
    reports = [Settlement(f"e-{each.id}", f"p-{each.id}", each.id, each.price, "sandbox") for each in records] * 6
    random.Random(11).shuffle(reports)
    other = open_store(url)
    clients = itertools.cycle([store.payments, other.payments])
    work = [client.settle(subject, each, T0) for client, each in zip(clients, reports, strict=False)]
    outcomes = await asyncio.gather(*work)
    await other.stop()
    # One of the four has paid for the held result. The two that buy nothing else give nothing where it was not theirs.
    state, given = await store.subjects.visit(subject, now=T0), await held(store, subject)
    took = [each.id for each in records if (await stored(store, subject, each)).took_hold]
    surplus = outcomes.count(SettleOutcome.SURPLUS)
    assert given.paid and len(took) == 1
    assert surplus == (1 if took[0] in (DEAR.id, twin.id) else 2)
    assert outcomes.count(SettleOutcome.SETTLED) == 4 - surplus
    assert (state.credits, state.entitled_until) == (0 if took == [ONE.id] else 1, T0 + 30 * DAY)
    assert len(await store.payments.ledger(subject)) == 4


async def test_what_was_surplus_is_kept_for_ever_and_goes_with_its_subject(store: Store, subject: Subject) -> None:
    await open_all(store, subject, DEAR)
    await pay(store, subject, DEAR)
    assert [entry["kind"] for entry in await store.payments.ledger(subject)] == ["surplus"]
    found = await store.payments.checkout(subject, DEAR.id)
    assert found is not None and found.status is CheckoutStatus.SURPLUS
    assert await store.link.ask(("PTTL", f"{subject_key(subject)}:ledger")) == [-1]
    assert await store.operations.erase(subject, ledger=True) is EraseOutcome.ERASED
    assert await store.payments.checkout(subject, DEAR.id) is None
    assert await store.payments.ledger(subject) == []


async def test_another_amount_shows_at_the_checkout_until_the_right_one_comes(store: Store, subject: Subject) -> None:
    await open_all(store, subject, MONTH)
    wrong = Settlement("e1", "p1", MONTH.id, Money(1, "USD"), "sandbox")
    assert await store.payments.settle(subject, wrong) is SettleOutcome.MISMATCH
    assert (await stored(store, subject, MONTH)).status is CheckoutStatus.MISMATCH
    again = await store.payments.open_checkout(subject, MONTH, settled=0)
    assert again.outcome is CheckoutOutcome.REOPENED
    assert await pay(store, subject, MONTH) is SettleOutcome.SETTLED
    assert await store.payments.settle(subject, replace(wrong, event="e2", payment="p2")) is SettleOutcome.MISMATCH
    assert (await stored(store, subject, MONTH)).status is CheckoutStatus.PAID


async def test_one_payment_is_one_subjects_for_ever_whatever_it_is_reported_for(store: Store) -> None:
    first, second = new_subject(), new_subject()
    for each in (first, second):
        await open_all(store, each, MONTH)
    report = Settlement("e-1", "p-1", MONTH.id, MONTH.price, "sandbox")
    assert await store.payments.settle(first, report) is SettleOutcome.SETTLED
    for event in ("e-1", "e-2"):
        assert await store.payments.settle(second, replace(report, event=event)) is SettleOutcome.ANOTHERS
    assert (await store.subjects.visit(second)).entitled_until == 0
    assert await store.payments.ledger(second) == []
    # Another provider may call a payment of its own by the same name.
    assert await store.payments.settle(second, replace(report, provider="other")) is SettleOutcome.SETTLED


async def test_of_subjects_that_report_one_payment_at_once_one_is_credited(store: Store) -> None:
    subjects = [new_subject() for _ in range(20)]
    for each in subjects:
        await open_all(store, each, MONTH)
    report = Settlement("e", "p", MONTH.id, MONTH.price, "sandbox")
    outcomes = await asyncio.gather(*(store.payments.settle(each, report) for each in subjects))
    assert sorted(outcomes) == sorted([SettleOutcome.SETTLED, *[SettleOutcome.ANOTHERS] * 19])
    states = [await store.subjects.visit(each) for each in subjects]
    assert sum(each.settled for each in states) == 1


async def test_a_payment_without_an_id_of_its_own_is_known_by_its_event(store: Store) -> None:
    first, second = new_subject(), new_subject()
    for each in (first, second):
        await open_all(store, each, MONTH)
    report = Settlement("only-event", "", MONTH.id, MONTH.price, "sandbox")
    assert await store.payments.settle(first, report) is SettleOutcome.SETTLED
    assert await store.payments.settle(second, report) is SettleOutcome.ANOTHERS
    # An event and a payment of one number are two things.
    numbered = replace(report, event="another", payment="only-event")
    assert await store.payments.settle(second, numbered) is SettleOutcome.SETTLED


async def test_a_claim_that_was_cut_off_before_its_payment_is_found_again(store: Store, subject: Subject) -> None:
    """Whoever was killed in between repeats both."""
    await open_all(store, subject, MONTH)
    report = Settlement("e", "p", MONTH.id, MONTH.price, "sandbox")
    assert await store.payments._claim(subject.key, report) == subject.key
    assert await store.payments.settle(subject, report) is SettleOutcome.SETTLED
