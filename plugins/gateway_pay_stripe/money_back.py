"""Refunds and disputes: what went back, of which payment, and whether anything is left."""

from __future__ import annotations

import hashlib

from gateway.core.money import Money
from gateway.ports.payment import ProviderUnavailable, RefundRefused, RefundReport
from gateway_pay_stripe.amounts import from_stripe, to_stripe
from gateway_pay_stripe.api import KEYS, KeyTaken, Refused, StripeApi
from gateway_pay_stripe.reports import reference_of, reference_of_invoice
from gateway_pay_stripe.session import REFERENCE
from gateway_pay_stripe.told import Json, Unreadable, at, currency, identity, named, rows, text, whole

_OPERATION = "paywall_operation"
_AGAIN = {"lock_timeout", "rate_limit", "balance_insufficient", "insufficient_funds"}
"""Why Stripe does not give back now, and may later."""


class MoneyBack:
    """Money that goes back through Stripe."""

    def __init__(self, api: StripeApi) -> None:
        self._api = api

    async def refund(self, reference: str, payment: str, amount: Money, operation: str) -> RefundReport | None:
        """See the port `Refunding`. An idempotency key holds for a day; the operation is written at the refund, too, so
        that it is found again for ever."""
        intent = await self._intent(payment)
        mark = hashlib.sha256(operation.encode()).hexdigest()
        try:
            refund = await self._done(intent, mark) or await self._give(intent, amount, mark, reference)
        except Refused as why:
            if why.code in _AGAIN:
                raise ProviderUnavailable(f"Stripe can't give it back now: {why}") from None
            raise RefundRefused(f"Stripe gives nothing back: {why}") from None
        except ValueError as error:
            raise RefundRefused(str(error)) from None
        # What was given back meanwhile counts, too, so all of them are read again.
        now = {identity(each, "id"): each for each in await self._refunds(intent)}
        found = now.get(identity(refund, "id"), refund)
        if text(found, "status") in ("failed", "canceled"):
            raise RefundRefused("the payer's bank did not take it: it has to go another way")
        if text(found, "status") != "succeeded":
            return None
        return _report(found, list(now.values()), reference, payment)

    async def of_charge(self, told: Json) -> list[RefundReport]:
        """All refunds of the charge that a refund or a charge is about; empty where it is nothing of this gateway's."""
        intent = named(told, "payment_intent")
        if not intent:
            return []
        refunds = await self._refunds(intent)
        if not refunds:
            return []
        reference, payment = await self._whose(intent, at(refunds[0], "payment_intent"))
        if not reference:
            return []
        return [_report(each, refunds, reference, payment) for each in refunds if text(each, "status") == "succeeded"]

    async def of_dispute(self, dispute: Json) -> RefundReport | None:
        """A dispute that was lost; None for one that was not, or is about nothing of this gateway's."""
        intent = named(dispute, "payment_intent")
        if text(dispute, "status") != "lost" or not intent:
            return None
        found = await self._api.get("payment_intent", f"/v1/payment_intents/{intent}", expand=["latest_charge"])
        reference, payment = await self._whose(intent, found)
        if not reference:
            return None
        charge = at(found, "latest_charge")
        amount = from_stripe(whole(dispute, "amount"), currency(dispute))
        gone = whole(charge, "amount_refunded") + whole(dispute, "amount")
        # A bank may take it in another currency; then it takes all of it.
        is_whole = currency(charge) != currency(dispute) or gone >= whole(charge, "amount")
        return RefundReport(reference, identity(dispute, "id"), payment, amount, is_whole, is_chargeback=True)

    async def _intent(self, payment: str) -> str:
        """The PaymentIntent of a payment by its name."""
        if payment.startswith("pi_"):
            return payment
        if payment.startswith("cs_"):
            raise RefundRefused("nothing was paid, so nothing can go back")
        if not payment.startswith("in_"):
            raise RefundRefused("it is no payment of Stripe's")
        try:
            found = rows(await self._api.get("list", "/v1/invoice_payments", invoice=payment, status="paid"))
        except Refused as why:
            raise RefundRefused(f"Stripe does not know the invoice: {why}") from None
        intents = [named(each, "payment", "payment_intent") for each in found]
        if len(intents) != 1 or not intents[0]:
            raise RefundRefused("its invoice was not paid by one payment: see to it in Stripe's Dashboard")
        return intents[0]

    async def _done(self, intent: str, mark: str) -> Json | None:
        """What was given back by this operation before."""
        done = [each for each in await self._refunds(intent) if text(each, "metadata", _OPERATION) == mark]
        return done[0] if done else None

    async def _give(self, intent: str, amount: Money, mark: str, reference: str) -> Json:
        marks = {_OPERATION: mark, REFERENCE: reference}
        asked = {"payment_intent": intent, "amount": to_stripe(amount), "metadata": marks}
        for number in range(KEYS):
            try:
                return (await self._api.post("refund", "/v1/refunds", key=f"refund-{mark}-{number}", **asked)).told
            except KeyTaken as taken:
                if taken.by_another:
                    raise RefundRefused("the same operation was begun with another amount") from None
                found = await self._done(intent, mark)
                if found is not None:
                    return found
        raise ProviderUnavailable("Stripe repeats a fault of its own; see to the refund in its Dashboard")

    async def _refunds(self, intent: str) -> list[Json]:
        expand = ["data.charge", "data.payment_intent"]
        return rows(await self._api.get("list", "/v1/refunds", payment_intent=intent, limit=100, expand=expand))

    async def _whose(self, intent: str, told: Json) -> tuple[str, str]:
        """Reference and name of the payment of a PaymentIntent: its own, or that of the invoice that it paid."""
        own = reference_of(told)
        if own:
            return own, intent
        asked = {"payment": {"type": "payment_intent", "payment_intent": intent}, "expand": ["data.invoice"]}
        for found in rows(await self._api.get("list", "/v1/invoice_payments", **asked)):
            invoice = at(found, "invoice")
            if isinstance(invoice, dict) and reference_of_invoice(invoice):
                return reference_of_invoice(invoice), identity(invoice, "id")
        return "", ""


def _report(refund: Json, all_of_charge: list[Json], reference: str, payment: str) -> RefundReport:
    charge = at(refund, "charge")
    if not isinstance(charge, dict):
        raise Unreadable("the refund's charge is not told")
    gone = sum(whole(each, "amount") for each in all_of_charge if text(each, "status") == "succeeded")
    amount = from_stripe(whole(refund, "amount"), currency(refund))
    return RefundReport(reference, identity(refund, "id"), payment, amount, gone >= whole(charge, "amount"))
