"""Set out to pay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from gateway.core.event import CheckoutOpened
from gateway.core.keyring import tag
from gateway.core.quantity import MINUTE
from gateway.core.rule import Plan
from gateway.core.subject import Subject, SubjectKind
from gateway.core.wording import in_language
from gateway.payments.desk import ProviderDesk
from gateway.payments.free import free_checkout, give_free
from gateway.payments.offer import Offer
from gateway.payments.till import Till
from gateway.ports.cashbook import (
    CheckoutOutcome,
    CheckoutRecord,
    CheckoutStatus,
    OpenedCheckout,
    SettleOutcome,
    Subscription,
    SubscriptionStatus,
)
from gateway.ports.payment import CheckoutEnded, CheckoutRequest, Desk, PaymentProvider, Renewing

FIRST_LOOK_MS = 10 * MINUTE
"""When the provider is asked by itself for the first time. Most people are back by then, or the webhook has come."""

ATTEMPTS = 20
"""So often one plan of one offer may fail before somebody is told that it did."""


class BeginOutcome(StrEnum):
    """What became of setting out to pay."""

    BEGUN = "begun"
    ALREADY_PAID = "already-paid"
    CHECKING = "checking"
    """It may have been paid: nobody is asked for the money again before that is known."""
    OUTDATED = "outdated"
    PLAN_UNKNOWN = "plan-unknown"
    PROVIDER_UNKNOWN = "provider-unknown"
    SIGN_IN = "sign-in"
    """A plan that costs nothing is for those who are known."""
    GIVEN_BEFORE = "given-before"
    """A plan that costs nothing was given before, to whom nothing more is known of."""


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

    def now(self) -> int:
        """Milliseconds since the epoch."""
        return self._till.now()

    def reference(self, subject: Subject, checkout: str) -> str:
        """What stands for a checkout on a provider's side."""
        return self._till.references.make(subject.key, checkout)

    async def subscription(self, subject: Subject, name: str) -> Subscription | None:
        """The subject's subscription of this name, if it goes on."""
        goes_on = (SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE)
        found = await self._till.payments.subscriptions(subject)
        return next((each for each in found if each.subscription == name and each.status in goes_on), None)

    async def open_change(self, subject: Subject, old: Subscription, plan: Plan, settled: int) -> str | None:
        """The reference of the checkout by which a subscription goes over to another plan; the same for one change,
        however often it is asked for. None where something was paid since. Raises `StoreUnavailable`."""
        once = tag(self._till.key, "change", old.provider, old.subscription, old.checkout, plan.id, str(plan.price))
        record = CheckoutRecord(
            id=once,
            offer=once,
            plan=plan.id,
            price=plan.price,
            provider=old.provider,
            period_ms=plan.period_ms,
            renews=plan.renews,
        )
        opened = await self._till.payments.open_checkout(subject, record, settled)
        return None if opened.outcome is CheckoutOutcome.OUTDATED else self.reference(subject, record.id)

    async def begin(
        self, subject: Subject, offer: Offer, plan_id: str, provider_name: str, back: ReturnAddresses, locale: str
    ) -> Begun:
        """Open the checkout of a plan, or find it again. Raises `ProviderUnavailable`, `StoreUnavailable`."""
        plan = offer.plan(plan_id)
        if plan is None:
            return Begun(BeginOutcome.PLAN_UNKNOWN)
        if plan.is_free:
            return await self._take(subject, offer, plan)
        provider_name = provider_name or self._first_for(plan)
        provider = self.providers.get(provider_name)
        if provider is None or (plan.renews and not isinstance(provider, Renewing)):
            return Begun(BeginOutcome.PROVIDER_UNKNOWN)
        try:
            return await self._set_out(subject, offer, plan, provider_name, back, locale)
        except CheckoutEnded:  # nobody had heard of it; it is closed now, and another takes its place
            return await self._set_out(subject, offer, plan, provider_name, back, locale)

    async def _set_out(
        self, subject: Subject, offer: Offer, plan: Plan, provider_name: str, back: ReturnAddresses, locale: str
    ) -> Begun:
        provider = self.providers[provider_name]
        opened = await self._open(subject, offer, plan, provider_name)
        record = opened.record
        if opened.outcome is CheckoutOutcome.ALREADY_PAID:
            return Begun(BeginOutcome.ALREADY_PAID, checkout=record.id)
        if opened.outcome is CheckoutOutcome.OUTDATED:
            return Begun(BeginOutcome.OUTDATED)
        if record.status is CheckoutStatus.UNKNOWN:
            return Begun(BeginOutcome.CHECKING, checkout=record.id)
        # From our own pages a path leads back: no host is named, so none can be the wrong one.
        site = back.site if provider.form_origins else ""
        request = CheckoutRequest(
            reference=self._till.references.make(subject.key, record.id),
            amount=record.price,
            title=in_language(plan.name, locale),
            success=site + back.success.replace("{checkout}", record.id),
            cancel=site + back.cancel,
            locale=locale,
            plan=plan.id,
            renews=plan.renews,
            session=record.session,
        )
        # Before the provider is asked, who may not answer. Also of one that is found again: whoever opened it may have
        # been killed before that was recorded.
        if opened.outcome is CheckoutOutcome.OPENED or self._till.is_recent(record.created):
            self._record_opened(subject, record)
        await self._till.pending.watch(request.reference, self._till.now() + FIRST_LOOK_MS)
        try:
            started = await provider.begin(request)
        except CheckoutEnded:
            await self._till.payments.close_checkout(subject, record.id, CheckoutStatus.FAILED)
            raise
        if started.session and started.session != record.session:
            await self._till.payments.note_session(subject, record.id, started.session)
        return Begun(BeginOutcome.BEGUN, started.address, record.id)

    async def _take(self, subject: Subject, offer: Offer, plan: Plan) -> Begun:
        """Have a plan that costs nothing: it is given before this returns, or was before."""
        if subject.kind is SubjectKind.VISITOR:
            return Begun(BeginOutcome.SIGN_IN)
        record = free_checkout(self._till, subject, offer, plan)
        opened = await self._till.payments.open_checkout(subject, record, offer.settled)
        if opened.outcome is CheckoutOutcome.ALREADY_PAID:
            return Begun(BeginOutcome.ALREADY_PAID, checkout=record.id)
        if opened.outcome is CheckoutOutcome.OUTDATED:
            return Begun(BeginOutcome.OUTDATED)
        self._record_opened(subject, opened.record)
        if await give_free(self._till, subject, opened.record) is SettleOutcome.SETTLED:
            return Begun(BeginOutcome.BEGUN, checkout=record.id)
        # Somebody pressed twice at once, or was erased since it was given: then this checkout will never be settled.
        known = await self._till.payments.checkout(subject, record.id)
        was_given = known is not None and known.status is CheckoutStatus.PAID
        return Begun(BeginOutcome.ALREADY_PAID if was_given else BeginOutcome.GIVEN_BEFORE, checkout=record.id)

    async def _open(self, subject: Subject, offer: Offer, plan: Plan, provider_name: str) -> OpenedCheckout:
        """The checkout of this plan that can be paid: one that has failed is followed by another, under a reference of
        its own, for the provider would go on with the failed one."""
        for attempt in range(ATTEMPTS):
            record = CheckoutRecord(
                id=self._checkout_id(offer.id, plan, provider_name, attempt),
                offer=offer.id,
                plan=plan.id,
                price=plan.price,
                provider=provider_name,
                hold=offer.hold,
                route=offer.route,
                results=plan.results,
                period_ms=plan.period_ms,
                renews=plan.renews,
            )
            opened = await self._till.payments.open_checkout(subject, record, offer.settled)
            if opened.record.status is not CheckoutStatus.FAILED:
                break
        return opened

    async def look_back(
        self, subject: Subject, old_offer: str, offer: Offer, plan_id: str, provider_name: str
    ) -> Begun:
        """What an offer that is no longer current means: it was paid, by this plan, or something else changed."""
        plan = offer.plan(plan_id)
        if plan is None:
            return Begun(BeginOutcome.PLAN_UNKNOWN)
        provider_name = provider_name or self._first_for(plan)
        for attempt in range(ATTEMPTS):
            checkout = self._checkout_id(old_offer, plan, provider_name, attempt)
            if plan.is_free:
                checkout = free_checkout(self._till, subject, offer, plan).id
            record = await self._till.payments.checkout(subject, checkout)
            if record is None:
                break
            if record.status in (CheckoutStatus.PAID, CheckoutStatus.SURPLUS):
                return Begun(BeginOutcome.ALREADY_PAID, checkout=checkout)
        return Begun(BeginOutcome.OUTDATED)

    def _first_for(self, plan: Plan) -> str:
        """The first way to pay that sells such a plan."""
        able = (name for name, provider in self.providers.items() if not plan.renews or isinstance(provider, Renewing))
        return next(able, "")

    def _checkout_id(self, offer: str, plan: Plan, provider_name: str, attempt: int) -> str:
        gives = f"{plan.results}:{plan.period_ms}" + (f":{attempt}" if attempt else "")
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
