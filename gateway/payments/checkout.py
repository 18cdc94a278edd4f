"""Set out to pay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from gateway.core.event import CheckoutOpened
from gateway.core.keyring import tag
from gateway.core.rule import Plan
from gateway.core.subject import Subject
from gateway.payments.desk import ProviderDesk
from gateway.payments.offer import Offer
from gateway.payments.till import Till
from gateway.ports.cashbook import CheckoutOutcome, CheckoutRecord, CheckoutStatus
from gateway.ports.payment import CheckoutRequest, Desk, PaymentProvider


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
    """Opens checkouts for one config."""

    def __init__(self, till: Till, providers: Mapping[str, PaymentProvider]) -> None:
        self._till, self.providers = till, providers

    def desk(self, provider: str) -> Desk:
        """Where the provider of this name reports."""
        return ProviderDesk(self._till, provider)

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
        opened = await self._till.payments.open_checkout(subject, record, offer.settled)
        if opened.outcome is CheckoutOutcome.ALREADY_PAID:
            return Begun(BeginOutcome.ALREADY_PAID, checkout=opened.record.id)
        if opened.outcome is CheckoutOutcome.OUTDATED:
            return Begun(BeginOutcome.OUTDATED)
        # From our own pages a path leads back: no host is named, so none can be the wrong one.
        site = back.site if provider.form_origins else ""
        request = CheckoutRequest(
            reference=self._till.references.make(subject.key, record.id),
            amount=opened.record.price,
            title=plan.name,
            success=site + back.success.replace("{checkout}", record.id),
            cancel=site + back.cancel,
            locale=locale,
            session=opened.record.session,
        )
        # Before the provider is asked, who may not answer. Also of one that is found again: whoever opened it may have
        # been killed before that was recorded.
        if opened.outcome is CheckoutOutcome.OPENED or self._till.is_recent(opened.record.created):
            self._record_opened(subject, opened.record)
        started = await provider.begin(request)
        return Begun(BeginOutcome.BEGUN, started.address, record.id)

    async def look_back(
        self, subject: Subject, old_offer: str, offer: Offer, plan_id: str, provider_name: str
    ) -> Begun:
        """What an offer that is no longer current means: it was paid, by this plan, or something else changed."""
        plan = offer.plan(plan_id)
        if plan is None:
            return Begun(BeginOutcome.PLAN_UNKNOWN)
        provider_name = provider_name or next(iter(self.providers), "")
        checkout = self._checkout_id(old_offer, plan, provider_name)
        record = await self._till.payments.checkout(subject, checkout)
        if record is not None and record.status in (CheckoutStatus.PAID, CheckoutStatus.SURPLUS):
            return Begun(BeginOutcome.ALREADY_PAID, checkout=checkout)
        return Begun(BeginOutcome.OUTDATED)

    def _checkout_id(self, offer: str, plan: Plan, provider_name: str) -> str:
        gives = f"{plan.results}:{plan.period_ms}"
        return tag(self._till.key, "id", offer, plan.id, provider_name, str(plan.price), gives)

    def _record_opened(self, subject: Subject, record: CheckoutRecord) -> None:
        event = CheckoutOpened(
            at=self._till.now(),
            subject=self._till.keyring.pseudonym(subject),
            checkout=record.id,
            plan=record.plan,
            amount=record.price.minor,
            currency=record.price.currency,
            provider=record.provider,
        )
        self._till.events.record_once(event, tag(self._till.key, "opened", subject.key, record.id))
