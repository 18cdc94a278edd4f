"""Merges that something else crosses: a payment, another merge, a process that is killed."""

from __future__ import annotations

import asyncio

import pytest

from gateway.core.quantity import DAY
from gateway.core.subject import Subject
from gateway.ports.cashbook import Settlement, SettleOutcome
from gateway.ports.operations import MergeOutcome
from gateway.ports.state import StoreUnavailable
from gateway.store.connection import Store
from tests.store.conftest import new_subject
from tests.store.test_holds import keep
from tests.store.test_merges import PACK, Cut, faults, live, paid, standing


@pytest.fixture
def visitor() -> Subject:
    return Subject.parse(f"visitor:{new_subject().id[:22]}")


async def test_a_payment_that_was_cut_off_before_it_followed_follows_when_it_is_reported_again(
    store: Store, subject: Subject, visitor: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    await live(store, visitor)
    await store.operations.merge(visitor, subject)
    again, merges = paid(PACK, "p-again"), store.payments._merges
    with monkeypatch.context() as patch, pytest.raises(StoreUnavailable):
        patch.setattr(merges, "follow", Cut(0, is_heard=True).around(merges.follow))
        await store.payments.settle(visitor, again)
    assert await store.payments.settle(visitor, again) is SettleOutcome.REPLAYED
    assert (await standing(store, subject)).credits == 9, "the person has what was paid for"
    assert (await standing(store, visitor)).credits == 0
    assert await faults(store) == []


async def test_what_arrives_where_nobody_is_any_more_goes_on(
    store: Store, subject: Subject, visitor: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The person joins an account while a visitor is on the way to the person."""
    account = Subject.parse(f"account:{new_subject().id}")
    await store.operations.grant(visitor, "gift", results=3)
    await keep(store, visitor, "hold1")
    merges = store.operations._merges
    with monkeypatch.context() as patch, pytest.raises(StoreUnavailable):
        patch.setattr(merges, "_deliver", Cut(0, is_heard=True).around(merges._deliver))
        await store.operations.merge(visitor, subject)
    await store.operations.grant(subject, "gift", results=1)
    await store.operations.merge(subject, account)
    assert await merges.leads(visitor.key, account.key)
    state = await standing(store, account)
    assert (state.credits, state.holds) == (4, 1)
    assert await faults(store) == []


async def test_a_late_payment_goes_all_the_way(store: Store, subject: Subject, visitor: Subject) -> None:
    account = Subject.parse(f"account:{new_subject().id}")
    await live(store, visitor)
    await store.operations.merge(visitor, subject)
    await store.operations.merge(subject, account)
    assert await store.payments.settle(visitor, paid(PACK, "p-again")) is SettleOutcome.SETTLED
    assert (await standing(store, account)).credits == 9
    assert await faults(store) == []


async def test_two_that_are_merged_into_each_other_at_once_lose_nothing(store: Store) -> None:
    one, other = new_subject(), new_subject()
    for each in (one, other):
        await store.operations.grant(each, "gift", results=5)
        await keep(store, each, f"hold-{each.key}")
    work = (store.operations.merge(one, other), store.operations.merge(other, one))
    outcomes = set(await asyncio.gather(*work))
    assert outcomes <= {MergeOutcome.MERGED, MergeOutcome.TARGET_MERGED}
    states = [await standing(store, each) for each in (one, other)]
    assert sum(state.credits for state in states) == 10
    assert sum(state.holds for state in states) == 2
    assert await faults(store) == []


async def test_a_payment_of_the_visitors_is_not_credited_to_the_person_besides(
    store: Store, subject: Subject, visitor: Subject
) -> None:
    """A provider that names another checkout in its second report of the same payment."""
    await store.operations.grant(visitor, "gift", period_ms=DAY)
    await store.operations.merge(visitor, subject)
    await store.payments.open_checkout(visitor, PACK, settled=0)
    assert await store.payments.settle(visitor, paid(PACK, "p-1")) is SettleOutcome.SETTLED
    await store.payments.open_checkout(subject, PACK, settled=0)
    second = Settlement("e-other", "p-1", PACK.id, PACK.price, "sandbox")
    assert await store.payments.settle(subject, second) is SettleOutcome.REPLAYED
    await store.operations.merge(visitor, subject)
    assert (await standing(store, subject)).credits == 5
    assert await faults(store) == []
