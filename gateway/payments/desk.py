"""What providers report: credited once, to the right subject, durable before anybody is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gateway.core.event import PaymentRefunded, PaymentRejected, PaymentSettled, SubscriptionChanged
from gateway.core.keyring import tag
from gateway.core.money import Money
from gateway.core.subject import Subject
from gateway.payments.till import Till
from gateway.ports.cashbook import (
    CheckoutStatus,
    Refund,
    RefundOutcome,
    Settlement,
    SettleOutcome,
    SubscriptionChange,
    SubscriptionOutcome,
)
from gateway.ports.payment import FailureReport, KnownCheckout, PaymentReport, RefundReport, SubscriptionReport
from gateway.ports.state import StoreUnavailable

Entry = Mapping[str, object]
"""What the ledger has of one payment."""


class ProviderDesk:
    """The port `Desk`, for one provider."""

    def __init__(self, till: Till, provider: str) -> None:
        self._till, self._provider = till, provider

    async def settle(self, report: PaymentReport) -> SettleOutcome:
        """See the port."""
        found = self._till.references.read(report.reference)
        if found is None:
            self._tell(replace(report.settlement, provider=self._provider), SettleOutcome.UNKNOWN_REFERENCE)
            return SettleOutcome.UNKNOWN_REFERENCE
        subject_key, checkout = found
        settlement = replace(report.settlement, checkout=checkout, provider=self._provider)
        subject = await self._till.payments.subject(subject_key)
        if subject is None:
            outcome = await self._till.payments.enter(subject_key, settlement)
            if outcome is not SettleOutcome.REPLAYED:
                self._record_rejected("", settlement, outcome, self._till.now())
                self._tell(settlement, outcome)
            return outcome
        outcome = await self._till.payments.settle(subject, settlement)
        await self._record_settled(subject, settlement, outcome)
        return outcome

    async def refunded(self, report: RefundReport) -> RefundOutcome:
        """See the port."""
        found = self._till.references.read(report.reference)
        if found is None:
            return RefundOutcome.UNKNOWN_REFERENCE
        refund = Refund(
            report.refund, report.payment, self._provider, report.amount, report.is_whole, report.is_chargeback
        )
        outcome = await self._till.payments.refund(found[0], refund)
        if outcome is not RefundOutcome.REPLAYED:
            await self._record_refunded(found, refund, outcome)
        return outcome

    async def failed(self, report: FailureReport) -> None:
        """See the port."""
        found = self._till.references.read(report.reference)
        subject = await self._till.payments.subject(found[0]) if found else None
        if found is None or subject is None:
            return
        await self._till.payments.close_checkout(subject, found[1], CheckoutStatus.FAILED)

    async def subscription(self, report: SubscriptionReport) -> SubscriptionOutcome:
        """See the port."""
        found = self._till.references.read(report.reference)
        if found is None:
            return SubscriptionOutcome.UNKNOWN_REFERENCE
        change = SubscriptionChange(report.subscription, self._provider, report.status, report.at, found[1])
        outcome = await self._till.payments.renew(found[0], change)
        if outcome is SubscriptionOutcome.CHANGED:
            subject = await self._till.payments.subject(found[0])
            event = SubscriptionChanged(
                at=self._till.now(),
                subject=self._till.keyring.pseudonym(subject) if subject else "",
                provider=self._provider,
                status=change.status,
            )
            self._till.events.record_once(
                event, self._tag("subscription", change.subscription, change.status, change.at)
            )
        return outcome

    async def balance(self, reference: str) -> Money | None:
        """See the port."""
        found = self._till.references.read(reference)
        subject = await self._till.payments.subject(found[0]) if found else None
        record = await self._till.payments.checkout(subject, found[1]) if found and subject else None
        if subject is None or record is None:
            return None
        return await self._till.payments.balance(subject, record.price.currency)

    async def checkout(self, reference: str) -> KnownCheckout | None:
        """See the port."""
        found = self._till.references.read(reference)
        subject = await self._till.payments.subject(found[0]) if found else None
        record = await self._till.payments.checkout(subject, found[1]) if found and subject else None
        return KnownCheckout(record.status, record.price, record.session) if record else None

    async def note(self, reference: str, session: str) -> None:
        """See the port."""
        found = self._till.references.read(reference)
        subject = await self._till.payments.subject(found[0]) if found else None
        if found and subject:
            await self._till.payments.note_session(subject, found[1], session)

    async def _record_refunded(self, found: tuple[str, str], refund: Refund, outcome: RefundOutcome) -> None:
        subject = await self._till.payments.subject(found[0])
        event = PaymentRefunded(
            at=self._till.now(),
            subject=self._till.keyring.pseudonym(subject) if subject else "",
            checkout=found[1],
            payment=refund.payment,
            provider=self._provider,
            amount=refund.amount.minor,
            currency=refund.amount.currency,
            outcome=outcome,
            chargeback=refund.is_chargeback,
        )
        self._till.events.record_once(event, self._tag("refund", refund.refund, refund.payment))

    async def _record_settled(self, subject: Subject, settlement: Settlement, outcome: SettleOutcome) -> None:
        if outcome is SettleOutcome.REPLAYED:
            await self._record_again(subject, settlement)
        elif outcome is SettleOutcome.SETTLED:
            self._record_credited(subject, settlement, await self._entered(subject, settlement), self._till.now())
        else:
            self._record_rejected(self._till.keyring.pseudonym(subject), settlement, outcome, self._till.now())
            self._tell(settlement, outcome)

    async def _record_again(self, subject: Subject, repeated: Settlement) -> None:
        """Of a repeated report: whoever heard it first may have been killed before it was recorded what came of it."""
        entry = await self._till.payments.entry(subject, repeated)
        if entry is None:
            return
        at, amount = int(str(entry["at"])), Money(int(str(entry["amount"])), str(entry["currency"]))
        event, payment, checkout, provider = (str(entry[name]) for name in ("event", "payment", "checkout", "provider"))
        first = Settlement(event, payment, checkout, amount, provider)
        if not self._till.is_recent(at):
            return
        if entry["kind"] == "payment":
            self._record_credited(subject, first, entry, at)
        else:
            self._record_rejected(self._till.keyring.pseudonym(subject), first, SettleOutcome.SURPLUS, at)

    async def _entered(self, subject: Subject, settlement: Settlement) -> Entry:
        try:
            return await self._till.payments.entry(subject, settlement) or {}
        except StoreUnavailable:
            return {}  # it is credited and must be told of; only the plan's name is missing

    def _record_credited(self, subject: Subject, settlement: Settlement, entry: Entry, at: int) -> None:
        event = PaymentSettled(
            at=at,
            subject=self._till.keyring.pseudonym(subject),
            checkout=settlement.checkout,
            plan=str(entry.get("plan", "")),
            amount=settlement.amount.minor,
            currency=settlement.amount.currency,
            provider=settlement.provider,
            again=bool(entry.get("again")),
        )
        self._till.events.record_once(event, self._mark(settlement, SettleOutcome.SETTLED))

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
        self._till.events.record_once(event, self._mark(settlement, outcome))

    def _mark(self, settlement: Settlement, outcome: SettleOutcome) -> str:
        return self._tag("came of", outcome, settlement.event, settlement.payment, settlement.checkout)

    def _tag(self, *names: object) -> str:
        # A provider's ids may be no proper text.
        written = (str(name).encode("utf-8", "surrogatepass").hex() for name in (self._provider, *names))
        return tag(self._till.key, *written)

    def _tell(self, settlement: Settlement, outcome: SettleOutcome) -> None:
        """Somebody's money has arrived and gave nothing: that must not stand in the events alone."""
        where = f" for checkout {settlement.checkout}" if outcome is not SettleOutcome.UNKNOWN_REFERENCE else ""
        self._till.log(
            f"payments: {settlement.amount} by {settlement.provider}{where}, payment "
            f"{settlement.payment or settlement.event!r}, gave nothing: {_WHY[outcome]}"
        )


_WHY = {
    SettleOutcome.SURPLUS: "its result was the payer's already, or is no longer kept; give the money back",
    SettleOutcome.MISMATCH: "it is not the amount or currency of the checkout, or its event was reported before, of "
    "another payment; see what was agreed, or give it back",
    SettleOutcome.REFUNDED: "it had gone back to the payer before it was reported, so nothing is owed to anybody",
    SettleOutcome.NEEDLESS: "its result was the payer's already, or is no longer kept; nothing was taken",
    SettleOutcome.INSUFFICIENT: "the wallet that it was to be paid out of has not so much; nothing was taken",
    SettleOutcome.ANOTHERS: "it was reported for another subject before, and counts for that one, or for one who was "
    "erased since; find out why it came again",
    SettleOutcome.UNKNOWN_CHECKOUT: "its checkout is not known any more; see what it was for, or give it back",
    SettleOutcome.UNKNOWN_REFERENCE: "its reference was not given out under this gateway's secret; another system's "
    "payment, or the secret was replaced since and `former_secrets` does not name it",
}
"""What an operator is told of a payment that was not credited."""
