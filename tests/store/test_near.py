"""What a process remembers of subjects, and how it hears that it must not any more."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from gateway.core.quantity import DAY
from gateway.core.standing import SubjectState
from gateway.core.subject import Subject
from gateway.ports.state import TrialBegin
from gateway.store import near
from gateway.store.connection import Store, open_store
from gateway.store.near import NearMemory
from tests.store.conftest import new_subject, until

NOW = 1_000_000
IN_TRIAL = SubjectState(trial_started=1, trial_ends=NOW + 1)
ENTITLED = SubjectState(trial_started=1, trial_ends=2, entitled_until=NOW + 1)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def memory(clock: Clock) -> NearMemory:
    made = NearMemory(clock)
    made.hears(True)
    return made


def remember(memory: NearMemory, subject: Subject, state: SubjectState) -> None:
    memory.remember(subject, state, memory.begin_reading())


@pytest.mark.parametrize("state", [IN_TRIAL, ENTITLED])
def test_a_right_by_date_is_remembered_until_its_date(
    memory: NearMemory, subject: Subject, state: SubjectState
) -> None:
    remember(memory, subject, state)
    assert memory.recall(subject, NOW) is state
    assert memory.recall(subject, NOW + 1) is None
    assert memory.recall(new_subject(), NOW) is None


@pytest.mark.parametrize(
    "state",
    [
        SubjectState(),
        SubjectState(trial_started=1, trial_ends=2),
        SubjectState(trial_started=1, trial_ends=2, credits=5),
        SubjectState(trial_started=1, trial_ends=2, window_ends=NOW + 1, window_left=1),
        SubjectState(trial_started=1, trial_ends=NOW + 1, credits=5),
        SubjectState(trial_started=1, trial_ends=NOW + 1, trial_began=True),
    ],
    ids=["unheard of", "expired", "paid by number", "window", "a trial with credits", "a trial that has just begun"],
)
def test_whoever_must_be_counted_or_may_have_paid_meanwhile_is_never_remembered(
    memory: NearMemory, subject: Subject, state: SubjectState
) -> None:
    remember(memory, subject, state)
    assert memory.recall(subject, NOW) is None


def test_nothing_is_older_than_five_seconds(memory: NearMemory, clock: Clock, subject: Subject) -> None:
    remember(memory, subject, IN_TRIAL)
    clock.now = near.OLDEST_SECONDS
    assert memory.recall(subject, NOW)
    clock.now += 0.001
    assert memory.recall(subject, NOW) is None


def test_a_change_drops_the_subject_and_no_other(memory: NearMemory, subject: Subject) -> None:
    other = new_subject()
    remember(memory, subject, IN_TRIAL)
    remember(memory, other, IN_TRIAL)
    memory.changed(subject.key)
    assert memory.recall(subject, NOW) is None
    assert memory.recall(other, NOW) is IN_TRIAL


def test_what_was_read_before_a_change_and_comes_after_it_is_not_believed(memory: NearMemory, subject: Subject) -> None:
    begun = memory.begin_reading()
    memory.changed(subject.key)
    memory.remember(subject, IN_TRIAL, begun)
    assert memory.recall(subject, NOW) is None
    remember(memory, subject, IN_TRIAL)
    assert memory.recall(subject, NOW) is IN_TRIAL


def test_without_news_nothing_is_remembered_and_what_was_is_forgotten(memory: NearMemory, subject: Subject) -> None:
    remember(memory, subject, IN_TRIAL)
    begun = memory.begin_reading()
    memory.hears(False)
    assert memory.recall(subject, NOW) is None
    remember(memory, subject, IN_TRIAL)
    assert memory.recall(subject, NOW) is None
    memory.hears(True)
    memory.remember(subject, IN_TRIAL, begun)
    assert memory.recall(subject, NOW) is None, "it was read while nobody heard"


def test_so_many_changes_that_some_are_forgotten_make_no_old_state_believed(
    memory: NearMemory, subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(near, "REMEMBERED", 3)
    begun = memory.begin_reading()
    memory.changed(subject.key)
    for _ in range(7):
        memory.changed(new_subject().key)
    memory.remember(subject, IN_TRIAL, begun)
    assert memory.recall(subject, NOW) is None


@pytest.fixture
def ageless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is forgotten for its age: only news can do it."""
    monkeypatch.setattr(near, "OLDEST_SECONDS", 3600.0)


@pytest.fixture
async def another(url: str, store: Store) -> AsyncIterator[Store]:
    """A second process of the gateway on the same server."""
    opened = open_store(url)
    await opened.start()
    yield opened
    await opened.stop()


def now() -> int:
    return time.time_ns() // 1_000_000


async def make_known(store: Store, subject: Subject) -> None:
    """Until the store's news have come in and the subject is remembered."""
    async with asyncio.timeout(10):
        while store.subjects.recall(subject, now()) is None:
            await store.subjects.visit(subject, TrialBegin(DAY))
            await asyncio.sleep(0.005)


@pytest.mark.usefixtures("ageless")
async def test_a_change_by_another_process_is_heard(store: Store, another: Store, subject: Subject) -> None:
    await make_known(store, subject)
    await another.operations.expire(subject)
    await until(lambda: store.subjects.recall(subject, now()) is None, "the news has come")
    assert (await store.subjects.visit(subject)).trial_ends <= now()


@pytest.mark.usefixtures("ageless")
async def test_a_lost_connection_forgets_and_is_made_again(store: Store, subject: Subject) -> None:
    await make_known(store, subject)
    for node in store.link.nodes:
        await node.ask(("CLIENT", "KILL", "TYPE", "pubsub"))
    await until(lambda: store.subjects.recall(subject, now()) is None, "the loss is noticed")
    await make_known(store, subject)


async def test_a_stop_in_any_moment_leaves_nothing_open(url: str) -> None:
    for turns in range(12):
        opened = open_store(url)
        await opened.start()
        for _ in range(turns):
            await asyncio.sleep(0)
        await opened.stop()


class TestLastKnown:
    def test_what_was_remembered_counts_when_the_news_are_lost(self, memory: NearMemory, subject: Subject) -> None:
        remember(memory, subject, ENTITLED)
        memory.hears(False)
        assert memory.recall(subject, NOW) is None
        assert memory.last_known(subject, NOW) is ENTITLED
        assert memory.last_known(subject, NOW + 1) is None, "its date has come"
        assert memory.last_known(new_subject(), NOW) is None

    def test_for_a_quarter_of_an_hour(self, memory: NearMemory, clock: Clock, subject: Subject) -> None:
        remember(memory, subject, ENTITLED)
        clock.now += 600.0
        assert memory.recall(subject, NOW) is None
        assert memory.last_known(subject, NOW) is ENTITLED, "also before the loss is noticed"
        memory.hears(False)
        clock.now += near.LAST_KNOWN_SECONDS - 600.0
        assert memory.last_known(subject, NOW) is ENTITLED
        clock.now += 1.0
        assert memory.last_known(subject, NOW) is None

    @pytest.mark.parametrize("lost", [False, True])
    def test_what_has_changed_since_does_not_count(self, memory: NearMemory, subject: Subject, lost: bool) -> None:
        remember(memory, subject, ENTITLED)
        if lost:
            memory.hears(False)
            memory.hears(True)
        memory.changed(subject.key)
        assert memory.last_known(subject, NOW) is None

    def test_what_was_read_since_takes_its_place(self, memory: NearMemory, subject: Subject) -> None:
        remember(memory, subject, ENTITLED)
        memory.hears(False)
        remember(memory, subject, SubjectState(trial_started=1, trial_ends=2))
        assert memory.last_known(subject, NOW) is None

    def test_what_was_read_before_there_were_news_again_counts_at_the_next_loss(
        self, memory: NearMemory, clock: Clock, subject: Subject
    ) -> None:
        """The store is back for a moment, answers, and is away again."""
        memory.remember(subject, ENTITLED, memory.begin_reading())
        memory.hears(False)
        memory.remember(subject, ENTITLED, memory.begin_reading())
        assert memory.recall(subject, NOW) is None, "without news it is no right to go by while the store is there"
        assert memory.last_known(subject, NOW) is ENTITLED
        clock.now = near.LAST_KNOWN_SECONDS + 1
        assert memory.last_known(subject, NOW) is None

    def test_two_losses_are_no_more_than_one(self, memory: NearMemory, subject: Subject) -> None:
        remember(memory, subject, ENTITLED)
        for hears in (False, True, False, True, False):
            memory.hears(hears)
        assert memory.last_known(subject, NOW) is ENTITLED

    def test_the_old_goes_before_the_new_when_there_is_too_much(
        self, memory: NearMemory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(near, "REMEMBERED", 2)
        several = [new_subject() for _ in range(6)]
        for first in range(0, 6, 2):
            for subject in several[first : first + 2]:
                remember(memory, subject, ENTITLED)
            memory.hears(False)
            memory.hears(True)
        assert [memory.last_known(subject, NOW) for subject in several] == [None] * 4 + [ENTITLED] * 2
