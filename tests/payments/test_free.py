"""Plans that cost nothing: given at once, and once for each subject, whatever is pressed how often."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from gateway.core.event import CheckoutOpened, PaymentSettled
from gateway.core.money import Money
from gateway.core.quantity import DAY
from gateway.core.rule import Plan, Policy, RouteClass, Rule, Trial
from gateway.core.subject import Subject, SubjectKind
from gateway.payments.checkout import BeginOutcome, Begun, Cashier
from gateway.payments.offer import Offer, make_offer
from gateway.store.connection import Store
from tests.payments.test_cashier import BACK, KEYRING, Recorder, make_cashier, wall_clock
from tests.store.conftest import new_subject

WEEK = Plan("week", "A week", Money(0, "USD"), period_ms=7 * DAY)
FIVE = Plan("five", "Five results", Money(0, "USD"), results=5)
PAID = Plan("paid", "A week", Money(300, "USD"), period_ms=7 * DAY)
RULE = Rule("exports", RouteClass.RESULT)
POLICY = Policy((RULE,), Trial(DAY), RULE, (WEEK, FIVE, PAID))


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def cashier(store: Store, recorder: Recorder) -> Cashier:
    return make_cashier(store, recorder, wall_clock)


async def offer_now(store: Store, subject: Subject) -> Offer:
    """The offer as it is after all that was settled."""
    state = await store.subjects.visit(subject)
    return make_offer(KEYRING.key("offers"), subject.key, POLICY, "exports", "", state.settled)


async def take(cashier: Cashier, subject: Subject, offer: Offer, plan: str, provider: str = "free") -> Begun:
    return await cashier.begin(subject, offer, plan, provider, BACK, "en")


async def test_it_is_given_before_anything_is_said(
    store: Store, cashier: Cashier, recorder: Recorder, subject: Subject
) -> None:
    begun = await take(cashier, subject, await offer_now(store, subject), "week")
    assert (begun.outcome, begun.address) == (BeginOutcome.BEGUN, "")
    state = await store.subjects.visit(subject)
    assert 0 < state.entitled_until - wall_clock() <= 7 * DAY
    record = await store.payments.checkout(subject, begun.checkout)
    assert record is not None and (record.status, record.provider) == ("paid", "free")
    assert [type(event) for event in recorder.events] == [CheckoutOpened, PaymentSettled]
    assert not recorder.lines


@pytest.mark.parametrize("provider", ["", "free", "sandbox", "unheard-of"])
async def test_no_provider_is_asked_whatever_the_form_names(
    store: Store, cashier: Cashier, subject: Subject, provider: str
) -> None:
    begun = await take(cashier, subject, await offer_now(store, subject), "week", provider)
    assert (begun.outcome, begun.address) == (BeginOutcome.BEGUN, "")


async def test_again_and_again_it_is_given_once(store: Store, cashier: Cashier, subject: Subject) -> None:
    first = await offer_now(store, subject)
    begun = await take(cashier, subject, first, "five")
    for offer in (first, await offer_now(store, subject)):
        again = await take(cashier, subject, offer, "five")
        assert (again.outcome, again.checkout) == (BeginOutcome.ALREADY_PAID, begun.checkout)
    assert (await store.subjects.visit(subject)).credits == 5
    cheaper = replace(FIVE, results=500)
    offer = replace(await offer_now(store, subject), plans=(cheaper,))
    assert (await take(cashier, subject, offer, "five")).outcome is BeginOutcome.ALREADY_PAID


async def test_at_once_it_is_given_once(store: Store, cashier: Cashier, subject: Subject) -> None:
    offer = await offer_now(store, subject)
    taken = await asyncio.gather(*(take(cashier, subject, offer, "five") for _ in range(12)))
    assert {begun.outcome for begun in taken} <= {BeginOutcome.BEGUN, BeginOutcome.ALREADY_PAID, BeginOutcome.OUTDATED}
    assert BeginOutcome.BEGUN in {begun.outcome for begun in taken}
    assert (await store.subjects.visit(subject)).credits == 5


async def test_each_subject_and_each_plan_has_its_own(store: Store, cashier: Cashier, subject: Subject) -> None:
    other = new_subject()
    for each in (subject, other):
        for plan in ("week", "five"):
            begun = await take(cashier, each, await offer_now(store, each), plan)
            assert begun.outcome is BeginOutcome.BEGUN
        state = await store.subjects.visit(each)
        assert state.credits == 5 and state.entitled_until > wall_clock()


async def test_a_page_of_before_says_that_it_was_taken(store: Store, cashier: Cashier, subject: Subject) -> None:
    old = await offer_now(store, subject)
    begun = await take(cashier, subject, old, "week")
    back = await cashier.look_back(subject, old.id, await offer_now(store, subject), "week", "free")
    assert (back.outcome, back.checkout) == (BeginOutcome.ALREADY_PAID, begun.checkout)
    other = await cashier.look_back(subject, old.id, await offer_now(store, subject), "five", "free")
    assert other.outcome is BeginOutcome.OUTDATED


async def test_a_visitor_takes_nothing(store: Store, cashier: Cashier) -> None:
    """The next cookie is the next visitor, and all of them can be merged into one person."""
    visitor = Subject(SubjectKind.VISITOR, "v1")
    begun = await take(cashier, visitor, await offer_now(store, visitor), "week")
    assert begun.outcome is BeginOutcome.SIGN_IN
    assert not (await store.subjects.visit(visitor)).entitled_until


async def test_whoever_was_erased_has_had_it(store: Store, cashier: Cashier, subject: Subject) -> None:
    await take(cashier, subject, await offer_now(store, subject), "five")
    await store.operations.erase(subject)
    again = await take(cashier, subject, await offer_now(store, subject), "five")
    assert again.outcome is BeginOutcome.GIVEN_BEFORE
    assert (await store.subjects.visit(subject)).credits == 0


async def test_what_costs_something_is_paid(store: Store, cashier: Cashier, subject: Subject) -> None:
    offer = await offer_now(store, subject)
    assert (await take(cashier, subject, offer, "paid")).outcome is BeginOutcome.PROVIDER_UNKNOWN
    assert (await take(cashier, subject, offer, "paid", "sandbox")).address
    assert not (await store.subjects.visit(subject)).entitled_until


async def test_it_stands_on_the_ledger_and_the_books_are_right(
    store: Store, cashier: Cashier, subject: Subject
) -> None:
    await take(cashier, subject, await offer_now(store, subject), "five")
    (entry,) = await store.payments.ledger(subject)
    assert (entry["kind"], entry["provider"], entry["amount"], entry["results"]) == ("payment", "free", 0, 5)
