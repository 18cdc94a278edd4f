"""Stripe's objects as reports for the desk (Stripe's API reference: Checkout Sessions, Invoices, Subscriptions).

What a payment is called: a single payment by its PaymentIntent; one of a subscription by its invoice, which the first
one's session names, too; one of nothing (a promotion code of 100 %) by its session.
"""

from __future__ import annotations

from gateway.core.money import Money
from gateway.ports.cashbook import Settlement, SubscriptionStatus
from gateway.ports.payment import PaymentReport, SubscriptionReport
from gateway_pay_stripe.amounts import from_stripe
from gateway_pay_stripe.session import REFERENCE
from gateway_pay_stripe.told import Json, at, currency, identity, named, rows, signed, text, whole

PAID = ("paid", "no_payment_required")

_STATUSES = {
    "active": SubscriptionStatus.ACTIVE,
    "trialing": SubscriptionStatus.ACTIVE,
    "past_due": SubscriptionStatus.PAST_DUE,
    "unpaid": SubscriptionStatus.PAST_DUE,
    "paused": SubscriptionStatus.PAST_DUE,
    "canceled": SubscriptionStatus.ENDED,
    "incomplete_expired": SubscriptionStatus.ENDED,
}
"""`incomplete` is none: its first payment is still to come."""


def reference_of(told: Json) -> str:
    """Whom an object is for; empty where it is nothing of this gateway's."""
    return text(told, "metadata", REFERENCE)


def reference_of_invoice(invoice: Json) -> str:
    """As `reference_of`. Versions of Stripe's API before 2025-03-31 have it at another place, and the version of a
    webhook is the account's."""
    return text(invoice, "parent", "subscription_details", "metadata", REFERENCE) or text(
        invoice, "subscription_details", "metadata", REFERENCE
    )


def payment_of_session(session: Json, event: str) -> PaymentReport:
    """The payment of a session in mode `payment` that is paid, or need not be."""
    asked = from_stripe(whole(session, "amount_subtotal"), currency(session))
    paid = from_stripe(whole(session, "amount_total"), currency(session))
    payment = named(session, "payment_intent") or identity(session, "id")
    return _report(reference_of(session), event, payment, asked, paid)


def payment_of_invoice(invoice: Json, event: str) -> PaymentReport | None:
    """The payment of an invoice that is paid; None for one that asked for nothing, as when a trial begins.

    Its price is what its lines ask for: what is taken off for an unused rest of another plan is a discount to it.
    """
    lines = rows(invoice, "lines")
    total = sum(max(0, signed(line, "amount")) for line in lines)
    if total == 0:
        return None
    name = currency(invoice)
    report = _report(
        reference_of_invoice(invoice),
        event,
        identity(invoice, "id"),
        from_stripe(total, name),
        from_stripe(whole(invoice, "amount_paid"), name),
        named(invoice, "parent", "subscription_details", "subscription") or identity(invoice, "subscription"),
        max(whole(line, "period", "end") for line in lines) * 1_000,
    )
    return report


def subscription_report(subscription: Json, at_ms: int) -> SubscriptionReport | None:
    """Where a subscription is; None before its first payment."""
    status = _STATUSES.get(text(subscription, "status"))
    if status is None:
        return None
    ends = at(subscription, "cancel_at_period_end") is True or at(subscription, "cancel_at") is not None
    if status is SubscriptionStatus.ACTIVE and ends:
        status = SubscriptionStatus.CANCELLED
    return SubscriptionReport(reference_of(subscription), identity(subscription, "id"), status, at_ms)


def _report(
    reference: str, event: str, payment: str, asked: Money, paid: Money, subscription: str = "", paid_until: int = 0
) -> PaymentReport:
    settlement = Settlement(
        event=event,
        payment=payment,
        checkout="",
        amount=asked,
        provider="",
        charged=paid if paid != asked else None,
        subscription=subscription,
        paid_until=paid_until,
    )
    return PaymentReport(reference, settlement)
