"""What Paddle tells, in the words of the desk."""

from __future__ import annotations

from gateway.core.money import Money
from gateway.ports.cashbook import Settlement, SubscriptionStatus
from gateway.ports.payment import PaymentReport, RefundReport
from gateway_pay_paddle.wire import Adjustment, Subscription, Transaction, milliseconds

_STATUSES = {
    "active": SubscriptionStatus.ACTIVE,
    "trialing": SubscriptionStatus.ACTIVE,
    "past_due": SubscriptionStatus.PAST_DUE,
    # Nothing is taken while it is paused; what is paid stays open until its end.
    "paused": SubscriptionStatus.CANCELLED,
    "canceled": SubscriptionStatus.ENDED,
}


def paid(transaction: Transaction, reference: str) -> PaymentReport:
    """A payment: for the price of its items, whatever Paddle added as tax, or took off as a discount or for what is
    left of another plan. Raises `ValueError`."""
    if transaction.details is None:
        raise ValueError("a completed transaction has no totals")
    totals = transaction.details.totals
    charged = Money(int(totals.grand_total), totals.currency_code)
    amount = _price(transaction)
    settlement = Settlement(
        event=f"{transaction.id}.completed",
        payment=transaction.id,
        checkout="",
        amount=amount,
        provider="",
        charged=charged if charged != amount else None,
        subscription=transaction.subscription_id or "",
        paid_until=milliseconds(transaction.billing_period.ends_at)
        if transaction.subscription_id and transaction.billing_period
        else 0,
    )
    return PaymentReport(reference, settlement)


def _price(transaction: Transaction) -> Money:
    amounts = [item.amount for item in transaction.items]
    if not amounts or len({amount.currency for amount in amounts}) != 1:
        raise ValueError("a transaction has no items, or of several currencies")
    return Money(sum(amount.minor for amount in amounts), amounts[0].currency)


def gone_back(adjustment: Adjustment, transaction: Transaction, reference: str) -> RefundReport:
    """Money that went back, out of what was charged. Raises `ValueError`."""
    if transaction.details is None:
        raise ValueError("a transaction has no totals")
    gone = {each.id: each.amount.minor for each in (*transaction.adjustments, adjustment) if each.is_gone}
    return RefundReport(
        reference,
        adjustment.id,
        transaction.id,
        adjustment.amount,
        is_whole=sum(gone.values()) >= int(transaction.details.totals.grand_total),
        is_chargeback=adjustment.action == "chargeback",
    )


def status_of(subscription: Subscription) -> SubscriptionStatus | None:
    """None for a status that Paddle has added since."""
    is_ending = subscription.scheduled_change is not None and subscription.scheduled_change.action == "cancel"
    if is_ending and subscription.status in ("active", "trialing"):
        return SubscriptionStatus.CANCELLED
    return _STATUSES.get(subscription.status)
