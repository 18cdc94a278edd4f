"""Whoever only looked around is forgotten after a while, and gets no second trial for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator

import pytest

from gateway.core.decision import Purse
from gateway.core.money import Money
from gateway.core.quantity import DAY, HOUR, Allowance
from gateway.core.standing import Standing
from gateway.core.subject import Subject
from gateway.ports.cashbook import CheckoutRecord
from gateway.ports.state import GraceAsked, Taking, TrialBegin
from gateway.ports.trials import Retention
from gateway.store.connection import Store
from gateway.store.keys import subject_key
from tests.store.conftest import new_subject
from tests.store.test_holds import keep

ONCE = GraceAsked("exports", Allowance(3, 0))
CHECKOUT = CheckoutRecord("c", "o", "pro", Money(300, "USD"), "sandbox", results=1)


@pytest.fixture(autouse=True)
def retention(store: Store) -> Iterator[None]:
    store.subjects.retain(Retention(10 * DAY, 30 * DAY))
    yield
    store.subjects.retain(Retention())


async def lives(store: Store, subject: Subject, name: str = "") -> float:
    """Days that a key has left; -1 for one that stays."""
    (left,) = await store.link.ask(("PTTL", subject_key(subject) + name))
    return left / DAY if left > 0 else float(left)


async def let_days_pass(store: Store, subject: Subject, days: int) -> None:
    """For every key of this subject."""
    (names,) = await store.link.ask(("KEYS", f"{subject_key(subject)}*"))
    for name in names:
        (left,) = await store.link.ask(("PTTL", name))
        if left > 0:
            await store.link.ask(("PEXPIRE", name, left - days * DAY))


async def test_it_goes_after_its_time_and_is_renewed_once_a_day(store: Store, subject: Subject) -> None:
    await store.subjects.visit(subject, TrialBegin(DAY))
    assert 9.9 < await lives(store, subject) <= 10
    await store.link.ask(("PEXPIRE", subject_key(subject), 10 * DAY - HOUR))
    await store.subjects.visit(subject)
    assert await lives(store, subject) < 9.97, "not again on the same day"
    await let_days_pass(store, subject, 3)
    await store.subjects.visit(subject)
    assert await lives(store, subject) > 9.9


async def test_who_comes_back_has_no_second_trial_until_that_is_forgotten_too(store: Store, subject: Subject) -> None:
    await store.subjects.visit(subject, TrialBegin(DAY))
    await let_days_pass(store, subject, 11)
    assert await lives(store, subject) == -2
    state = await store.subjects.visit(subject, TrialBegin(DAY))
    assert not state.trial_began and state.standing(0, now=1_000_000_000_000) is Standing.EXPIRED
    await let_days_pass(store, subject, 31)
    assert (await store.subjects.visit(subject, TrialBegin(DAY))).trial_began


async def test_its_purses_and_its_words_go_with_it(store: Store, subject: Subject) -> None:
    await store.subjects.visit(subject, TrialBegin(0))
    await store.subjects.visit(subject, grace=ONCE, taking=Taking("op"))
    await store.subjects.decline(subject, "price", "too dear")
    await let_days_pass(store, subject, 11)
    (left,) = await store.link.ask(("KEYS", f"{subject_key(subject)}*"))
    assert left == [f"{subject_key(subject)}:had".encode()]


KEEPS: dict[str, Callable[[Store, Subject], Awaitable[object]]] = {
    "a gift": lambda store, subject: store.operations.grant(subject, "gift", results=1),
    "an extension": lambda store, subject: store.operations.extend(subject, "more", DAY),
    "a checkout": lambda store, subject: store.payments.open_checkout(subject, CHECKOUT, 0),
    "a merge": lambda store, subject: store.operations.merge(subject, new_subject()),
}


@pytest.mark.parametrize("what", KEEPS)
async def test_whoever_has_more_than_a_trial_stays(store: Store, subject: Subject, what: str) -> None:
    await store.subjects.visit(subject, TrialBegin(DAY))
    await KEEPS[what](store, subject)
    for _ in range(2):
        assert await lives(store, subject) == -1
        await store.subjects.visit(subject)


async def test_whoever_has_a_result_held_is_not_given_a_new_time_but_none_shorter(
    store: Store, subject: Subject
) -> None:
    await keep(store, subject, "h")
    await store.subjects.visit(subject, TrialBegin(DAY))
    assert await lives(store, subject) == -1


async def test_without_the_setting_nobody_goes(store: Store, subject: Subject) -> None:
    store.subjects.retain(Retention())
    await store.subjects.visit(subject, TrialBegin(DAY))
    await store.subjects.take(subject, Purse.GRACE, "op", ONCE)
    assert await lives(store, subject) == -1 and await lives(store, subject, ":had") == -2


async def test_a_long_trial_is_not_cut_short(store: Store, subject: Subject) -> None:
    await store.subjects.visit(subject, TrialBegin(100 * DAY))
    assert await lives(store, subject) > 100


async def test_looking_at_somebody_unknown_keeps_nothing(store: Store, subject: Subject) -> None:
    await store.subjects.visit(subject)
    (left,) = await store.link.ask(("KEYS", f"{subject_key(subject)}*"))
    assert left == []


@pytest.mark.parametrize("verb", ["take", "give back", "take with a visit and give back"])
async def test_a_free_result_keeps_nobody_for_ever(store: Store, subject: Subject, verb: str) -> None:
    """Whoever comes for one and never again is forgotten like everybody else, also where nothing came of it."""
    await store.subjects.visit(subject, TrialBegin(0))
    await let_days_pass(store, subject, 4)
    if verb == "take with a visit and give back":
        await store.subjects.visit(subject, grace=ONCE, taking=Taking("op"))
    elif verb == "take":
        await store.subjects.take(subject, Purse.GRACE, "op", ONCE)
    if verb != "take":
        await store.subjects.give_back(subject, Purse.GRACE, "op", ONCE)
    (names,) = await store.link.ask(("KEYS", f"{subject_key(subject)}*"))
    for name in names:
        (left,) = await store.link.ask(("PTTL", name))
        assert left > 0, f"{name!r} stays for ever"


async def test_where_the_setting_was_taken_away_whoever_was_forgotten_has_no_second_trial_either(
    store: Store, subject: Subject
) -> None:
    await store.subjects.visit(subject, TrialBegin(DAY))
    await let_days_pass(store, subject, 11)
    store.subjects.retain(Retention())
    state = await store.subjects.visit(subject, TrialBegin(DAY))
    assert not state.trial_began and state.standing(0, now=1_000_000_000_000) is Standing.EXPIRED


async def test_whoever_was_forgotten_gets_no_second_trial_by_a_new_visitor_who_signs_in(
    store: Store, subject: Subject
) -> None:
    await store.subjects.visit(subject, TrialBegin(DAY))
    await let_days_pass(store, subject, 11)
    visitor = Subject.parse("visitor:new")
    await store.subjects.visit(visitor, TrialBegin(DAY))
    await store.operations.merge(visitor, subject)
    state = await store.subjects.visit(subject, TrialBegin(DAY))
    assert state.standing(0, now=1_000_000_000_000) is Standing.EXPIRED
