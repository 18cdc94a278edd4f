"""First visits are told to the store in the background, once, and later when it is down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from gateway.access import visits as visits_module
from gateway.access.visits import Visits
from gateway.core.event import Event, TrialBegan
from gateway.core.keyring import Keyring
from gateway.core.quantity import DAY
from gateway.core.subject import Subject
from gateway.ports.state import StoreUnavailable, Subjects, TrialBegin
from gateway.store.connection import Store
from tests.store.conftest import new_subject, until

TRIAL = TrialBegin(14 * DAY)
KEYRING = Keyring(b"s" * 16)


class Recorder:
    """Notes events."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def record(self, event: Event) -> None:
        self.events.append(event)


class Counted:
    """The real store's subjects, counted, and out of reach while `down`."""

    def __init__(self, real: Subjects) -> None:
        self.real, self.down, self.asked = real, False, 0

    async def visit(self, subject: Subject, begin: TrialBegin | None = None) -> object:
        self.asked += 1
        if self.down:
            raise StoreUnavailable("the store at nowhere does not answer")
        return await self.real.visit(subject, begin)


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def counted(store: Store) -> Counted:
    return Counted(store.subjects)


@pytest.fixture
async def visits(counted: Counted, recorder: Recorder) -> AsyncIterator[Visits]:
    made = Visits(counted, recorder, KEYRING, lambda: 7, print)  # type: ignore[arg-type]  # what is asked of it is there
    await made.start()
    yield made
    await made.stop()


async def test_a_first_visit_begins_the_trial(visits: Visits, recorder: Recorder, store: Store) -> None:
    subject = new_subject()
    visits.note(subject, TRIAL)
    await until(lambda: bool(recorder.events), "the trial began")
    state = await store.subjects.visit(subject)
    assert recorder.events == [TrialBegan(at=7, subject=KEYRING.pseudonym(subject), ends=state.trial_ends)]
    assert state.trial_ends == state.trial_started + 14 * DAY


async def test_each_subject_is_told_once(visits: Visits, recorder: Recorder, counted: Counted) -> None:
    subjects = [new_subject() for _ in range(50)]
    for _ in range(20):
        for subject in subjects:
            visits.note(subject, TRIAL)
    await until(lambda: len(recorder.events) == 50, "all trials began")
    assert counted.asked == 50


async def test_a_trial_that_has_begun_before_makes_no_event(
    visits: Visits, recorder: Recorder, counted: Counted, store: Store
) -> None:
    old, new = new_subject(), new_subject()
    await store.subjects.visit(old, TRIAL)
    visits.note(old, TRIAL)
    visits.note(new, TRIAL)
    await until(lambda: counted.asked == 2 and bool(recorder.events), "both were told")
    assert [event.subject for event in recorder.events] == [KEYRING.pseudonym(new)]


async def test_what_a_store_that_is_down_was_not_told_it_is_told_later(
    visits: Visits, recorder: Recorder, counted: Counted
) -> None:
    subject = new_subject()
    counted.down = True
    visits.note(subject, TRIAL)
    await until(lambda: counted.asked == 1, "the store was asked")
    counted.down = False
    await asyncio.sleep(0)
    visits.note(subject, TRIAL)
    await until(lambda: len(recorder.events) == 1, "the trial began after all")


async def test_too_many_at_once_wait_for_their_next_visit(
    counted: Counted, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visits_module, "REMEMBERED", 2)
    visits = Visits(counted, recorder, KEYRING, lambda: 7, print, 500)  # type: ignore[arg-type]
    await visits.start()
    subjects = [new_subject() for _ in range(501)]
    for subject in subjects:
        visits.note(subject, TRIAL)
    await until(lambda: len(recorder.events) == 500, "those in the queue were told", 60)
    visits.note(subjects[-1], TRIAL)
    await until(lambda: len(recorder.events) == len(subjects), "the last one was told at the next visit")
    await visits.stop()
