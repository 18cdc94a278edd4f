"""A server without memory: whoever has paid gets what is theirs, and nothing new is taken in."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from gateway.core.decision import Purse
from gateway.core.money import Money
from gateway.core.quantity import DAY, Allowance
from gateway.core.subject import Subject
from gateway.ports.cashbook import CheckoutRecord, Settlement, SettleOutcome
from gateway.ports.operations import EraseOutcome
from gateway.ports.state import (
    GiveBackOutcome,
    GraceAsked,
    ReleaseOutcome,
    StoreUnavailable,
    TakeOutcome,
    Taking,
    TrialBegin,
)
from gateway.store.connection import Store

from .test_holds import begin, keep, pay

PRICE = Money(500, "USD")
TWO = GraceAsked("exports", Allowance(2, DAY))


class Full:
    """The server has no memory left from `fill` on, until the test is over."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def fill(self) -> None:
        await self._allow("1")

    async def empty(self) -> None:
        await self._allow("0")

    async def _allow(self, size: str) -> None:
        for node in self._store.link.nodes:
            await node.ask(("CONFIG", "SET", "maxmemory", size))


@pytest.fixture
async def memory(store: Store) -> AsyncIterator[Full]:
    full = Full(store)
    yield full
    await full.empty()


async def test_a_payment_is_credited(store: Store, subject: Subject, memory: Full) -> None:
    record = CheckoutRecord("c1", "o1", "month", PRICE, "sandbox", results=3, period_ms=DAY)
    await store.payments.open_checkout(subject, record, settled=0)
    await memory.fill()
    assert await store.payments.settle(subject, Settlement("e", "p", "c1", PRICE, "sandbox")) is SettleOutcome.SETTLED
    state = await store.subjects.visit(subject)
    assert state.credits == 3 and state.entitled_until


async def test_a_paid_hold_is_given_out(store: Store, subject: Subject, memory: Full) -> None:
    await keep(store, subject, "h1", chunks=2)
    await pay(store, subject, "h1")
    await memory.fill()
    assert await store.holds.release(subject, "h1") is ReleaseOutcome.RELEASED
    assert await store.holds.chunk(subject, "h1", 1) == b"h1 chunk 1"


async def test_a_hold_is_given_out_for_a_credit_and_for_a_period(store: Store, subject: Subject, memory: Full) -> None:
    for hold in ("h1", "h2"):
        await keep(store, subject, hold)
    await store.operations.grant(subject, "one", results=1)
    await memory.fill()
    assert await store.holds.release(subject, "h1") is ReleaseOutcome.RELEASED
    assert await store.holds.release(subject, "h2") is ReleaseOutcome.UNPAID
    await store.operations.grant(subject, "a day", period_ms=DAY)
    assert await store.holds.release(subject, "h2") is ReleaseOutcome.RELEASED


@pytest.mark.parametrize("purse", [Purse.CREDIT, Purse.GRACE])
async def test_what_there_is_can_be_taken_and_given_back(
    store: Store, subject: Subject, memory: Full, purse: Purse
) -> None:
    await store.operations.grant(subject, "one", results=1)
    await memory.fill()
    assert (await store.subjects.take(subject, purse, "op", TWO)).outcome is TakeOutcome.TAKEN
    assert await store.subjects.give_back(subject, purse, "op", TWO) is GiveBackOutcome.GIVEN_BACK
    assert await store.subjects.give_back(subject, purse, "void", TWO) is GiveBackOutcome.NOT_TAKEN


async def test_a_visit_takes_grace(store: Store, subject: Subject, memory: Full) -> None:
    await store.operations.expire(subject)
    await memory.fill()
    assert (await store.subjects.visit(subject, None, TWO, taking=Taking("op"))).grace_taken


@pytest.mark.parametrize("ledger", [False, True])
async def test_whoever_paid_can_be_erased(store: Store, subject: Subject, memory: Full, ledger: bool) -> None:
    record = CheckoutRecord("c1", "o1", "month", PRICE, "sandbox", results=3)
    await store.payments.open_checkout(subject, record, settled=0)
    await store.payments.settle(subject, Settlement("e", "p", "c1", PRICE, "sandbox"))
    await memory.fill()
    assert await store.operations.erase(subject, ledger) is EraseOutcome.ERASED
    assert [entry["kind"] for entry in await store.payments.ledger(subject)] == (
        [] if ledger else ["payment", "erasure"]
    )


async def test_nothing_new_is_taken_in(store: Store, subject: Subject, memory: Full) -> None:
    await memory.fill()
    with pytest.raises(StoreUnavailable, match="maxmemory"):
        await store.subjects.visit(subject, TrialBegin(DAY))
    with pytest.raises(StoreUnavailable, match="maxmemory"):
        await begin(store, subject, "h1")
    record = CheckoutRecord("c1", "o1", "month", PRICE, "sandbox", results=3)
    with pytest.raises(StoreUnavailable, match="maxmemory"):
        await store.payments.open_checkout(subject, record, settled=0)
    await memory.empty()
    state = await store.subjects.visit(subject)
    assert not state.trial_started
