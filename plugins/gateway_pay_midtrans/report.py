"""What a transaction says of money, in the words of the desk ("Transaction Status Cycle")."""

from __future__ import annotations

from gateway.core.money import Money
from gateway.ports.cashbook import Settlement
from gateway.ports.payment import PaymentReport, RefundReport
from gateway_pay_midtrans.wire import Transaction

PAID = ("capture", "settlement", "refund", "partial_refund", "chargeback", "partial_chargeback")
ENDED = ("expire", "cancel", "failure")
DENIED = "deny"
_REVERSIBLE = ("bank_transfer", "echannel", "cstore")
"""Ways to pay whose settlement may turn into `deny` minutes later ("Reversal Case"). They have no other `deny`."""


def is_paid(transaction: Transaction) -> bool:
    """Whether the money came; not while somebody has to look whether it is fraud."""
    return transaction.status in PAID and transaction.fraud_status.lower() in ("", "accept")


def was_voided(transaction: Transaction) -> bool:
    """Whether it ended after the money may have come: a card's payment that was cancelled before it was settled, or a
    bank's that was reversed. Should it never have been paid, the report of its refund changes nothing."""
    if transaction.status == "cancel":
        return transaction.payment_type == "credit_card" and transaction.fraud_status.lower() == "accept"
    return transaction.status == DENIED and transaction.payment_type in _REVERSIBLE


def money_reports(transaction: Transaction, reference: str) -> list[PaymentReport | RefundReport]:
    """That it was paid, and what went back. Raises `ValueError` where an amount can't be read."""
    payment = transaction.transaction_id
    if is_paid(transaction):
        settlement = Settlement(f"{payment}.paid", payment, checkout="", amount=transaction.amount, provider="")
        return [PaymentReport(reference, settlement), *refunds(transaction, reference)]
    return [voided(transaction, reference)] if was_voided(transaction) else []


def voided(transaction: Transaction, reference: str) -> RefundReport:
    """That all of it went back without a refund. Raises `ValueError`."""
    payment = transaction.transaction_id
    return RefundReport(reference, f"{payment}.{transaction.status}", payment, transaction.amount, is_whole=True)


def refunds(transaction: Transaction, reference: str) -> list[RefundReport]:
    """Its refunds, and what the payer's bank took. With that which makes up the whole nothing is left. Raises
    `ValueError`."""
    payment, whole, gone = transaction.transaction_id, transaction.amount, 0
    found = []
    for each in transaction.refunds:
        gone += each.amount.minor
        refund = f"{payment}.{each.refund_chargeback_id}"
        found.append(RefundReport(reference, refund, payment, each.amount, is_whole=gone >= whole.minor))
    if transaction.status == "chargeback":
        taken = Money(max(whole.minor - gone, 0), whole.currency)
        found.append(RefundReport(reference, f"{payment}.chargeback", payment, taken, True, is_chargeback=True))
    return found
