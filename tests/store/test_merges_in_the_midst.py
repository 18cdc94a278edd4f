"""Merges that something else crosses: a payment, another merge, a process that is killed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gateway.core.quantity import DAY
from gateway.core.subject import Subject
from gateway.ports.cashbook import Settlement, SettleOutcome
from gateway.ports.operations import EraseOutcome, MergeOutcome
from gateway.ports.state import StoreUnavailable
from gateway.store import operations
from gateway.store.connection import Store
from gateway.store.keys import subject_key
from gateway.store.transport.script import Script
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


async def test_an_export_tells_what_came_by_merges_too(store: Store, subject: Subject, visitor: Subject) -> None:
    """What the visitor paid is the person's: it is erased with them, so it is told to them."""
    account = Subject.parse(f"account:{new_subject().id}")
    await live(store, visitor)
    await store.operations.merge(visitor, subject)
    await store.operations.grant(visitor, "later", results=1)
    await store.operations.merge(visitor, subject)
    await store.operations.merge(subject, account)
    exported: Any = await store.operations.export(account)
    ((person,), ((told,),)) = exported["merged"], [each["merged"] for each in exported["merged"]]
    assert (person["subject"], told["subject"]) == (str(subject), str(visitor))
    assert "p-pack" in [entry.get("payment") for entry in told["ledger"]]
    assert told["merged"] == [] and person["merged_into"] == account.key


async def test_two_that_became_each_other_are_exported_and_erased(store: Store) -> None:
    one, other = new_subject(), new_subject()
    await store.operations.grant(one, "gift", results=1)
    await store.operations.merge(one, other)
    await store.link.ask(("HDEL", subject_key(one), "mi"))  # as where both were looked at before either was written
    for number in range(12):
        await store.operations.grant(other, f"gift-{number}", results=1)
        await store.operations._merges.follow(other.key, one.key)
    exported: Any = await store.operations.export(one)
    assert [each["subject"] for each in exported["merged"]] == [str(other)]
    assert await store.operations.erase(one, ledger=True) is EraseOutcome.ERASED
    assert (await store.operations.export(other))["ledger"] == []


@pytest.mark.parametrize("ledger", [False, True])
async def test_whoever_comes_by_while_somebody_is_erased_is_erased_too(
    store: Store, subject: Subject, visitor: Subject, monkeypatch: pytest.MonkeyPatch, ledger: bool
) -> None:
    await store.operations.grant(subject, "gift", results=1)
    await live(store, visitor)
    call, durability = store.operations._durability.call, store.operations._durability
    came: list[Script] = []

    async def comes(script: Script, *args: Any) -> Any:
        if script is operations._ERASE and not came:
            came.append(script)
            await store.operations.merge(visitor, subject)
        return await call(script, *args)

    with monkeypatch.context() as patch:
        patch.setattr(durability, "call", comes)
        assert await store.operations.erase(subject, ledger) is EraseOutcome.ERASED
    assert came
    left = await store.operations.export(visitor)
    assert left["erased_at"] and bool(left["ledger"]) is not ledger
    assert await store.payments.subject(visitor.key) is None


async def test_an_audit_tells_of_what_was_left_on_the_way(
    store: Store, subject: Subject, visitor: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.operations.grant(visitor, "gift", results=3)
    merges = store.operations._merges
    with monkeypatch.context() as patch, pytest.raises(StoreUnavailable):
        patch.setattr(merges, "_deliver", Cut(0, is_heard=True).around(merges._deliver))
        await store.operations.merge(visitor, subject)
    assert await faults(store) == [], "it may well be on the way at this instant"
    with monkeypatch.context() as patch:
        patch.setattr("gateway.store.books.ON_THE_WAY_MS", -1)
        (fault,) = await faults(store)
        assert "paywall subject merge" in fault and subject.key in fault
        exported: Any = await store.operations.export(visitor)
        assert exported["on_its_way"]["results"] == 3
        await store.operations.merge(visitor, subject)
        assert await faults(store) == []
    assert (await store.operations.export(visitor))["on_its_way"] is None
