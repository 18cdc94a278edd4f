"""An outcome that is not known: asked about, never a reason to ask for the money again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.payments.checkout import BeginOutcome, Begun, Cashier
from gateway.payments.reconcile import Finding, Reconciler
from gateway.payments.till import Till
from gateway.ports.cashbook import CheckoutStatus, Settlement
from gateway.ports.payment import (
    CheckoutRequest,
    Desk,
    FailureReport,
    PaymentReport,
    Pending,
    Progress,
    ProviderAnswer,
    ProviderRequest,
    ProviderUnavailable,
    Started,
)
from gateway.store.connection import Store
from tests.payments.test_cashier import KEYRING, SINGLE, Recorder, begin, make_till, wall_clock
from tests.store.conftest import new_subject

Says = Callable[[Pending, Desk], object]


class Slow:
    """A provider that reports nothing by itself; `says` is what it answers when it is asked."""

    label = "slow"
    form_origins: tuple[str, ...] = ("https://pay.example",)

    def __init__(self) -> None:
        self.progress: Progress | None = None
        self.paid = self.failed = False
        self.begun: list[str] = []
        self.asked: list[Pending] = []

    async def start(self) -> None: ...
    async def stop(self) -> None: ...

    async def begin(self, request: CheckoutRequest) -> Started:
        self.begun.append(request.reference)
        return Started("https://pay.example/", f"session-{len(self.begun)}")

    async def answer(self, request: ProviderRequest, desk: Desk) -> ProviderAnswer:
        raise NotImplementedError

    async def look(self, pending: Pending, desk: Desk) -> Progress:
        self.asked.append(pending)
        if self.paid:
            settlement = Settlement(f"e-{pending.session}", f"p-{pending.session}", "", pending.amount, "")
            await desk.settle(PaymentReport(pending.reference, settlement))
        if self.failed:
            await desk.failed(FailureReport(pending.reference))
        if self.paid or self.failed:
            return Progress.CLOSED
        if self.progress is None:
            raise ProviderUnavailable("it is down")
        return self.progress


class Choosy(Slow):
    """Has a fault, which one reference meets; asks another about all others."""

    def __init__(self, fatal: str, other: Slow) -> None:
        super().__init__()
        self._fatal, self._other = fatal, other

    async def look(self, pending: Pending, desk: Desk) -> Progress:
        if pending.reference == self._fatal:
            raise KeyError("status")
        return await self._other.look(pending, desk)


class Rig:
    """A cashier with that provider, and somebody who wants to pay."""

    def __init__(self, store: Store) -> None:
        self.store, self.subject, self.provider = store, new_subject(), Slow()
        self.till: Till = make_till(store, Recorder(), wall_clock, KEYRING)
        self.cashier = Cashier(self.till, {"slow": self.provider})
        self.reconciler = Reconciler(self.till, {"slow": self.provider})

    async def begin(self) -> Begun:
        return await begin(self.cashier, self.subject)

    async def status(self, checkout: str) -> CheckoutStatus:
        record = await self.store.payments.checkout(self.subject, checkout)
        assert record is not None
        return record.status

    async def unknown(self) -> str:
        return (await self.store.subjects.visit(self.subject)).unknown_checkout

    async def look(self, checkout: str, returned: bool = False) -> Finding:
        return (await self.reconciler.look(self.till.references.make(self.subject.key, checkout), returned)).finding


@pytest.fixture
async def rig(store: Store) -> Rig:
    await store.link.ask(("DEL", "{pw:pending}"))
    return Rig(store)


async def test_who_comes_back_before_the_report_is_credited_at_once(rig: Rig) -> None:
    begun = await rig.begin()
    rig.provider.paid = True
    assert await rig.look(begun.checkout, returned=True) is Finding.PAID
    assert (await rig.store.subjects.visit(rig.subject)).credits == 1
    assert rig.provider.asked[0].session == "session-1"
    assert await rig.store.pending.count() == 0


async def test_nobody_pays_again_while_the_provider_can_not_say(rig: Rig) -> None:
    begun = await rig.begin()
    assert await rig.look(begun.checkout, returned=True) is Finding.UNKNOWN
    assert await rig.status(begun.checkout) is CheckoutStatus.UNKNOWN
    assert await rig.unknown() == begun.checkout
    again = await rig.begin()
    assert (again.outcome, again.checkout) == (BeginOutcome.CHECKING, begun.checkout)
    assert len(rig.provider.begun) == 1


async def test_a_provider_that_is_down_makes_nothing_unknown_of_what_nobody_came_back_from(rig: Rig) -> None:
    begun = await rig.begin()
    assert await rig.look(begun.checkout) is Finding.UNKNOWN
    assert await rig.status(begun.checkout) is CheckoutStatus.OPEN


async def test_an_unknown_one_is_open_again_once_the_provider_says_that_nothing_was_paid(rig: Rig) -> None:
    begun = await rig.begin()
    await rig.look(begun.checkout, returned=True)
    rig.provider.progress = Progress.OPEN
    assert await rig.look(begun.checkout) is Finding.OPEN
    assert rig.provider.asked[-1].returned
    assert await rig.unknown() == ""
    assert (await rig.begin()).outcome is BeginOutcome.BEGUN


async def test_one_that_is_being_paid_is_unknown_until_it_is_paid(rig: Rig) -> None:
    begun = await rig.begin()
    rig.provider.progress = Progress.PROCESSING
    assert await rig.look(begun.checkout) is Finding.UNKNOWN
    assert await rig.unknown() == begun.checkout
    rig.provider.paid = True
    assert await rig.look(begun.checkout) is Finding.PAID
    assert (await rig.unknown(), await rig.status(begun.checkout)) == ("", CheckoutStatus.PAID)


async def test_after_a_failure_it_is_begun_anew_under_another_reference(rig: Rig) -> None:
    begun = await rig.begin()
    rig.provider.failed = True
    assert await rig.look(begun.checkout) is Finding.FAILED
    rig.provider.failed = False
    again = await rig.begin()
    assert (again.outcome, again.checkout == begun.checkout) == (BeginOutcome.BEGUN, False)
    assert len(set(rig.provider.begun)) == 2
    # The money of the first attempt comes after all: it counts, as what it is.
    settlement = Settlement("late", "late", "", SINGLE.price, "")
    report = PaymentReport(rig.provider.begun[0], settlement)
    assert await rig.cashier.desk("slow").settle(report) == "settled"


async def test_those_that_are_due_are_asked_about_and_no_others(rig: Rig) -> None:
    begun = await rig.begin()
    assert await rig.reconciler.run_due(10) == []
    await rig.till.pending.watch(rig.provider.begun[0], 1)
    (looked,) = await rig.reconciler.run_due(10)
    assert (looked.checkout, looked.finding, looked.why) == (begun.checkout, Finding.UNKNOWN, "it is down")
    assert await rig.reconciler.run_due(10) == []
    assert await rig.store.pending.count() == 1


async def test_a_provider_that_the_config_has_no_more_is_named_and_the_checkout_kept(rig: Rig) -> None:
    begun = await rig.begin()
    reconciler = Reconciler(rig.till, {})
    looked = await reconciler.look(rig.provider.begun[0])
    assert (looked.finding, looked.provider, looked.checkout) == (Finding.NO_PROVIDER, "slow", begun.checkout)
    assert await rig.store.pending.count() == 1


async def test_what_nobody_knows_any_more_is_forgotten(rig: Rig) -> None:
    await rig.begin()
    await rig.store.operations.erase(rig.subject)
    for reference in (rig.provider.begun[0], "nonsense"):
        assert (await rig.reconciler.look(reference)).finding is Finding.GONE
    assert await rig.store.pending.count() == 0


async def test_a_page_that_is_reloaded_does_not_ask_each_time(rig: Rig) -> None:
    begun = await rig.begin()
    for _ in range(3):
        record = await rig.store.payments.checkout(rig.subject, begun.checkout)
        assert record is not None
        looked = await rig.reconciler.look_at(rig.subject, record, returned=True)
        assert looked.finding is Finding.UNKNOWN
    assert len(rig.provider.asked) == 1


async def test_who_presses_again_and_again_that_they_did_not_pay_does_not_ask_each_time(rig: Rig) -> None:
    begun = await rig.begin()
    await rig.look(begun.checkout, returned=True)
    for _ in range(5):
        record = await rig.store.payments.checkout(rig.subject, begun.checkout)
        assert record is not None
        looked = await rig.reconciler.look_at(rig.subject, record, returned=False, disclaimed=True)
        assert looked.finding is Finding.UNKNOWN
    assert [each.returned for each in rig.provider.asked] == [True, False]


async def test_a_provider_that_fails_in_its_own_way_keeps_nobody_else_waiting(rig: Rig) -> None:
    await rig.begin()
    other = Rig(rig.store)
    begun = await other.begin()
    other.provider.paid = True
    both = Reconciler(rig.till, {"slow": Choosy(rig.provider.begun[0], other.provider)})
    for due, reference in enumerate((rig.provider.begun[0], other.provider.begun[0]), 1):
        await rig.till.pending.watch(reference, due)
    first, second = await both.run_due(10)
    assert (first.finding, first.why) == (Finding.UNKNOWN, "KeyError: 'status'")
    assert (second.finding, second.checkout) == (Finding.PAID, begun.checkout)


async def test_of_a_plan_that_was_set_out_for_and_left_again_and_again_the_next_one_can_be_paid(rig: Rig) -> None:
    """As by somebody who looks at the provider's page each day for weeks, and then pays."""
    for _ in range(70):
        await rig.begin()
        await rig.cashier.desk("slow").failed(FailureReport(rig.provider.begun[-1]))
    last = await rig.begin()
    assert (last.outcome, await rig.status(last.checkout)) == (BeginOutcome.BEGUN, CheckoutStatus.OPEN)
    assert (await rig.begin()).checkout == last.checkout
    assert len(set(rig.provider.begun)) == 71
