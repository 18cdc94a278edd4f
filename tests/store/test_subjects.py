"""Standings and counters, on every server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import cycle

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from gateway.core.decision import Purse
from gateway.core.quantity import DAY, HOUR, MINUTE, Allowance
from gateway.core.standing import Standing, SubjectState
from gateway.core.subject import Subject
from gateway.ports.operations import EraseOutcome
from gateway.ports.state import (
    DeclineOutcome,
    GiveBackOutcome,
    GraceAsked,
    NotAsked,
    StoreUnavailable,
    TakeOutcome,
    Taking,
    TrialBegin,
)
from gateway.ports.trials import TrialClaim
from gateway.store.connection import Store, open_store
from gateway.store.keys import CHANGED_CHANNEL, subject_key
from tests.store.conftest import new_subject, plain

T0 = 1_800_000_000_000
SEVEN = GraceAsked("exports", Allowance(7, 30 * DAY))


class TestTrial:
    async def test_a_visit_without_leave_begins_nothing(self, store: Store, subject: Subject) -> None:
        assert await store.subjects.visit(subject) == SubjectState()
        assert await store.operations.erase(subject) is EraseOutcome.UNKNOWN

    async def test_begins_at_the_first_visit_and_never_again(self, store: Store, subject: Subject) -> None:
        first = await store.subjects.visit(subject, TrialBegin(14 * DAY), now=T0)
        again = await store.subjects.visit(subject, TrialBegin(99 * DAY), now=T0 + 20 * DAY)
        assert (first.trial_started, first.trial_ends) == (T0, T0 + 14 * DAY)
        assert (first.trial_began, again) == (True, replace(first, trial_began=False))
        assert again.standing(grace_allowed=0, now=T0 + 20 * DAY) is Standing.EXPIRED

    async def test_begins_at_the_subjects_own_date(self, store: Store, subject: Subject) -> None:
        state = await store.subjects.visit(subject, TrialBegin(DAY, from_ms=T0 - HOUR), now=T0)
        assert (state.trial_started, state.trial_ends) == (T0 - HOUR, T0 - HOUR + DAY)

    async def test_uses_the_servers_clock(self, store: Store, subject: Subject) -> None:
        ((seconds, _),) = await store.link.ask(("TIME",))
        state = await store.subjects.visit(subject, TrialBegin(DAY))
        assert 0 <= state.trial_started - int(seconds) * 1000 < 10_000

    async def test_of_many_first_visits_one_begins_it(self, store: Store, subject: Subject) -> None:
        visits = (store.subjects.visit(subject, TrialBegin(DAY), now=T0 + place) for place in range(50))
        assert len({state.trial_started for state in await asyncio.gather(*visits)}) == 1


class TestGrace:
    async def test_is_taken_until_it_is_used_up(self, store: Store, subject: Subject) -> None:
        two = GraceAsked("exports", Allowance(2, DAY))
        taken = [await store.subjects.take(subject, Purse.GRACE, f"op{n}", two, now=T0) for n in range(3)]
        assert [each.outcome for each in taken] == [TakeOutcome.TAKEN, TakeOutcome.TAKEN, TakeOutcome.EXHAUSTED]
        assert [each.left for each in taken] == [1, 0, 0]
        assert (await store.subjects.visit(subject, grace=two, now=T0)).grace_used == 2

    async def test_a_repeated_operation_takes_once(self, store: Store, subject: Subject) -> None:
        one = GraceAsked("exports", Allowance(1, 0))
        await store.subjects.take(subject, Purse.GRACE, "op", one)
        again = await store.subjects.take(subject, Purse.GRACE, "op", one)
        assert (again.outcome, again.left) == (TakeOutcome.REPLAYED, 0)

    async def test_comes_back_when_the_window_has_slid_past_it(self, store: Store, subject: Subject) -> None:
        two = GraceAsked("exports", Allowance(2, DAY))

        async def take(operation: str, now: int) -> TakeOutcome:
            return (await store.subjects.take(subject, Purse.GRACE, operation, two, now=now)).outcome

        assert await take("a", T0) is TakeOutcome.TAKEN
        assert await take("b", T0 + HOUR) is TakeOutcome.TAKEN
        assert await take("c", T0 + DAY - 1) is TakeOutcome.EXHAUSTED
        assert await take("c", T0 + DAY) is TakeOutcome.TAKEN
        assert await take("d", T0 + DAY) is TakeOutcome.EXHAUSTED

    async def test_without_window_never_comes_back(self, store: Store, subject: Subject) -> None:
        once = GraceAsked("exports", Allowance(1, 0))
        await store.subjects.take(subject, Purse.GRACE, "a", once, now=T0)
        later = await store.subjects.take(subject, Purse.GRACE, "b", once, now=T0 + 4000 * DAY)
        assert later.outcome is TakeOutcome.EXHAUSTED

    async def test_an_operator_looking_ahead_removes_nothing(self, store: Store, subject: Subject) -> None:
        two = GraceAsked("exports", Allowance(2, DAY))
        await store.subjects.take(subject, Purse.GRACE, "a", two, now=T0)
        assert (await store.subjects.visit(subject, grace=two, now=T0 + 2 * DAY)).grace_used == 0
        assert (await store.subjects.visit(subject, grace=two, now=T0)).grace_used == 1

    async def test_purses_are_apart(self, store: Store, subject: Subject) -> None:
        one, other = GraceAsked("a", Allowance(1, 0)), GraceAsked("b", Allowance(1, 0))
        await store.subjects.take(subject, Purse.GRACE, "op1", one)
        assert (await store.subjects.take(subject, Purse.GRACE, "op2", other)).outcome is TakeOutcome.TAKEN

    async def test_is_given_back_exactly_once(self, store: Store, subject: Subject) -> None:
        one = GraceAsked("exports", Allowance(1, 0))
        await store.subjects.take(subject, Purse.GRACE, "op", one)
        back = [await store.subjects.give_back(subject, Purse.GRACE, "op", one) for _ in range(2)]
        assert back == [GiveBackOutcome.GIVEN_BACK, GiveBackOutcome.NOT_TAKEN]
        assert (await store.subjects.take(subject, Purse.GRACE, "other", one)).outcome is TakeOutcome.TAKEN

    async def test_what_was_given_back_before_it_was_taken_is_not_taken_any_more(
        self, store: Store, subject: Subject
    ) -> None:
        """The taking was on its way over a connection that was given up, and arrives last."""
        await store.operations.expire(subject)
        await store.operations.grant(subject, "gift", results=1)
        one = GraceAsked("exports", Allowance(1, 0))
        for purse, grace in ((Purse.GRACE, one), (Purse.CREDIT, None)):
            assert await store.subjects.give_back(subject, purse, "op", grace) is GiveBackOutcome.NOT_TAKEN
            assert (await store.subjects.take(subject, purse, "op", grace)).outcome is TakeOutcome.EXHAUSTED
            assert (await store.subjects.take(subject, purse, "another", grace)).outcome is TakeOutcome.TAKEN
        await store.subjects.give_back(subject, Purse.GRACE, "another", one)
        late = await store.subjects.visit(subject, grace=one, taking=Taking("op"))
        assert not late.grace_taken and late.grace_used == 0
        exported = await store.operations.export(subject)
        assert exported["credits"] == 0 and len(exported["void"]) == 3  # type: ignore[arg-type]
        assert await store.operations.erase(subject, ledger=True) is EraseOutcome.ERASED
        (left,) = await store.link.ask(("KEYS", f"{subject_key(subject)}*"))
        assert left == [subject_key(subject).encode()]

    async def test_needs_to_know_which_purse(self, store: Store, subject: Subject) -> None:
        with pytest.raises(ValueError, match="grace"):
            await store.subjects.take(subject, Purse.GRACE, "op")

    async def test_two_hundred_at_once_get_exactly_what_there_is(
        self, store: Store, url: str, subject: Subject
    ) -> None:
        async with Clients(url, 5) as clients:
            operations = [f"op{n}" for n in range(200)]
            pairs = list(zip(cycle(clients.stores), operations, strict=False))
            taken = await asyncio.gather(*(s.subjects.take(subject, Purse.GRACE, op, SEVEN) for s, op in pairs))
            won = [op for op, each in zip(operations, taken, strict=True) if each.outcome is TakeOutcome.TAKEN]
            assert len(won) == 7
            assert sorted(each.left for each in taken if each.outcome is TakeOutcome.TAKEN) == list(range(7))

            await asyncio.gather(*(s.subjects.give_back(subject, Purse.GRACE, won[0], SEVEN) for s in clients.stores))
            more = await asyncio.gather(*(s.subjects.take(subject, Purse.GRACE, "new" + op, SEVEN) for s, op in pairs))
            assert sum(each.outcome is TakeOutcome.TAKEN for each in more) == 1
            replay = await asyncio.gather(
                *(s.subjects.take(subject, Purse.GRACE, won[1], SEVEN) for s in clients.stores)
            )
            assert {each.outcome for each in replay} == {TakeOutcome.REPLAYED}

    async def test_known_bad_twin_look_then_count_gives_too_much(self, server_url: str, subject: Subject) -> None:
        """What the test above would see of a counter that is read, compared and raised by the client."""

        async def naive_take(redis: Redis, counter: str) -> bool:
            if int(await redis.get(counter) or 0) >= 7:
                return False
            await redis.incr(counter)
            return True

        clients = [Redis.from_url(plain(server_url), max_connections=4) for _ in range(5)]
        try:
            for attempt in range(20):  # a race shows itself sooner or later, here nearly always at once
                counter = f"naive:{subject.key}:{attempt}"
                takes = (naive_take(redis, counter) for redis, _ in zip(cycle(clients), range(20), strict=False))
                if sum(await asyncio.gather(*takes)) > 7:
                    return
            pytest.fail("the naive counter held: the test above would not notice a broken one")
        finally:
            for redis in clients:
                await redis.aclose()

    async def test_a_take_that_was_cancelled_is_through_before_it_is_given_back(
        self, store: Store, subject: Subject
    ) -> None:
        one = GraceAsked("exports", Allowance(1, 0))
        for attempt in range(30):
            task = asyncio.create_task(store.subjects.take(subject, Purse.GRACE, f"op{attempt}", one))
            for _ in range(attempt % 6):
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await store.subjects.give_back(subject, Purse.GRACE, f"op{attempt}", one)
        assert (await store.subjects.visit(subject, grace=one)).grace_used == 0


class TestNumbers:
    async def test_credits_are_taken_and_given_back(self, store: Store, subject: Subject) -> None:
        await store.operations.grant(subject, "gift", results=2)
        taken = [await store.subjects.take(subject, Purse.CREDIT, op) for op in ("a", "a", "b", "c")]
        assert [each.outcome.value for each in taken] == ["taken", "replayed", "taken", "exhausted"]
        assert [each.left for each in taken] == [1, 1, 0, 0]
        back = [await store.subjects.give_back(subject, Purse.CREDIT, op) for op in ("a", "a", "c")]
        assert [each.value for each in back] == ["given-back", "not-taken", "not-taken"]
        assert (await store.subjects.visit(subject)).credits == 1

    async def test_many_at_once_get_exactly_what_was_paid_for(self, store: Store, url: str, subject: Subject) -> None:
        await store.operations.grant(subject, "gift", results=7)
        async with Clients(url, 5) as clients:
            takes = (
                s.subjects.take(subject, Purse.CREDIT, f"op{n}") for s, n in zip(cycle(clients.stores), range(100))
            )
            assert sum(each.outcome is TakeOutcome.TAKEN for each in await asyncio.gather(*takes)) == 7

    async def test_a_window_gives_until_it_ends(self, store: Store, subject: Subject) -> None:
        # No verb opens a window yet: the fields are written as one will.
        await store.link.ask(("HSET", subject_key(subject), "we", T0 + HOUR, "wl", 2))
        first = await store.subjects.take(subject, Purse.WINDOW, "a", now=T0)
        late = await store.subjects.take(subject, Purse.WINDOW, "b", now=T0 + HOUR)
        assert (first.outcome, first.left, late.outcome) == (TakeOutcome.TAKEN, 1, TakeOutcome.EXHAUSTED)
        assert await store.subjects.give_back(subject, Purse.WINDOW, "a") is GiveBackOutcome.GIVEN_BACK
        state = await store.subjects.visit(subject, now=T0)
        assert (state.window_ends, state.window_left) == (T0 + HOUR, 2)


class TestDecline:
    async def test_keeps_the_first_date_and_the_last_reason(self, store: Store, subject: Subject) -> None:
        assert await store.subjects.decline(subject, "price", now=T0) is DeclineOutcome.DECLINED
        again = await store.subjects.decline(subject, "later", "in \u0430pril " + "x" * 9_000, now=T0 + DAY)
        assert again is DeclineOutcome.ALREADY_DECLINED
        state = await store.subjects.visit(subject, now=T0 + DAY)
        assert (state.declined_at, state.decline_reason) == (T0, "later")
        note = (await store.operations.export(subject))["decline_note"]
        assert isinstance(note, str) and note.startswith("in \u0430pril xxx") and len(note) == 2_000
        await store.subjects.decline(subject, "price")
        assert (await store.operations.export(subject))["decline_note"] == ""


async def test_ids_of_every_kind_are_kept_apart(store: Store) -> None:
    ids = ["\u00e9", "e\u0301", "\ud800", "a}b{c", " ", "x" * 512]
    for place, each in enumerate(ids):
        await store.subjects.visit(Subject.parse("person:" + each), TrialBegin(DAY), now=T0 + place)
    for place, each in enumerate(ids):
        subject = Subject.parse("person:" + each)
        assert (await store.subjects.visit(subject)).trial_started == T0 + place
        assert (await store.operations.export(subject))["subject"] == str(subject)
        assert await store.operations.erase(subject) is EraseOutcome.ERASED


async def test_a_subject_at_rest_is_small(store: Store, subject: Subject) -> None:
    await store.subjects.visit(subject, TrialBegin(14 * DAY))
    await store.subjects.decline(subject, "too-expensive")
    await store.operations.grant(subject, "gift", period_ms=DAY, results=3)
    (size,) = await store.link.ask(("MEMORY", "USAGE", subject_key(subject)))
    assert size <= 400


async def test_every_change_is_published(store: Store, subject: Subject) -> None:
    one = GraceAsked("exports", Allowance(1, 0))
    changes: dict[str, Callable[[], Awaitable[object]]] = {
        "trial": lambda: store.subjects.visit(subject, TrialBegin(DAY)),
        "decline": lambda: store.subjects.decline(subject, "price"),
        "grant": lambda: store.operations.grant(subject, "gift", results=1),
        "expire": lambda: store.operations.expire(subject),
        "erase": lambda: store.operations.erase(subject),
    }
    redis = store.link.listener()
    try:
        async with redis.pubsub(ignore_subscribe_messages=True) as channel:
            await channel.subscribe(CHANGED_CHANNEL)
            await channel.get_message(timeout=5)
            for name, change in changes.items():
                await change()
                heard = await channel.get_message(timeout=5)
                assert heard is not None and heard["data"] == subject.key.encode(), name
            # Nothing of these is a right that anybody remembers.
            await store.subjects.visit(subject)
            await store.subjects.take(subject, Purse.GRACE, "op", one)
            await store.subjects.give_back(subject, Purse.GRACE, "op", one)
            assert await channel.get_message(timeout=0.05) is None
    finally:
        await redis.aclose()


class Clients:
    """As many gateway processes as said: each with connections of its own."""

    def __init__(self, url: str, count: int) -> None:
        self.stores = [open_store(url) for _ in range(count)]

    async def __aenter__(self) -> Clients:
        return self

    async def __aexit__(self, *error: object) -> None:
        for each in self.stores:
            await each.link.close()


class Model:
    """A grace purse that anybody can check by eye."""

    def __init__(self, allowance: Allowance) -> None:
        self.allowance = allowance
        self.taken: dict[str, int] = {}
        self.void: dict[str, int] = {}
        """Given back, and when; those of old are forgotten with the next."""

    def used(self, now: int) -> dict[str, int]:
        window = self.allowance.window_ms
        return {op: at for op, at in self.taken.items() if not window or at > now - window}

    def take(self, operation: str, now: int) -> TakeOutcome:
        used = self.used(now)
        if operation in used:
            return TakeOutcome.REPLAYED
        if len(used) >= self.allowance.count or operation in self.void:
            return TakeOutcome.EXHAUSTED
        self.taken = used | {operation: now}  # what is of old is forgotten with the next that is taken
        return TakeOutcome.TAKEN

    def give_back(self, operation: str, now: int) -> GiveBackOutcome:
        self.void = {op: at for op, at in self.void.items() if at > now - 10 * MINUTE} | {operation: now}
        return GiveBackOutcome.NOT_TAKEN if self.taken.pop(operation, None) is None else GiveBackOutcome.GIVEN_BACK


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["take", "visit-and-take", "give-back", "visit"]), st.sampled_from("abcde"), st.integers(0, 60)
    ),
    max_size=25,
)


@given(steps=STEPS, count=st.integers(0, 3), window=st.sampled_from([0, 50, 100]))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_grace_does_what_the_model_does(url: str, steps: list[tuple[str, str, int]], count: int, window: int) -> None:
    asyncio.run(against_the_model(url, steps, Allowance(count, window * HOUR)))


async def against_the_model(url: str, steps: list[tuple[str, str, int]], allowance: Allowance) -> None:
    asked, model, subject, now = GraceAsked("purse", allowance), Model(allowance), new_subject(), T0
    async with Clients(url, 1) as clients:
        verbs = clients.stores[0].subjects
        await clients.stores[0].operations.expire(subject, now=T0)
        for step, operation, hours in steps:
            now += hours * HOUR
            if step == "take":
                assert (await verbs.take(subject, Purse.GRACE, operation, asked, now)).outcome is model.take(
                    operation, now
                )
            elif step == "visit-and-take":
                state = await verbs.visit(subject, grace=asked, now=now, taking=Taking(operation))
                others = len(model.used(now).keys() - {operation})
                assert state.grace_taken is (model.take(operation, now) is not TakeOutcome.EXHAUSTED)
                assert state.grace_used == others
            elif step == "give-back":
                back = await verbs.give_back(subject, Purse.GRACE, operation, asked, now)
                assert back is model.give_back(operation, now)
            else:
                assert (await verbs.visit(subject, grace=asked, now=now)).grace_used == len(model.used(now))


INSTANTS = st.sampled_from([0, T0 - HOUR, T0, T0 + 1, T0 + HOUR])
STATES = st.fixed_dictionaries(
    {
        "ts": st.sampled_from([0, T0 - DAY]), "te": INSTANTS, "eu": INSTANTS, "cr": st.integers(0, 1), "we": INSTANTS,
        "wl": st.integers(0, 1), "da": st.sampled_from([0, T0 - HOUR]),
    }
)  # fmt: skip


@given(fields=STATES, used=st.integers(0, 2), count=st.integers(0, 2), credits=st.booleans())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_visit_takes_what_is_decided_to_be_taken_and_nothing_else(
    url: str, fields: dict[str, int], used: int, count: int, credits: bool
) -> None:
    asyncio.run(visited(url, fields, used, GraceAsked("purse", Allowance(count, DAY)), credits))


async def visited(url: str, fields: dict[str, int], used: int, asked: GraceAsked, credits: bool) -> None:
    subject, plenty = new_subject(), GraceAsked("purse", Allowance(9, DAY))
    async with Clients(url, 1) as clients:
        store = clients.stores[0]
        flat = [part for field, value in fields.items() if value for part in (field, value)]
        await store.link.ask(("HSET", subject_key(subject), "id", str(subject), *flat))
        for number in range(used):
            await store.subjects.take(subject, Purse.GRACE, str(number), plenty, now=T0)
        state = await store.subjects.visit(subject, grace=asked, now=T0, taking=Taking("new", credits))
        seen = state if credits else replace(state, credits=0)
        assert state.grace_taken is (seen.standing(asked.allowance.count, T0) is Standing.GRACE)
        after = await store.subjects.visit(subject, grace=asked, now=T0)
        assert (state.grace_used, after.grace_used) == (used, used + state.grace_taken)
        assert replace(after, grace_used=0) == replace(state, grace_used=0, grace_taken=False)


async def test_a_visit_that_nobody_waits_for_is_told_once(store: Store, subject: Subject) -> None:
    asked, told = GraceAsked("purse", Allowance(1, DAY)), asyncio.Queue[SubjectState | StoreUnavailable]()
    await store.operations.expire(subject)
    await store.link.ask(("SCRIPT", "FLUSH"))
    store.subjects.visit_soon(subject, None, asked, Taking("op"), told.put_nowait)
    assert told.empty()
    state = await told.get()
    assert isinstance(state, SubjectState) and state.grace_taken, "a server that has forgotten the script learns it"
    await store.subjects.visit(subject)
    for _ in range(2):
        store.subjects.visit_soon(subject, None, asked, Taking("op"), told.put_nowait)
        state = await told.get()
        assert isinstance(state, SubjectState) and state.grace_taken and state.grace_used == 0
    await store.stop()
    store.subjects.visit_soon(subject, None, asked, Taking("late"), told.put_nowait)
    assert isinstance(await told.get(), NotAsked) and told.empty()


class TestOneTrialForOneIdentity:
    def begin(self, *claims: TrialClaim) -> TrialBegin:
        return TrialBegin(14 * DAY, claims=claims)

    def claim(self, kind: str, count: int = 1) -> TrialClaim:
        return TrialClaim(kind, new_subject().key, Allowance(count, 30 * DAY))

    async def test_the_first_has_it_and_the_next_is_where_it_would_be_over(self, store: Store) -> None:
        first, second, begin = new_subject(), new_subject(), self.begin(self.claim("mail"))
        for _ in range(2):
            assert (await store.subjects.visit(first, begin, SEVEN, now=T0)).trial_ends == T0 + 14 * DAY
        refused = await store.subjects.visit(second, begin, SEVEN, now=T0)
        assert (refused.trial_refused, refused.trial_began) == ("mail", False)
        assert refused.standing(grace_allowed=0, now=T0) is Standing.EXPIRED
        assert refused.standing(grace_allowed=7, now=T0) is Standing.GRACE
        again = await store.subjects.visit(second, begin, now=T0)
        assert again.trial_refused == "" and again.standing(0, T0) is Standing.EXPIRED

    async def test_so_many_within_a_time(self, store: Store) -> None:
        begin = self.begin(self.claim("network", count=3))
        begun = [(await store.subjects.visit(new_subject(), begin, now=T0 + day * DAY)).trial_began for day in range(5)]
        assert begun == [True, True, True, False, False]
        assert (await store.subjects.visit(new_subject(), begin, now=T0 + 30 * DAY)).trial_began

    async def test_of_many_at_once_exactly_one_begins(self, store: Store) -> None:
        begin = self.begin(self.claim("mail"))
        states = await asyncio.gather(*(store.subjects.visit(new_subject(), begin) for _ in range(30)))
        assert sum(state.trial_began for state in states) == 1

    async def test_who_was_cut_off_after_the_claim_begins_it_later(self, store: Store, subject: Subject) -> None:
        begin = self.begin(self.claim("mail"))
        assert await store.subjects.claim(subject, begin, T0) == ""
        assert (await store.subjects.visit(new_subject(), begin, now=T0)).trial_refused == "mail"
        assert (await store.subjects.visit(subject, begin, now=T0)).trial_began

    async def test_nothing_is_asked_of_whoever_has_begun(self, store: Store, subject: Subject) -> None:
        await store.subjects.visit(subject, TrialBegin(14 * DAY))
        claim = self.claim("mail")
        assert (await store.subjects.visit(subject, self.begin(claim))).trial_refused == ""
        assert await store.link.ask(("EXISTS", f"pw:trial:{{{claim.digest}}}")) == [0]

    async def test_the_index_forgets_by_itself(self, store: Store, subject: Subject) -> None:
        claim = self.claim("mail")
        await store.subjects.visit(subject, self.begin(claim))
        (left,) = await store.link.ask(("PTTL", f"pw:trial:{{{claim.digest}}}"))
        assert 29 * DAY < left <= 30 * DAY

    async def test_who_does_not_wait_is_sent_the_long_way(self, store: Store, subject: Subject) -> None:
        begin, heard = self.begin(self.claim("mail")), asyncio.Event()
        told: list[object] = []

        def hear(found: object) -> None:
            told.append(found)
            heard.set()

        store.subjects.visit_soon(subject, begin, SEVEN, None, hear)
        await asyncio.wait_for(heard.wait(), 5)
        assert isinstance(told[0], NotAsked)
        await store.subjects.visit(subject, begin)
        heard.clear()
        store.subjects.visit_soon(subject, begin, SEVEN, None, hear)
        await asyncio.wait_for(heard.wait(), 5)
        assert isinstance(told[1], SubjectState) and told[1].trial_started
