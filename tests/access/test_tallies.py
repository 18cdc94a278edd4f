"""Counting what people got: in the background, while the store is away too, never a reason to remember anybody."""

from __future__ import annotations

import pytest

from gateway.access.tallies import Tallies
from gateway.core.quantity import DAY
from gateway.core.subject import Subject
from gateway.ports.state import StoreUnavailable, TrialBegin
from gateway.store.connection import Store
from tests.store.conftest import new_subject


async def counted(store: Store, subject: Subject) -> int:
    return (await store.subjects.visit(subject)).results


async def test_what_is_counted_stands_with_the_subject(store: Store, subject: Subject) -> None:
    await store.subjects.visit(subject, TrialBegin(DAY))
    tallies = Tallies(store.subjects, print)
    for _ in range(3):
        tallies.add(subject.key)
    await tallies.tell()
    tallies.add(subject.key)
    await tallies.tell()
    assert await counted(store, subject) == 4


async def test_whoever_is_not_known_stays_unknown(store: Store) -> None:
    stranger = new_subject()
    tallies = Tallies(store.subjects, print)
    tallies.add(stranger.key)
    await tallies.tell()
    assert await store.link.ask(("EXISTS", f"pw:{{{stranger.key}}}")) == [0]


async def test_while_the_store_is_away_counts_wait(
    store: Store, subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.subjects.visit(subject, TrialBegin(DAY))
    tallies = Tallies(store.subjects, print)
    tallies.add(subject.key)

    async def away(key: str, count: int) -> None:
        raise StoreUnavailable("away")

    with monkeypatch.context() as patched:
        patched.setattr(store.subjects, "tally", away)
        await tallies.tell()
    tallies.add(subject.key)
    await tallies.stop()
    assert await counted(store, subject) == 2


async def test_counts_go_with_a_merge(store: Store, subject: Subject) -> None:
    visitor = new_subject()
    for each in (visitor, subject):
        await store.subjects.visit(each, TrialBegin(DAY))
        await store.subjects.tally(each.key, 2)
    await store.operations.merge(visitor, subject)
    assert (await counted(store, visitor), await counted(store, subject)) == (0, 4)
