"""A verb happens whole or not at all."""

from __future__ import annotations

import pytest

from gateway.core.money import Money
from gateway.core.subject import Subject
from gateway.ports.cashbook import CheckoutRecord, Settlement, SettleOutcome
from gateway.ports.state import StoreUnavailable
from gateway.store.connection import Store
from gateway.store.keys import subject_key

from .strict import made, strict

HALF_DONE = {
    "a read after a write": "redis.call('HSET', KEYS[1], 'a', 1) return redis.call('HGET', KEYS[1], 'b')",
    "a write to what was never looked at": "return redis.call('HSET', KEYS[1] .. ':x', 'a', 1)",
    "an unknown command": "return redis.call('GETDEL', KEYS[1])",
}
WHOLE = "local x = KEYS[1] .. ':x' redis.call('EXISTS', x) redis.call('HSET', x, 'a', 1) return redis.call('DEL', x)"


@pytest.mark.parametrize("name", HALF_DONE)
async def test_the_watch_refuses_what_could_be_stopped_half_way(name: str, store: Store, subject: Subject) -> None:
    with pytest.raises(StoreUnavailable):
        await store.link.call(strict(made("half done", HALF_DONE[name])), [subject_key(subject)], [])


async def test_the_watch_lets_pass_what_reads_and_then_writes(store: Store, subject: Subject) -> None:
    assert await store.link.call(strict(made("whole", WHOLE)), [subject_key(subject)], []) == 1


async def test_a_payment_whose_hold_cannot_be_read_is_not_credited_and_can_be_repeated(
    store: Store, subject: Subject
) -> None:
    record = CheckoutRecord("c1", "o1", "single", Money(500, "USD"), "sandbox", hold="h1", results=1)
    key = f"{subject_key(subject)}:hold:h1"
    await store.payments.open_checkout(subject, record, settled=0)
    await store.link.ask(("SET", key, "as where the slot moves: it can't be read as what it is"))
    report = Settlement("e1", "p1", "c1", record.price, "sandbox")
    with pytest.raises(StoreUnavailable):
        await store.payments.settle(subject, report)
    assert (await store.subjects.visit(subject)).credits == 0
    assert await store.payments.ledger(subject) == []
    await store.link.ask(("DEL", key))
    assert await store.payments.settle(subject, report) is SettleOutcome.SETTLED
    assert (await store.subjects.visit(subject)).credits == 1
