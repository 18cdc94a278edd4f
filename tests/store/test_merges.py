"""One subject becomes another, on every server, whatever is cut off on the way."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from gateway.core.decision import Purse
from gateway.core.money import Money
from gateway.core.quantity import DAY, HOUR, Allowance
from gateway.core.standing import Standing, SubjectState
from gateway.core.subject import Subject
from gateway.payments.audit import audit
from gateway.ports.cashbook import CheckoutRecord, Settlement, SettleOutcome
from gateway.ports.operations import EraseOutcome, MergeOutcome
from gateway.ports.state import (
    GraceAsked,
    ReleaseOutcome,
    StoreUnavailable,
    TakeOutcome,
    TrialBegin,
)
from gateway.store import merges
from gateway.store.connection import Store
from gateway.store.keys import subject_key
from tests.store.conftest import new_subject
from tests.store.strict import made
from tests.store.test_holds import keep

TWO = GraceAsked("exports", Allowance(2, 30 * DAY))
PRICE = Money(300, "USD")
PACK = CheckoutRecord("pack", "o1", "pack", PRICE, "sandbox", results=5)
MONTH = CheckoutRecord("month", "o2", "month", PRICE, "sandbox", period_ms=30 * DAY)
ALONE = CheckoutRecord("alone", "o3", "route", PRICE, "sandbox", "hold2", "exports")


@pytest.fixture
def visitor() -> Subject:
    return Subject.parse(f"visitor:{new_subject().id[:22]}")


def paid(record: CheckoutRecord, payment: str) -> Settlement:
    return Settlement(f"e-{payment}", payment, record.id, record.price, "sandbox")


async def live(store: Store, visitor: Subject) -> None:
    """A visitor's life: a trial that is over, a free result, credits, a period, holds, a refusal, open checkouts."""
    await store.subjects.visit(visitor, TrialBegin(HOUR, from_ms=1_000))
    await store.subjects.take(visitor, Purse.GRACE, "grace-1", TWO)
    await keep(store, visitor, "hold1", chunks=2)
    await keep(store, visitor, "hold2", chunks=1)
    await store.payments.open_checkout(visitor, PACK, settled=0)
    await store.payments.settle(visitor, paid(PACK, "p-pack"))
    await store.subjects.take(visitor, Purse.CREDIT, "spent-1")
    await store.operations.grant(visitor, "gift", period_ms=7 * DAY)
    await store.payments.open_checkout(visitor, MONTH, settled=1)
    await store.payments.open_checkout(visitor, ALONE, settled=1)
    await store.subjects.decline(visitor, "price", "too dear")


async def faults(store: Store) -> list[str]:
    """What an audit finds in everybody's books."""
    return [fault async for books in store.books.read() for book in books for fault in audit(book)]


async def standing(store: Store, subject: Subject) -> SubjectState:
    return await store.subjects.visit(subject, grace=TWO)


async def has_arrived(store: Store, visitor: Subject, person: Subject) -> None:
    """All of `live` is the person's, once, and none of it the visitor's."""
    state, left = await standing(store, person), await standing(store, visitor)
    assert (state.credits, state.trial_started, state.trial_ends) == (4, 1_000, 1_000 + HOUR)
    assert 6 * DAY < state.entitled_until - left.trial_started < 10_000 * 365 * DAY
    assert (state.grace_used, state.decline_reason, state.holds) == (1, "price", 2)
    exported = await store.operations.export(person)
    assert exported["decline_note"] == "too dear"
    assert {each["id"] for each in exported["checkouts"]} == {"month", "alone"}  # type: ignore[attr-defined]
    for name, chunks in (("hold1", 2), ("hold2", 1)):
        record = await store.holds.get(person, name)
        assert record is not None and (record.owner, record.chunks, record.paid) == (visitor.key, chunks, False)
        assert all([await store.holds.chunk(person, name, number) for number in range(chunks)])
        assert await store.holds.get(visitor, name) is None
    assert (left.credits, left.entitled_until, left.holds, left.declined_at) == (0, 0, 0, 0)
    assert left.standing(grace_allowed=0, now=state.entitled_until) is Standing.EXPIRED
    assert [entry["kind"] for entry in await store.payments.ledger(person)] == ["merge"]
    assert (await store.payments.ledger(visitor))[-1]["kind"] == "merged-into"
    (parcel,) = await store.link.ask(("EXISTS", f"{subject_key(visitor)}:parcel"))
    assert not parcel
    assert await faults(store) == []


async def test_everything_comes_along_once(store: Store, subject: Subject, visitor: Subject) -> None:
    await live(store, visitor)
    assert await store.operations.merge(visitor, subject) is MergeOutcome.MERGED
    await has_arrived(store, visitor, subject)
    assert await store.operations.merge(visitor, subject) is MergeOutcome.NOTHING_NEW
    await has_arrived(store, visitor, subject)
    assert (await store.operations.export(visitor))["merged_into"] == subject.key


class Cut:
    """Lets this many of the calls that merging makes pass, and then none; the last one is heard of, or not."""

    def __init__(self, passes: int, is_heard: bool) -> None:
        self.left, self.is_heard = passes, is_heard

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        async def cut(*args: Any) -> Any:
            if self.left <= 0:
                raise StoreUnavailable("cut off")
            self.left -= 1
            answer = await call(*args)
            if not self.left and not self.is_heard:
                raise StoreUnavailable("cut off")
            return answer

        return cut


@pytest.mark.parametrize("passes", range(1, 16))
@pytest.mark.parametrize("by", ["payment", "audit"])
async def test_cut_off_anywhere_it_is_completed_by_whoever_comes(
    store: Store, monkeypatch: pytest.MonkeyPatch, passes: int, by: str
) -> None:
    person, visitor = new_subject(), Subject.parse(f"visitor:{new_subject().id[:22]}")
    await live(store, visitor)
    cut = Cut(passes, is_heard=(passes % 2 == 0) is (by == "payment"))
    with monkeypatch.context() as patch, pytest.raises(StoreUnavailable):
        for part in (store.link, store.operations._merges._durability):
            patch.setattr(part, "call", cut.around(part.call))
        patch.setattr(store.link, "ask", cut.around(store.link.ask))
        while True:
            await store.operations.merge(visitor, person)
    if by == "payment" and await store.operations._merges.onward(visitor.key):
        late = Settlement("e-late", "p-late", "nobody knows", PRICE, "sandbox")
        assert await store.payments.settle(visitor, late) is SettleOutcome.UNKNOWN_CHECKOUT
        assert (await store.payments.ledger(person))[-1]["kind"] == "unknown-checkout"
        assert (await standing(store, person)).credits == 4
    elif by == "audit" and await store.operations._merges.onward(visitor.key):
        assert await store.operations._merges.leads(visitor.key, person.key)
        await has_arrived(store, visitor, person)
    await store.operations.merge(visitor, person)
    if by != "payment":
        await has_arrived(store, visitor, person)


async def test_a_payment_is_credited_where_the_visitor_went(store: Store, subject: Subject, visitor: Subject) -> None:
    await live(store, visitor)
    await store.operations.merge(visitor, subject)
    before = (await standing(store, subject)).entitled_until
    for _ in range(2):
        outcome = await store.payments.settle(visitor, paid(MONTH, "p-month"))
        assert outcome in (SettleOutcome.SETTLED, SettleOutcome.REPLAYED)
    assert (await standing(store, subject)).entitled_until == before + 30 * DAY
    assert await store.payments.settle(visitor, paid(PACK, "p-pack")) is SettleOutcome.REPLAYED
    assert await store.payments.settle(subject, paid(PACK, "p-pack")) is SettleOutcome.REPLAYED
    record = await store.payments.checkout(visitor, MONTH.id)
    assert record is not None and record.payment == "p-month"
    for payment, plan in (("p-month", "month"), ("p-pack", "pack")):
        entry = await store.payments.entry(visitor, Settlement("", payment, "", PRICE, "sandbox"))
        assert entry is not None and entry["plan"] == plan, "events name the plan"
    assert await faults(store) == []


async def test_a_payment_for_a_hold_alone_finds_it_where_it_went(
    store: Store, subject: Subject, visitor: Subject
) -> None:
    await live(store, visitor)
    await store.operations.merge(visitor, subject)
    assert await store.payments.settle(visitor, paid(ALONE, "p-alone")) is SettleOutcome.SETTLED
    record = await store.holds.get(subject, "hold2")
    assert record is not None and record.paid
    assert await store.holds.release(subject, "hold2", credits=False) is ReleaseOutcome.RELEASED


async def test_a_second_payment_of_what_was_paid_before_follows(
    store: Store, subject: Subject, visitor: Subject
) -> None:
    await live(store, visitor)
    await store.operations.merge(visitor, subject)
    assert await store.payments.settle(visitor, paid(PACK, "p-again")) is SettleOutcome.SETTLED
    assert (await standing(store, subject)).credits == 9
    assert (await standing(store, visitor)).credits == 0
    assert await faults(store) == []


async def test_what_is_kept_outside_is_known_where_it_went(store: Store, subject: Subject, visitor: Subject) -> None:
    await keep(store, visitor, "hold1")
    assert await store.stock.is_kept(visitor.key, "hold1")
    await store.operations.merge(visitor, subject)
    assert await store.stock.is_kept(visitor.key, "hold1"), "the sweep must not take it"
    await store.holds.discard(subject, "hold1")
    assert not await store.stock.is_kept(visitor.key, "hold1")


async def test_a_paid_hold_stays_paid(store: Store, subject: Subject, visitor: Subject) -> None:
    await keep(store, visitor, "hold1", chunks=2)
    await store.operations.grant(visitor, "gift", results=1)
    assert await store.holds.release(visitor, "hold1") is ReleaseOutcome.RELEASED
    await store.operations.merge(visitor, subject)
    record = await store.holds.get(subject, "hold1")
    assert record is not None and record.paid and record.released
    assert (await standing(store, subject)).credits == 0
    assert await store.holds.release(subject, "hold1") is ReleaseOutcome.RELEASED


async def test_what_is_somebodys_is_never_pulled_on(store: Store, subject: Subject, visitor: Subject) -> None:
    await store.subjects.visit(visitor, TrialBegin(DAY))
    second = new_subject()
    assert await store.operations.merge(visitor, subject) is MergeOutcome.MERGED
    await store.operations.grant(visitor, "later", results=3)
    assert await store.operations.merge(visitor, second) is MergeOutcome.ANOTHER
    assert (await standing(store, second)).credits == 0
    assert await store.operations.merge(second, visitor) is MergeOutcome.TARGET_MERGED
    assert await store.operations.merge(visitor, subject) is MergeOutcome.MERGED
    assert (await standing(store, subject)).credits == 3
    with pytest.raises(ValueError, match="itself"):
        await store.operations.merge(subject, subject)


async def test_of_whom_nothing_is_known_nothing_is_kept(store: Store, subject: Subject, visitor: Subject) -> None:
    assert await store.operations.merge(visitor, subject) is MergeOutcome.UNKNOWN
    (left,) = await store.link.ask(("KEYS", f"{subject_key(visitor)}*"))
    assert left == []


T0 = 1_800_000_000_000
TRIALS = {
    "the person has none": ((T0, 14), None, None, (T0, 14)),
    "the visitor has none": (None, (T0, 14), None, (T0, 14)),
    "the person's is over": ((T0, 14), (T0 - 100 * DAY, 14), None, (T0 - 100 * DAY, -86)),
    "the visitor began first": ((T0 - 3 * DAY, 14), (T0, 14), None, (T0 - 3 * DAY, 11)),
    "the person was given more": ((T0 - 3 * DAY, 14), (T0, 14), "person", (T0 - 3 * DAY, 44)),
    "the visitor was given more": ((T0, 14), (T0 - 3 * DAY, 14), "visitor", (T0 - 3 * DAY, 44)),
}


@pytest.mark.parametrize("case", TRIALS)
async def test_two_trials_are_one(store: Store, subject: Subject, visitor: Subject, case: str) -> None:
    *both, extended, (started, days) = TRIALS[case]
    for each, trial in zip((visitor, subject), both, strict=True):
        if trial is not None:
            await store.subjects.visit(each, TrialBegin(trial[1] * DAY, from_ms=trial[0]), now=T0)
    if extended:
        await store.operations.extend(subject if extended == "person" else visitor, "more", 30 * DAY, now=T0)
    await store.operations.grant(visitor, "gift", results=1)
    await store.operations.merge(visitor, subject, now=T0)
    state = await store.subjects.visit(subject, TrialBegin(99 * DAY), now=T0)
    assert (state.trial_started, (state.trial_ends - T0) / DAY) == (started, days)
    left = await store.subjects.visit(visitor, TrialBegin(99 * DAY), now=T0)
    assert left.trial_ends <= T0 and not left.trial_began


async def test_free_results_are_counted_together(store: Store, subject: Subject, visitor: Subject) -> None:
    await store.subjects.take(visitor, Purse.GRACE, "one", TWO)
    await store.subjects.take(subject, Purse.GRACE, "two", TWO)
    await store.operations.merge(visitor, subject)
    assert (await store.subjects.take(subject, Purse.GRACE, "three", TWO)).outcome is TakeOutcome.EXHAUSTED
    (lives,) = await store.link.ask(("PTTL", f"{subject_key(subject)}:grace:exports"))
    assert 29 * DAY < lives <= 30 * DAY


async def test_what_comes_to_nothing_after_the_merge_is_given_back_and_follows(
    store: Store, subject: Subject, visitor: Subject
) -> None:
    await store.operations.grant(visitor, "gift", results=1)
    await store.subjects.take(visitor, Purse.CREDIT, "under way")
    await store.operations.merge(visitor, subject)
    await store.subjects.give_back(visitor, Purse.CREDIT, "under way")
    assert await faults(store) == []
    await store.operations.merge(visitor, subject)
    assert (await standing(store, subject)).credits == 1
    assert await faults(store) == []


async def test_erasing_takes_those_who_were_merged(store: Store, subject: Subject, visitor: Subject) -> None:
    await live(store, visitor)
    await store.operations.merge(visitor, subject)
    assert await store.operations.erase(subject) is EraseOutcome.ERASED
    assert await store.payments.subject(visitor.key) is None
    assert (await store.operations.export(visitor))["erased_at"]
    assert await store.payments.enter(visitor.key, paid(MONTH, "p-month")) is SettleOutcome.UNKNOWN_CHECKOUT
    assert await store.payments.enter(visitor.key, paid(PACK, "p-pack")) is SettleOutcome.REPLAYED
    assert (await store.payments.ledger(subject))[-1]["kind"] == "unknown-checkout"
    assert await faults(store) == []


async def test_a_chain_of_merges_leads_to_its_end(store: Store, subject: Subject, visitor: Subject) -> None:
    account = Subject.parse(f"account:{new_subject().id}")
    await live(store, visitor)
    await store.operations.merge(visitor, subject)
    await store.operations.merge(subject, account)
    assert await store.payments.settle(visitor, paid(MONTH, "p-month")) is SettleOutcome.SETTLED
    state = await standing(store, account)
    assert (state.credits, state.settled, state.holds) == (4, 1, 2)
    record = await store.holds.get(account, "hold1")
    assert record is not None and record.owner == visitor.key
    assert await store.payments.settle(subject, replace(paid(PACK, "p-pack"), event="e-2")) is SettleOutcome.REPLAYED
    assert await faults(store) == []


async def test_many_at_once_come_to_the_same(store: Store, subject: Subject, visitor: Subject) -> None:
    await live(store, visitor)
    work = [store.operations.merge(visitor, subject) for _ in range(8)]
    late = [store.payments.settle(visitor, paid(MONTH, "p-month")) for _ in range(8)]
    outcomes = await asyncio.gather(*work, *late)
    assert outcomes.count(SettleOutcome.SETTLED) == 1 and outcomes.count(SettleOutcome.REPLAYED) == 7
    await store.operations.merge(visitor, subject)
    state, now = await standing(store, subject), int(time.time() * 1000)
    assert (state.credits, state.holds, round((state.entitled_until - now) / DAY)) == (4, 2, 37)
    assert await faults(store) == []


TWINS = {
    "a parcel counts each time": ("_ABSORB", "if not is_new then", "if false then"),
    "results are given and not on the ledger": ("_ABSORB", "results = sent.results}", "results = 0}"),
    "a second trial by signing in": ("_ABSORB", "sent.started < started) and sent.ends", "true) and now + 1e9"),
    "free results begin anew": ("_ABSORB", "redis.call('ZADD', purse.key", "pcall(tostring"),
    "the visitor keeps what went": ("_BEGIN", "redis.call('HDEL', KEYS[1], 'eu', 'cr', 'we',", "tostring('we',"),
    "the visitor goes on with a trial": ("_BEGIN", "'ts', started, 'te', ended, 'mn'", "'mn'"),
    "gifts are not known again": ("_BEGIN", "sent.marks[#sent.marks + 1] = name", ""),
    "a parcel stays": ("_END", "if number == ARGV[1] then", "if false then"),
}


@pytest.mark.parametrize("twin", TWINS)
async def test_a_known_bad_twin_is_found(
    store: Store, subject: Subject, visitor: Subject, monkeypatch: pytest.MonkeyPatch, twin: str
) -> None:
    verb, right, wrong = TWINS[twin]
    good = getattr(merges, verb)
    assert good.text.count(right) == 1
    await live(store, visitor)
    await store.subjects.visit(visitor, TrialBegin(HOUR, from_ms=1_000))
    if twin == "the visitor goes on with a trial":
        await store.operations.extend(visitor, "more", DAY)
    with monkeypatch.context() as patch:
        patch.setattr(merges, verb, made(good.name, good.text.replace(right, wrong)))
        with patch.context() as cut, pytest.raises(StoreUnavailable):
            cut.setattr(store.holds, "move", Cut(0, is_heard=True).around(store.holds.move))
            await store.operations.merge(visitor, subject)
        await store.operations.merge(visitor, subject)
    with pytest.raises(AssertionError):
        await has_arrived(store, visitor, subject)
        before = (await standing(store, subject)).entitled_until
        assert (await store.operations.grant(subject, "gift", period_ms=7 * DAY)).entitled_until == before
    for each in (subject, visitor):  # what does not agree must not be found by the audits of others
        await store.link.ask(("UNLINK", *(subject_key(each) + name for name in ("", ":ledger", ":marks"))))
