"""Some histories, and twins of the verbs that lose their heads when events come in another order."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from gateway.core.subject import Subject
from gateway.store import payments, refunds, subscriptions
from gateway.store.connection import Store, open_store
from gateway.store.embedded.server import EmbeddedStore
from tests.histories.history import History
from tests.histories.play import play
from tests.store.strict import made

HISTORIES = 150


@pytest_asyncio.fixture
async def workers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[list[Store]]:
    with EmbeddedStore(tmp_path_factory.mktemp("histories"), report=print) as url:
        stores = [open_store(url) for _ in range(2)]
        for store in stores:
            await store.start()
        yield stores
        for store in stores:
            await store.stop()


async def played(workers: list[Store], count: int) -> list[str]:
    """What was wrong of so many histories; stops at the first that is."""
    for seed in range(count):
        await workers[0].link.ask(("FLUSHDB",))
        dice = random.Random(seed)
        found = await play(workers, Subject.parse("person:1"), History.by_chance(dice), dice)
        if found:
            return [f"history {seed}: {each}" for each in found]
    return []


async def test_what_somebody_has_follows_from_the_events_alone(workers: list[Store]) -> None:
    assert await played(workers, HISTORIES) == []


TWINS = {
    "a payment counts each time": (payments, "_SETTLE", "if replayed then", "if false then"),
    "a refund that came early is forgotten": (payments, "_SETTLE", "if is_refunded then", "if false then"),
    "a refund counts each time": (refunds, "_REFUND", "if is_known then", "if false then"),
    "a part takes all": (refunds, "_REFUND", "local is_whole = ARGV[7] == '1'", "local is_whole = true"),
    "the last report counts": (subscriptions, "_RENEW", "local is_later = ", "local is_later = true or "),
    "an end is not final": (subscriptions, "_RENEW", "one.status == 'ended' or ", ""),
    "a late invoice shortens": (
        payments,
        "_SETTLE",
        "math.max(one.paid_until, paid_until), agreed",
        "paid_until, agreed",
    ),
    "a refund ends all invoices": (refunds, "_REFUND", "if not back[each.payment] then", "if false then"),
}


@pytest.mark.parametrize("twin", TWINS)
async def test_a_known_bad_twin_is_found(workers: list[Store], monkeypatch: pytest.MonkeyPatch, twin: str) -> None:
    module, verb, right, wrong = TWINS[twin]
    good = getattr(module, verb)
    assert good.text.count(right) == 1
    monkeypatch.setattr(module, verb, made(good.name, good.text.replace(right, wrong)))
    assert await played(workers, HISTORIES)
