"""Plans that cost nothing: taken without a provider, by the same verbs as what is paid, once for each subject.

The checkout's id follows from the subject and the plan alone, not from the offer as that of a paid one: so there is one
for ever, which the store settles once. A visitor, who is another one in the next browser, takes none.
"""

from __future__ import annotations

from gateway.core.keyring import tag
from gateway.core.rule import Plan
from gateway.core.subject import Subject
from gateway.payments.desk import ProviderDesk
from gateway.payments.offer import Offer
from gateway.payments.till import Till
from gateway.ports.cashbook import CheckoutRecord, Settlement, SettleOutcome
from gateway.ports.payment import PaymentReport

FREE = "free"
"""What stands in the place of a provider's name."""


def free_checkout(till: Till, subject: Subject, offer: Offer, plan: Plan) -> CheckoutRecord:
    """The one checkout of a free plan that a subject can have."""
    once = tag(till.key, FREE, subject.key, plan.id)
    return CheckoutRecord(
        id=once,
        offer=once,
        plan=plan.id,
        price=plan.price,
        provider=FREE,
        hold=offer.hold,
        route=offer.route,
        results=plan.results,
        period_ms=plan.period_ms,
    )


async def give_free(till: Till, subject: Subject, record: CheckoutRecord) -> SettleOutcome:
    """Settle a free checkout. Raises `StoreUnavailable`: safe to call again."""
    settlement = Settlement(event=record.id, payment=record.id, checkout=record.id, amount=record.price, provider=FREE)
    reference = till.references.make(subject.key, record.id)
    return await ProviderDesk(till, FREE).settle(PaymentReport(reference, settlement))
