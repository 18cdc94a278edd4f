"""Setting out to pay, and crediting what a provider reports: once, to the right subject, and never for a forgery."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from gateway.core.decision import Purse
from gateway.core.event import CheckoutOpened, Event, PaymentRejected, PaymentSettled
from gateway.core.keyring import Keyring
from gateway.core.money import Money
from gateway.core.quantity import DAY
from gateway.core.rule import Plan, Policy, RouteClass, Rule, Trial
from gateway.core.subject import Subject
from gateway.payments.checkout import BeginOutcome, Begun, Cashier, ReturnAddresses
from gateway.payments.offer import Offer, make_offer
from gateway.payments.reference import References
from gateway.payments.till import Till
from gateway.ports.cashbook import Settlement, SettleOutcome
from gateway.ports.payment import (
    CheckoutRequest,
    Desk,
    PaymentProvider,
    PaymentReport,
    Pending,
    Progress,
    ProviderAnswer,
    ProviderRequest,
    ProviderUnavailable,
    Started,
)
from gateway.ports.plugin import Plugin
from gateway.store.connection import Store
from gateway_pay_sandbox import plugin as sandbox_plugin
from tests.plugins.host import FakeHost
from tests.store.conftest import new_subject

SINGLE = Plan("single", "This result", Money(300, "USD"), results=1)
MONTH = Plan("month", "Thirty days", Money(1900, "USD"), period_ms=30 * DAY)
RULE = Rule("exports", RouteClass.RESULT)
POLICY = Policy((RULE,), Trial(DAY), RULE, (SINGLE, MONTH))
PRICED = Policy((Rule("exports", RouteClass.RESULT, price=Money(450, "USD")),), Trial(DAY), RULE, (SINGLE, MONTH))
BACK = ReturnAddresses("/_paywall/paid?checkout={checkout}", "/_paywall/offer?route=exports", "https://gate.example")
KEYRING = Keyring(b"s" * 16)
NOW = 1_800_000_000_000


class Recorder:
    """Notes events, and lines for the operator."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.lines: list[str] = []
        self._marks: set[str] = set()

    def record(self, event: Event) -> None:
        self.events.append(event)

    def record_once(self, event: Event, mark: str) -> None:
        if mark not in self._marks:
            self._marks.add(mark)
            self.events.append(event)


class Unsteady:
    """A provider with pages elsewhere, that does not answer while `down`."""

    label = "unsteady"
    form_origins: tuple[str, ...] = ("https://pay.example",)

    def __init__(self) -> None:
        self.down = True
        self.asked: list[CheckoutRequest] = []

    async def start(self) -> None: ...
    async def stop(self) -> None: ...

    async def begin(self, request: CheckoutRequest) -> Started:
        if self.down:
            raise ProviderUnavailable("it does not answer")
        self.asked.append(request)
        return Started("https://pay.example/" + request.reference, session="its own name of it")

    async def answer(self, request: ProviderRequest, desk: Desk) -> ProviderAnswer:
        raise NotImplementedError

    async def look(self, pending: Pending, desk: Desk) -> Progress:
        raise NotImplementedError


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def unsteady() -> Unsteady:
    return Unsteady()


@pytest.fixture
def cashier(store: Store, recorder: Recorder, unsteady: Unsteady) -> Cashier:
    return make_cashier(store, recorder, lambda: NOW, unsteady=unsteady)


def make_cashier(store: Store, recorder: Recorder, now: Callable[[], int], **providers: PaymentProvider) -> Cashier:
    plugin: Plugin[Any, Any] = sandbox_plugin
    sandbox: PaymentProvider = plugin.create(plugin.settings(), FakeHost())
    return Cashier(make_till(store, recorder, now, KEYRING), {"sandbox": sandbox, **providers})


def make_till(
    store: Store, recorder: Recorder, now: Callable[[], int], keyring: Keyring, former: Sequence[Keyring] = ()
) -> Till:
    return Till(store.payments, store.pending, keyring, recorder, now, recorder.lines.append, former)


def wall_clock() -> int:
    """As the store's: what it wrote down a moment ago is recent."""
    return time.time_ns() // 1_000_000


def offer_for(subject: Subject, hold: str = "", settled: int = 0) -> Offer:
    return make_offer(KEYRING.key("offers"), subject.key, POLICY, "exports", hold, settled)


async def begin(
    cashier: Cashier, subject: Subject, plan: str = "single", provider: str = "", settled: int = 0
) -> Begun:
    return await cashier.begin(subject, offer_for(subject, settled=settled), plan, provider, BACK, "en")


def reference(subject: Subject, checkout: str) -> str:
    """What stands for them on the provider's side."""
    return References(KEYRING.key("payment references")).make(subject.key, checkout)


def report(reference: str, amount: Money = SINGLE.price, payment: str = "") -> PaymentReport:
    payment = payment or "pay-" + hashlib.sha256(reference.encode()).hexdigest()[:16]
    return PaymentReport(reference, Settlement(f"{payment}-event", payment, "", amount, ""))


async def pay(cashier: Cashier, address: str) -> int:
    """Press "Pay" on the sandbox's page; the status of its answer."""
    request = ProviderRequest("POST", "pay", urlsplit(address).query, [], b"choice=pay")
    return (await cashier.providers["sandbox"].answer(request, cashier.desk("sandbox"))).status


class TestBegin:
    async def test_leads_to_the_providers_page_for_the_right_sum(
        self, store: Store, cashier: Cashier, recorder: Recorder, subject: Subject
    ) -> None:
        begun = await begin(cashier, subject, "month")
        order = json.loads(urlsafe_b64decode(parse_qs(urlsplit(begun.address).query)["order"][0]))
        assert begun.outcome is BeginOutcome.BEGUN
        assert (order["amount"], order["currency"], order["title"]) == (1900, "USD", "Thirty days")
        assert order["success"] == f"/_paywall/paid?checkout={begun.checkout}"
        assert order["cancel"] == BACK.cancel
        record = await store.payments.checkout(subject, begun.checkout)
        assert record is not None
        assert (record.plan, record.price, record.period_ms, record.results) == ("month", MONTH.price, 30 * DAY, 0)
        assert recorder.events == [
            CheckoutOpened(
                at=NOW,
                subject=KEYRING.pseudonym(subject),
                checkout=begun.checkout,
                plan="month",
                amount=1900,
                currency="USD",
                provider="sandbox",
            )
        ]

    async def test_a_provider_elsewhere_is_told_whole_addresses(
        self, cashier: Cashier, unsteady: Unsteady, subject: Subject
    ) -> None:
        unsteady.down = False
        begun = await begin(cashier, subject, provider="unsteady")
        (asked,) = unsteady.asked
        assert asked.success == f"https://gate.example/_paywall/paid?checkout={begun.checkout}"
        assert asked.cancel == "https://gate.example/_paywall/offer?route=exports"

    async def test_twice_is_one_checkout(self, cashier: Cashier, recorder: Recorder, subject: Subject) -> None:
        begun = await asyncio.gather(*(begin(cashier, subject) for _ in range(10)))
        assert len(set(begun)) == 1
        assert len(recorder.events) == 1

    async def test_killed_before_it_was_recorded_is_recorded_when_it_is_opened_again(
        self, store: Store, recorder: Recorder, subject: Subject
    ) -> None:
        killed, later = (make_cashier(store, each, wall_clock) for each in (Recorder(), recorder))
        assert await begin(killed, subject) == await begin(later, subject) == await begin(later, subject)
        assert [type(event) for event in recorder.events] == [CheckoutOpened]

    async def test_by_another_plan_or_provider_is_another_checkout(
        self, cashier: Cashier, unsteady: Unsteady, subject: Subject
    ) -> None:
        unsteady.down = False
        begun = [
            await begin(cashier, subject),
            await begin(cashier, subject, "month"),
            await begin(cashier, subject, "single", "unsteady"),
            await begin(cashier, new_subject()),
        ]
        assert len({each.checkout for each in begun}) == 4

    @pytest.mark.parametrize(
        "changed",
        [replace(MONTH, period_ms=60 * DAY), replace(MONTH, price=Money(2900, "USD")), replace(SINGLE, results=2)],
        ids=["period", "price", "results"],
    )
    async def test_of_a_plan_that_changed_is_another_checkout(
        self, store: Store, cashier: Cashier, subject: Subject, changed: Plan
    ) -> None:
        before = await begin(cashier, subject, changed.id)
        offer = replace(offer_for(subject), plans=(changed,))
        after = await cashier.begin(subject, offer, changed.id, "", BACK, "en")
        assert after.outcome is BeginOutcome.BEGUN and after.checkout != before.checkout
        record = await store.payments.checkout(subject, after.checkout)
        assert record is not None
        terms = (changed.price, changed.period_ms, changed.results)
        assert (record.price, record.period_ms, record.results) == terms

    @pytest.mark.parametrize(
        ("plan", "provider", "outcome"),
        [
            ("none", "sandbox", BeginOutcome.PLAN_UNKNOWN),
            ("", "", BeginOutcome.PLAN_UNKNOWN),
            ("single", "none", BeginOutcome.PROVIDER_UNKNOWN),
        ],
    )
    async def test_of_what_is_not_offered_opens_nothing(
        self, cashier: Cashier, recorder: Recorder, subject: Subject, plan: str, provider: str, outcome: BeginOutcome
    ) -> None:
        assert await begin(cashier, subject, plan, provider) == Begun(outcome)
        assert recorder.events == []

    async def test_without_any_provider(self, store: Store, recorder: Recorder, subject: Subject) -> None:
        nobody = Cashier(Till(store.payments, store.pending, KEYRING, recorder, lambda: NOW, print), {})
        assert await begin(nobody, subject) == Begun(BeginOutcome.PROVIDER_UNKNOWN)

    async def test_with_a_provider_that_does_not_answer_may_be_tried_again(
        self, cashier: Cashier, recorder: Recorder, unsteady: Unsteady, subject: Subject
    ) -> None:
        with pytest.raises(ProviderUnavailable):
            await begin(cashier, subject, provider="unsteady")
        unsteady.down = False
        assert (await begin(cashier, subject, provider="unsteady")).outcome is BeginOutcome.BEGUN
        assert [type(event) for event in recorder.events] == [CheckoutOpened]

    async def test_again_tells_the_provider_what_it_called_it(
        self, cashier: Cashier, unsteady: Unsteady, subject: Subject
    ) -> None:
        """Many a provider forgets idempotency keys after a day."""
        unsteady.down = False
        for _ in range(2):
            await begin(cashier, subject, provider="unsteady")
        assert [asked.session for asked in unsteady.asked] == ["", "its own name of it"]

    async def test_after_paying_says_so(self, cashier: Cashier, subject: Subject) -> None:
        begun = await begin(cashier, subject)
        assert await pay(cashier, begun.address) == 303
        assert await begin(cashier, subject) == Begun(BeginOutcome.ALREADY_PAID, checkout=begun.checkout)
        assert (await begin(cashier, subject, "month")).outcome is BeginOutcome.ALREADY_PAID

    async def test_of_an_offer_from_before_a_payment_is_outdated(self, cashier: Cashier, subject: Subject) -> None:
        older = offer_for(subject, hold="an-older-result")
        begun = await begin(cashier, subject)
        await pay(cashier, begun.address)
        again = await cashier.begin(subject, older, "single", "", BACK, "en")
        assert again == Begun(BeginOutcome.OUTDATED)
        assert (await begin(cashier, subject, settled=1)).outcome is BeginOutcome.BEGUN


class TestLookBack:
    """An offer that is no longer current, on a page that stayed open."""

    async def test_it_was_paid(self, cashier: Cashier, subject: Subject) -> None:
        old, begun = offer_for(subject), await begin(cashier, subject)
        await pay(cashier, begun.address)
        now = offer_for(subject, settled=1)
        found = await cashier.look_back(subject, old.id, now, "single", "")
        assert found == Begun(BeginOutcome.ALREADY_PAID, checkout=begun.checkout)
        assert await cashier.look_back(new_subject(), old.id, now, "single", "") == Begun(BeginOutcome.OUTDATED)

    async def test_it_was_not_paid(self, cashier: Cashier, subject: Subject) -> None:
        old = offer_for(subject)
        await begin(cashier, subject)
        now = offer_for(subject, settled=1)
        assert await cashier.look_back(subject, old.id, now, "single", "") == Begun(BeginOutcome.OUTDATED)
        assert await cashier.look_back(subject, "made-up", now, "single", "") == Begun(BeginOutcome.OUTDATED)
        assert await cashier.look_back(subject, old.id, now, "none", "") == Begun(BeginOutcome.PLAN_UNKNOWN)


class TestSettle:
    async def test_credits_what_was_bought(
        self, store: Store, cashier: Cashier, recorder: Recorder, subject: Subject
    ) -> None:
        begun = await begin(cashier, subject)
        assert await pay(cashier, begun.address) == 303
        assert (await store.subjects.visit(subject)).credits == 1
        assert recorder.events[1:] == [
            PaymentSettled(
                at=NOW,
                subject=KEYRING.pseudonym(subject),
                checkout=begun.checkout,
                plan="single",
                amount=300,
                currency="USD",
                provider="sandbox",
            )
        ]

    async def test_reported_ten_times_at_once_credits_once(
        self, store: Store, cashier: Cashier, recorder: Recorder, subject: Subject
    ) -> None:
        begun = await begin(cashier, subject)
        reported = report(reference(subject, begun.checkout))
        outcomes = await asyncio.gather(*(cashier.desk("sandbox").settle(reported) for _ in range(10)))
        assert sorted(outcomes) == [SettleOutcome.REPLAYED] * 9 + [SettleOutcome.SETTLED]
        assert [type(event) for event in recorder.events] == [CheckoutOpened, PaymentSettled]
        assert (await store.subjects.visit(subject)).credits == 1

    @pytest.mark.parametrize("payment", ["pay-7", "pay-\ud800"])
    @pytest.mark.parametrize("also_named", ["event and payment", "payment alone"])
    async def test_killed_before_it_was_recorded_is_recorded_when_it_is_reported_again(
        self, store: Store, recorder: Recorder, subject: Subject, also_named: str, payment: str
    ) -> None:
        killed, later = (make_cashier(store, each, wall_clock) for each in (Recorder(), recorder))
        begun = await begin(killed, subject)
        reported = report(reference(subject, begun.checkout), payment=payment)
        assert await killed.desk("sandbox").settle(reported) is SettleOutcome.SETTLED
        if also_named == "payment alone":
            reported = replace(reported, settlement=replace(reported.settlement, event="another"))
        assert [await later.desk("sandbox").settle(reported) for _ in range(2)] == [SettleOutcome.REPLAYED] * 2
        (event,) = recorder.events
        (entry,) = await store.payments.ledger(subject)
        assert event == PaymentSettled(
            at=int(str(entry["at"])),
            subject=KEYRING.pseudonym(subject),
            checkout=begun.checkout,
            plan="single",
            amount=300,
            currency="USD",
            provider="sandbox",
        )

    async def test_killed_before_it_was_recorded_is_not_taken_for_a_later_payment(
        self, store: Store, recorder: Recorder, subject: Subject
    ) -> None:
        """Of the same checkout, which was paid a second time before the first report was repeated."""
        killed, later = (make_cashier(store, each, wall_clock) for each in (Recorder(), recorder))
        named = reference(subject, (await begin(killed, subject)).checkout)
        first, second = report(named, payment="pay-1"), report(named, payment="pay-2")
        await killed.desk("sandbox").settle(first)
        assert [await later.desk("sandbox").settle(each) for each in (second, first)] == ["settled", "replayed"]
        settled = [event for event in recorder.events if isinstance(event, PaymentSettled)]
        assert [(event.plan, event.again) for event in settled] == [("single", True), ("single", False)]

    async def test_again_costs_no_more_however_long_the_ledger_is(
        self, store: Store, cashier: Cashier, recorder: Recorder, subject: Subject
    ) -> None:
        """A hundred thousand entries would take a third of a second to read, for which everybody would wait."""
        begun = await begin(cashier, subject)
        reported = report(reference(subject, begun.checkout))
        await cashier.desk("sandbox").settle(reported)
        await store.operations.grant(subject, "many", results=20)
        for number in range(20):
            await store.subjects.take(subject, Purse.CREDIT, f"op{number}")
        (node,) = store.link.nodes
        await node.ask(("CONFIG", "RESETSTAT"))
        assert await cashier.desk("sandbox").settle(reported) is SettleOutcome.REPLAYED
        ((told),) = await node.ask(("INFO", "commandstats"))
        assert "cmdstat_evalsha" in str(told) and "cmdstat_lrange" not in str(told)

    async def test_that_was_surplus_is_recorded_as_surplus_when_it_is_reported_again(
        self, store: Store, recorder: Recorder, subject: Subject
    ) -> None:
        killed, later = (make_cashier(store, each, wall_clock) for each in (Recorder(), recorder))
        offer = make_offer(KEYRING.key("offers"), subject.key, PRICED, "exports", "a-result-that-is-gone", 0)
        begun = await killed.begin(subject, offer, "route-exports", "", BACK, "en")
        reported = report(reference(subject, begun.checkout), Money(450, "USD"))
        assert await killed.desk("sandbox").settle(reported) is SettleOutcome.SURPLUS
        assert await later.desk("sandbox").settle(reported) is SettleOutcome.REPLAYED
        (event,) = recorder.events
        assert isinstance(event, PaymentRejected) and (event.outcome, event.amount) == ("surplus", 450)

    async def test_long_ago_is_not_recorded_again(self, store: Store, recorder: Recorder, subject: Subject) -> None:
        """The stream may have forgotten by then that it has it."""
        now, later = make_cashier(store, Recorder(), wall_clock), lambda: wall_clock() + 31 * DAY
        begun = await begin(now, subject)
        reported = report(reference(subject, begun.checkout))
        await now.desk("sandbox").settle(reported)
        assert await make_cashier(store, recorder, later).desk("sandbox").settle(reported) is SettleOutcome.REPLAYED
        assert recorder.events == []

    @pytest.mark.parametrize("amount", [Money(299, "USD"), Money(301, "USD"), Money(300, "EUR"), Money(0, "USD")])
    async def test_of_another_sum_credits_nothing(
        self, store: Store, cashier: Cashier, recorder: Recorder, subject: Subject, amount: Money
    ) -> None:
        begun = await begin(cashier, subject)
        reported = report(reference(subject, begun.checkout), amount)
        assert [await cashier.desk("sandbox").settle(reported) for _ in range(2)] == [SettleOutcome.MISMATCH] * 2
        assert (await store.subjects.visit(subject)).credits == 0
        assert recorder.events[1:] == [
            PaymentRejected(
                at=NOW,
                subject=KEYRING.pseudonym(subject),
                checkout=begun.checkout,
                outcome="mismatch",
                provider="sandbox",
                payment=reported.settlement.payment,
                amount=amount.minor,
                currency=amount.currency,
            )
        ]
        assert "not the amount or currency" in recorder.lines[0]

    @pytest.mark.parametrize("order", [("single", "month"), ("month", "single")])
    async def test_of_two_plans_of_one_offer_credits_both(
        self, store: Store, cashier: Cashier, recorder: Recorder, subject: Subject, order: tuple[str, str]
    ) -> None:
        begun = {plan: await begin(cashier, subject, plan) for plan in order}
        for plan in order:
            price = (SINGLE if plan == "single" else MONTH).price
            reported = report(reference(subject, begun[plan].checkout), price)
            outcomes = [await cashier.desk("sandbox").settle(reported) for _ in range(2)]
            assert outcomes == [SettleOutcome.SETTLED, SettleOutcome.REPLAYED]
        settled = [event for event in recorder.events if isinstance(event, PaymentSettled)]
        assert [(event.plan, event.again) for event in settled] == [(order[0], False), (order[1], True)]
        assert recorder.lines == []
        state = await store.subjects.visit(subject)
        assert (state.credits, state.entitled_until > 0) == (1, True)

    async def test_of_a_result_that_is_not_there_to_be_paid_is_told_to_the_operator(
        self, cashier: Cashier, recorder: Recorder, subject: Subject
    ) -> None:
        offer = make_offer(KEYRING.key("offers"), subject.key, PRICED, "exports", "a-result-that-is-gone", 0)
        begun = await cashier.begin(subject, offer, "route-exports", "", BACK, "en")
        reported = report(reference(subject, begun.checkout), Money(450, "USD"), "pay-7")
        outcomes = [await cashier.desk("sandbox").settle(reported) for _ in range(2)]
        assert outcomes == [SettleOutcome.SURPLUS, SettleOutcome.REPLAYED]
        assert recorder.events[1:] == [
            PaymentRejected(
                at=NOW,
                subject=KEYRING.pseudonym(subject),
                checkout=begun.checkout,
                outcome="surplus",
                provider="sandbox",
                payment="pay-7",
                amount=450,
                currency="USD",
            )
        ]
        (line,) = recorder.lines
        for part in ("4.50 USD", "sandbox", begun.checkout, "pay-7", "give the money back"):
            assert part in line
        assert subject.id not in line
        found = await cashier.look_back(subject, offer.id, offer, "route-exports", "")
        assert found == Begun(BeginOutcome.ALREADY_PAID, checkout=begun.checkout)

    async def test_believes_the_reference_and_not_the_report(
        self, store: Store, cashier: Cashier, subject: Subject
    ) -> None:
        begun = await begin(cashier, subject)
        settlement = Settlement("e", "p", "another-checkout", SINGLE.price, "another-provider")
        reported = PaymentReport(reference(subject, begun.checkout), settlement)
        assert await cashier.desk("sandbox").settle(reported) is SettleOutcome.SETTLED
        record = await store.payments.checkout(subject, begun.checkout)
        assert record is not None and record.payment == "p"

    async def test_of_a_checkout_that_was_never_opened_is_rejected(
        self, store: Store, cashier: Cashier, recorder: Recorder, subject: Subject
    ) -> None:
        await begin(cashier, subject)
        reported = report(reference(subject, "never-opened"))
        assert await cashier.desk("sandbox").settle(reported) is SettleOutcome.UNKNOWN_CHECKOUT
        assert [type(event) for event in recorder.events] == [CheckoutOpened, PaymentRejected]
        assert [entry["kind"] for entry in await store.payments.ledger(subject)] == ["unknown-checkout"]

    async def test_of_somebody_who_was_erased_credits_nobody_and_is_entered_and_told(
        self, store: Store, cashier: Cashier, recorder: Recorder, subject: Subject
    ) -> None:
        begun = await begin(cashier, subject)
        await store.operations.erase(subject)
        reported = report(reference(subject, begun.checkout))
        assert await cashier.desk("sandbox").settle(reported) is SettleOutcome.UNKNOWN_CHECKOUT
        assert isinstance(recorder.events[-1], PaymentRejected) and recorder.events[-1].subject == ""
        assert begun.checkout in recorder.lines[0]
        (entry,) = await store.payments.ledger(subject)
        assert (entry["kind"], entry["amount"]) == ("unknown-checkout", SINGLE.price.minor)
        assert await store.payments.subject(subject.key) is None

    async def test_that_was_begun_under_a_former_secret_is_credited(
        self, store: Store, cashier: Cashier, recorder: Recorder, subject: Subject
    ) -> None:
        begun = await begin(cashier, subject)
        on_its_way = report(reference(subject, begun.checkout))
        renewed, others = Keyring(b"n" * 16), Keyring(b"o" * 16)
        strict = Cashier(
            Till(store.payments, store.pending, renewed, recorder, lambda: NOW, recorder.lines.append, [others]), {}
        )
        assert await strict.desk("sandbox").settle(on_its_way) is SettleOutcome.UNKNOWN_REFERENCE
        assert "`former_secrets`" in recorder.lines[-1]
        after = Cashier(
            Till(
                store.payments, store.pending, renewed, recorder, lambda: NOW, recorder.lines.append, [others, KEYRING]
            ),
            {},
        )
        assert await after.desk("sandbox").settle(on_its_way) is SettleOutcome.SETTLED
        assert (await store.subjects.visit(subject)).credits == 1

    @pytest.mark.parametrize("given", ["", "a.b", "..", "é.é", "\ud800", "x" * 10_000, "anothers"])
    async def test_of_a_reference_we_never_gave_out_credits_nobody_and_is_told(
        self, store: Store, cashier: Cashier, recorder: Recorder, subject: Subject, given: str
    ) -> None:
        begun = await begin(cashier, subject)
        recorder.events.clear()
        if given == "anothers":
            given = References(Keyring(b"t" * 16).key("payment references")).make(subject.key, begun.checkout)
        reported = PaymentReport(given, Settlement("e", "pay-7", begun.checkout, SINGLE.price, ""))
        assert await cashier.desk("sandbox").settle(reported) is SettleOutcome.UNKNOWN_REFERENCE
        assert recorder.events == []
        (line,) = recorder.lines
        assert "3.00 USD by sandbox, payment 'pay-7', gave nothing" in line and "reference" in line
        assert (await store.subjects.visit(subject)).credits == 0
        assert await store.payments.ledger(subject) == []
