"""Open a payment, and credit what a provider reports of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from gateway.core.event import CheckoutOpened, PaymentRejected, PaymentSettled
from gateway.core.keyring import Keyring, tag
from gateway.core.money import Money
from gateway.core.quantity import DAY
from gateway.core.rule import Plan
from gateway.core.subject import Subject
from gateway.payments.offer import Offer
from gateway.payments.reference import References
from gateway.ports.events import Events
from gateway.ports.payment import CheckoutRequest, PaymentProvider, PaymentReport
from gateway.ports.state import (
    CheckoutOutcome,
    CheckoutRecord,
    CheckoutStatus,
    Payments,
    Settlement,
    SettleOutcome,
    StoreUnavailable,
)

Entry = Mapping[str, object]
"""What the ledger has of one payment."""

REPEATED_MS = 30 * DAY
"""For how long a repetition is believed to come of a first time that was interrupted; the stream knows for longer what
it has."""


class BeginOutcome(StrEnum):
    """What became of setting out to pay."""

    BEGUN = "begun"
    ALREADY_PAID = "already-paid"
    OUTDATED = "outdated"
    PLAN_UNKNOWN = "plan-unknown"
    PROVIDER_UNKNOWN = "provider-unknown"


@dataclass(frozen=True, slots=True)
class Begun:
    """The outcome, where to go to pay, and the checkout's id."""

    outcome: BeginOutcome
    address: str = ""
    checkout: str = ""


@dataclass(frozen=True, slots=True)
class ReturnAddresses:
    """Where a provider sends the person back to: paths. `{checkout}` stands for the checkout's id."""

    success: str
    cancel: str
    site: str
    """Scheme and host of the gateway, for providers that send people back from elsewhere."""


class Cashier:
    """Opens checkouts and settles payments for one config."""

    def __init__(
        self,
        payments: Payments,
        providers: Mapping[str, PaymentProvider],
        keyring: Keyring,
        events: Events,
        now: Callable[[], int],
        log: Callable[[str], None],
        former: Sequence[Keyring] = (),
    ) -> None:
        """Under `former` keyrings payments may have been set out for that are still to come."""
        self._payments, self.providers, self._keyring = payments, providers, keyring
        self._key = keyring.key("checkouts")
        self._references = References(*(each.key("payment references") for each in (keyring, *former)))
        self._events, self._now, self._log = events, now, log

    async def begin(
        self, subject: Subject, offer: Offer, plan_id: str, provider_name: str, back: ReturnAddresses, locale: str
    ) -> Begun:
        """Open the checkout of a plan, or find it again. Raises `ProviderUnavailable`, `StoreUnavailable`."""
        plan = offer.plan(plan_id)
        if plan is None:
            return Begun(BeginOutcome.PLAN_UNKNOWN)
        provider_name = provider_name or next(iter(self.providers), "")
        provider = self.providers.get(provider_name)
        if provider is None:
            return Begun(BeginOutcome.PROVIDER_UNKNOWN)
        record = CheckoutRecord(
            id=self._checkout_id(offer.id, plan, provider_name),
            offer=offer.id,
            plan=plan.id,
            price=plan.price,
            provider=provider_name,
            hold=offer.hold,
            route=offer.route,
            results=plan.results,
            period_ms=plan.period_ms,
        )
        opened = await self._payments.open_checkout(subject, record, offer.settled)
        if opened.outcome is CheckoutOutcome.ALREADY_PAID:
            return Begun(BeginOutcome.ALREADY_PAID, checkout=opened.record.id)
        if opened.outcome is CheckoutOutcome.OUTDATED:
            return Begun(BeginOutcome.OUTDATED)
        # From our own pages a path leads back: no host is named, so none can be the wrong one.
        site = back.site if provider.form_origins else ""
        request = CheckoutRequest(
            reference=self._references.make(subject.key, record.id),
            amount=opened.record.price,
            title=plan.name,
            success=site + back.success.replace("{checkout}", record.id),
            cancel=site + back.cancel,
            locale=locale,
        )
        # Before the provider is asked, who may not answer. Also of one that is found again: whoever opened it may have
        # been killed before that was recorded.
        if opened.outcome is CheckoutOutcome.OPENED or self._is_recent(opened.record.created):
            self._record_opened(subject, opened.record)
        address = await provider.begin(request)
        return Begun(BeginOutcome.BEGUN, address, record.id)

    async def look_back(
        self, subject: Subject, old_offer: str, offer: Offer, plan_id: str, provider_name: str
    ) -> Begun:
        """What an offer that is no longer current means: it was paid, by this plan, or something else changed."""
        plan = offer.plan(plan_id)
        if plan is None:
            return Begun(BeginOutcome.PLAN_UNKNOWN)
        provider_name = provider_name or next(iter(self.providers), "")
        checkout = self._checkout_id(old_offer, plan, provider_name)
        record = await self._payments.checkout(subject, checkout)
        if record is not None and record.status in (CheckoutStatus.PAID, CheckoutStatus.SURPLUS):
            return Begun(BeginOutcome.ALREADY_PAID, checkout=checkout)
        return Begun(BeginOutcome.OUTDATED)

    def _checkout_id(self, offer: str, plan: Plan, provider_name: str) -> str:
        gives = f"{plan.results}:{plan.period_ms}"
        return tag(self._key, "id", offer, plan.id, provider_name, str(plan.price), gives)

    async def settle(self, provider_name: str, report: PaymentReport) -> SettleOutcome:
        """Credit a payment that a provider reports, once; returns when that is durable. Safe to call again."""
        found = self._references.read(report.reference)
        if found is None:
            self._tell(replace(report.settlement, provider=provider_name), SettleOutcome.UNKNOWN_REFERENCE)
            return SettleOutcome.UNKNOWN_REFERENCE
        subject_key, checkout = found
        settlement = replace(report.settlement, checkout=checkout, provider=provider_name)
        subject = await self._payments.subject(subject_key)
        if subject is None:
            outcome = await self._payments.enter(subject_key, settlement)
            if outcome is not SettleOutcome.REPLAYED:
                self._record_rejected("", settlement, outcome, self._now())
                self._tell(settlement, outcome)
            return outcome
        outcome = await self._payments.settle(subject, settlement)
        await self._record_settled(subject, settlement, outcome)
        return outcome

    def _record_opened(self, subject: Subject, record: CheckoutRecord) -> None:
        event = CheckoutOpened(
            at=self._now(),
            subject=self._keyring.pseudonym(subject),
            checkout=record.id,
            plan=record.plan,
            amount=record.price.minor,
            currency=record.price.currency,
            provider=record.provider,
        )
        self._events.record_once(event, tag(self._key, "opened", subject.key, record.id))

    def _is_recent(self, at: int) -> bool:
        return at > self._now() - REPEATED_MS

    async def _record_settled(self, subject: Subject, settlement: Settlement, outcome: SettleOutcome) -> None:
        if outcome is SettleOutcome.REPLAYED:
            await self._record_again(subject, settlement)
        elif outcome is SettleOutcome.SETTLED:
            self._record_credited(subject, settlement, await self._entered(subject, settlement), self._now())
        else:
            self._record_rejected(self._keyring.pseudonym(subject), settlement, outcome, self._now())
            self._tell(settlement, outcome)

    async def _record_again(self, subject: Subject, repeated: Settlement) -> None:
        """Of a repeated report: whoever heard it first may have been killed before it was recorded what came of it."""
        entry = await self._payments.entry(subject, repeated)
        if entry is None:
            return
        at, amount = int(str(entry["at"])), Money(int(str(entry["amount"])), str(entry["currency"]))
        names = {name: str(entry[name]) for name in ("event", "payment", "checkout", "provider")}
        first = Settlement(amount=amount, **names)
        if not self._is_recent(at):
            return
        if entry["kind"] == "payment":
            self._record_credited(subject, first, entry, at)
        else:
            self._record_rejected(self._keyring.pseudonym(subject), first, SettleOutcome.SURPLUS, at)

    async def _entered(self, subject: Subject, settlement: Settlement) -> Entry:
        try:
            return await self._payments.entry(subject, settlement) or {}
        except StoreUnavailable:
            return {}  # it is credited and must be told of; only the plan's name is missing

    def _record_credited(self, subject: Subject, settlement: Settlement, entry: Entry, at: int) -> None:
        event = PaymentSettled(
            at=at,
            subject=self._keyring.pseudonym(subject),
            checkout=settlement.checkout,
            plan=str(entry.get("plan", "")),
            amount=settlement.amount.minor,
            currency=settlement.amount.currency,
            provider=settlement.provider,
            again=bool(entry.get("again")),
        )
        self._events.record_once(event, self._mark(settlement, SettleOutcome.SETTLED))

    def _record_rejected(self, who: str, settlement: Settlement, outcome: SettleOutcome, at: int) -> None:
        event = PaymentRejected(
            at=at,
            subject=who,
            checkout=settlement.checkout,
            outcome=outcome,
            provider=settlement.provider,
            payment=settlement.payment,
            amount=settlement.amount.minor,
            currency=settlement.amount.currency,
        )
        self._events.record_once(event, self._mark(settlement, outcome))

    def _mark(self, settlement: Settlement, outcome: SettleOutcome) -> str:
        names = (outcome, settlement.provider, settlement.event, settlement.payment, settlement.checkout)
        # A provider's ids may be no proper text.
        return tag(self._key, "came of", *(name.encode("utf-8", "surrogatepass").hex() for name in names))

    def _tell(self, settlement: Settlement, outcome: SettleOutcome) -> None:
        """Somebody's money has arrived and gave nothing: that must not stand in the events alone."""
        where = f" for checkout {settlement.checkout}" if outcome is not SettleOutcome.UNKNOWN_REFERENCE else ""
        self._log(
            f"payments: {settlement.amount} by {settlement.provider}{where}, payment "
            f"{settlement.payment or settlement.event!r}, gave nothing: {_WHY[outcome]}"
        )


_WHY = {
    SettleOutcome.SURPLUS: "its result was the payer's already, or is no longer kept; give the money back",
    SettleOutcome.MISMATCH: "it is not the amount or currency of the checkout; see what was agreed, or give it back",
    SettleOutcome.ANOTHERS: "it was reported for another subject before, and counts for that one, or for one who was "
    "erased since; find out why it came again",
    SettleOutcome.UNKNOWN_CHECKOUT: "its checkout is not known any more; see what it was for, or give it back",
    SettleOutcome.UNKNOWN_REFERENCE: "its reference was not given out under this gateway's secret; another system's "
    "payment, or the secret was replaced since and `former_secrets` does not name it",
}
"""What an operator is told of a payment that was not credited."""
