"""Signed payments on every server: one alone may have one settled, and what is in doubt is never begun anew."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import replace

import pytest

from gateway.ports.attempts import Attempt, AttemptState, Sale
from gateway.store.attempts import PAUSE_MS, REMEMBERED_MS
from gateway.store.connection import Store
from gateway.store.keys import attempt_key

T0 = 1_800_000_000_000
LEASE = 10_000
SALE = Sale("hold-1", "owner", "checkout-1", 3_000_000, "{}")
FREE = Attempt(AttemptState.CLAIMED)
STANDING = Attempt(AttemptState.BUSY, SALE.hold, SALE.owner, SALE.checkout, SALE.amount, request="{}")


@pytest.fixture
def key() -> str:
    return uuid.uuid4().hex


async def settling(store: Store, key: str, holder: str = "a") -> None:
    assert await store.attempts.begin(key, holder, "d", LEASE, T0) == FREE
    assert await store.attempts.settling(key, holder, SALE, LEASE, T0)


async def test_one_of_fifty_has_it(store: Store, key: str) -> None:
    tries = (store.attempts.begin(key, str(number), "d", 60_000) for number in range(50))
    states = [attempt.state for attempt in await asyncio.gather(*tries)]
    assert sorted(states) == sorted([AttemptState.CLAIMED] + 49 * [AttemptState.BUSY])


async def test_a_claim_that_is_let_lie_is_free_again(store: Store, key: str) -> None:
    assert await store.attempts.begin(key, "a", "d", LEASE, T0) == FREE
    assert (await store.attempts.begin(key, "b", "d", LEASE, T0 + LEASE - 1)).state is AttemptState.BUSY
    assert await store.attempts.begin(key, "b", "other", LEASE, T0 + LEASE) == FREE
    assert not await store.attempts.settling(key, "a", SALE, LEASE, T0 + LEASE)
    assert not await store.attempts.drop(key, "a")


async def test_what_is_dropped_is_free(store: Store, key: str) -> None:
    assert await store.attempts.begin(key, "a", "d", LEASE, T0) == FREE
    assert await store.attempts.drop(key, "a")
    assert await store.attempts.begin(key, "b", "other", LEASE, T0) == FREE


async def test_what_is_being_settled_is_dropped_only_where_nobody_heard_of_it(store: Store, key: str) -> None:
    await settling(store, key)
    assert not await store.attempts.drop(key, "a")
    assert not await store.attempts.drop(key, "b", unheard=True)
    assert await store.attempts.drop(key, "a", unheard=True)
    assert await store.attempts.begin(key, "b", "d", LEASE, T0) == FREE


async def test_a_settlement_that_is_let_lie_is_in_doubt_for_ever(store: Store, key: str) -> None:
    await settling(store, key)
    assert await store.attempts.begin(key, "b", "d", LEASE, T0 + LEASE - 1) == STANDING
    doubt = replace(STANDING, state=AttemptState.UNKNOWN)
    for later in (LEASE, 10**12):
        assert await store.attempts.begin(key, "b", "d", LEASE, T0 + later) == doubt
    assert not await store.attempts.drop(key, "a")
    assert not await store.attempts.settling(key, "a", SALE, LEASE, T0 + LEASE)
    assert await lifetime(store, key) == -1


async def test_what_was_settled_stays_so_whoever_says_otherwise(store: Store, key: str) -> None:
    await settling(store, key)
    end = store.attempts.end
    assert await end(key, "b", AttemptState.FAILED, reason="not mine") is AttemptState.BUSY
    assert await end(key, "a", AttemptState.UNKNOWN) is AttemptState.UNKNOWN
    assert await end(key, "b", AttemptState.SETTLED, "0x1", now=T0) is AttemptState.SETTLED
    for state in (AttemptState.FAILED, AttemptState.UNKNOWN, AttemptState.SETTLED):
        assert await end(key, "a", state, "0x2") is AttemptState.SETTLED
    found = await store.attempts.begin(key, "c", "d", LEASE, T0)
    assert found == replace(STANDING, state=AttemptState.SETTLED, transaction="0x1", request="")
    assert await store.attempts.get(key) == found
    assert not await store.attempts.drop(key, "a")
    assert 0 < await lifetime(store, key) <= REMEMBERED_MS


async def test_what_failed_says_why_and_is_not_claimed_again(store: Store, key: str) -> None:
    await settling(store, key)
    assert await store.attempts.end(key, "a", AttemptState.FAILED, reason="insufficient_funds") is AttemptState.FAILED
    found = await store.attempts.begin(key, "b", "d", LEASE, T0 + 10**9)
    assert (found.state, found.reason) == (AttemptState.FAILED, "insufficient_funds")


async def test_who_brings_the_same_signature_with_other_words_is_told_nothing(store: Store, key: str) -> None:
    await settling(store, key)
    for state in (None, AttemptState.UNKNOWN, AttemptState.SETTLED):
        if state is not None:
            await store.attempts.end(key, "a", state, "0x1")
        assert await store.attempts.begin(key, "b", "other", LEASE, T0) == Attempt(AttemptState.ANOTHERS)


async def test_one_alone_asks_again_and_not_before_the_pause(store: Store, key: str) -> None:
    await settling(store, key)
    again = store.attempts.again
    assert not await again(key, "b", LEASE, PAUSE_MS, now=T0 + LEASE - 1), "it is not in doubt yet"
    await store.attempts.end(key, "a", AttemptState.UNKNOWN, now=T0)
    assert not await again(key, "b", LEASE, PAUSE_MS, now=T0 + PAUSE_MS - 1)
    tries = [again(key, str(number), LEASE, PAUSE_MS, now=T0 + PAUSE_MS) for number in range(9)]
    assert sum(await asyncio.gather(*tries)) == 1
    assert (await store.attempts.begin(key, "b", "d", LEASE, T0 + PAUSE_MS)).state is AttemptState.BUSY


async def test_a_late_word_of_who_lost_it_counts_where_it_is_good_news(store: Store, key: str) -> None:
    await settling(store, key)
    await store.attempts.begin(key, "b", "d", LEASE, T0 + LEASE)
    assert await store.attempts.again(key, "b", LEASE, PAUSE_MS, now=T0 + LEASE)
    assert await store.attempts.end(key, "a", AttemptState.FAILED) is AttemptState.BUSY
    assert await store.attempts.end(key, "a", AttemptState.SETTLED, "0x1") is AttemptState.SETTLED


async def test_who_let_it_lie_is_asked_for_without_waiting_for_the_payer(store: Store, key: str) -> None:
    await settling(store, key)
    assert await store.attempts.get(key) == STANDING
    assert await store.attempts.again(key, "b", LEASE, PAUSE_MS, now=T0 + LEASE)
    assert await store.attempts.get("0" * 32) is None


async def test_repeating_changes_nothing(store: Store, key: str) -> None:
    for _ in range(2):
        assert await store.attempts.begin(key, "a", "d", LEASE, T0) == FREE
    for _ in range(2):
        assert await store.attempts.settling(key, "a", SALE, LEASE, T0)
    for _ in range(2):
        assert await store.attempts.end(key, "a", AttemptState.UNKNOWN, now=T0) is AttemptState.UNKNOWN
    for _ in range(2):
        assert await store.attempts.again(key, "b", LEASE, PAUSE_MS, now=T0 + PAUSE_MS)
    assert await store.attempts.end("0" * 32, "a", AttemptState.SETTLED) is None


async def lifetime(store: Store, key: str) -> int:
    [lives] = await store.link.ask(("PTTL", attempt_key(key)))
    return int(lives)
