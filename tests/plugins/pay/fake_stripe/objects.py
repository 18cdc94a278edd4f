"""Stripe's objects, with the members that its API reference gives them, as far as anything here depends on them."""

from __future__ import annotations

import calendar
import datetime
import itertools
from typing import Any

Json = dict[str, Any]

_numbers = itertools.count(1)


def new_id(prefix: str) -> str:
    """An id as Stripe makes them."""
    return f"{prefix}_{next(_numbers):024d}"


def listed(url: str, rows: list[Json], has_more: bool = False) -> Json:
    """A list."""
    return {"object": "list", "url": url, "has_more": has_more, "data": rows}


def later(seconds: int, interval: str, count: int) -> int:
    """The same time of day after so many periods, in UTC."""
    at = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    if interval in ("day", "week"):
        return seconds + count * 86_400 * (7 if interval == "week" else 1)
    month = at.month - 1 + count * (12 if interval == "year" else 1)
    year, month = at.year + month // 12, month % 12 + 1
    return int(at.replace(year=year, month=month, day=min(at.day, calendar.monthrange(year, month)[1])).timestamp())


def session(asked: Json, total: int, currency: str, now: int, page: str, livemode: bool) -> Json:
    """A Checkout Session that is open."""
    name = new_id("cs_live" if livemode else "cs_test")
    return {
        "id": name, "object": "checkout.session", "amount_subtotal": total, "amount_total": total,
        "automatic_tax": {"enabled": asked.get("automatic_tax", {}).get("enabled") == "true", "status": None},
        "cancel_url": asked.get("cancel_url"), "client_reference_id": asked.get("client_reference_id"),
        "created": now, "currency": currency, "customer": None, "customer_email": asked.get("customer_email"),
        "expires_at": int(asked.get("expires_at", now + 86_400)), "invoice": None, "livemode": livemode,
        "locale": asked.get("locale"), "metadata": asked.get("metadata", {}), "mode": asked["mode"],
        "payment_intent": None, "payment_status": "unpaid", "presentment_details": None, "status": "open",
        "subscription": None, "success_url": asked["success_url"],
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "url": f"{page}/c/pay/{name}#fidkdWxOYHwnPyd1blpxYHZxWjA0",
    }  # fmt: skip


def payment_intent(amount: int, currency: str, status: str, metadata: Json, now: int, livemode: bool) -> Json:
    """A PaymentIntent."""
    return {
        "id": new_id("pi"), "object": "payment_intent", "amount": amount,
        "amount_received": amount if status == "succeeded" else 0, "created": now, "currency": currency,
        "latest_charge": None, "livemode": livemode, "metadata": dict(metadata), "status": status,
    }  # fmt: skip


def charge(intent: Json, now: int) -> Json:
    """The Charge of a PaymentIntent that has succeeded; it has the intent's metadata."""
    return {
        "id": new_id("ch"), "object": "charge", "amount": intent["amount"], "amount_captured": intent["amount"],
        "amount_refunded": 0, "created": now, "currency": intent["currency"], "disputed": False,
        "livemode": intent["livemode"], "metadata": dict(intent["metadata"]), "paid": True,
        "payment_intent": intent["id"], "refunded": False, "status": "succeeded",
    }  # fmt: skip


def refund(of: Json, amount: int, metadata: Json, status: str, now: int) -> Json:
    """A Refund of a Charge."""
    return {
        "id": new_id("re"), "object": "refund", "amount": amount, "charge": of["id"], "created": now,
        "currency": of["currency"], "metadata": metadata, "payment_intent": of["payment_intent"],
        "reason": "requested_by_customer", "status": status,
    }  # fmt: skip


def dispute(of: Json, now: int) -> Json:
    """A Dispute that was lost."""
    return {
        "id": new_id("dp"), "object": "dispute", "amount": of["amount"], "charge": of["id"], "created": now,
        "currency": of["currency"], "livemode": of["livemode"], "metadata": {}, "payment_intent": of["payment_intent"],
        "reason": "fraudulent", "status": "lost",
    }  # fmt: skip


def price(told: Json) -> Json:
    """A Price, out of `price_data`."""
    recurring = told.get("recurring")
    if recurring:
        recurring = {"interval": recurring["interval"], "interval_count": int(recurring["interval_count"])}
    return {
        "id": new_id("price"), "object": "price", "currency": told["currency"],
        "product": told.get("product") or new_id("prod"), "recurring": recurring,
        "unit_amount": int(told["unit_amount"]), "unit_amount_decimal": str(told["unit_amount"]),
    }  # fmt: skip


def subscription(of: Json, metadata: Json, now: int, livemode: bool) -> Json:
    """A Subscription to one price, whose first period begins now."""
    ends = later(now, of["recurring"]["interval"], of["recurring"]["interval_count"])
    name = new_id("sub")
    item = {
        "id": new_id("si"), "object": "subscription_item", "current_period_start": now, "current_period_end": ends,
        "metadata": {}, "price": of, "quantity": 1, "subscription": name,
    }  # fmt: skip
    return {
        "id": name, "object": "subscription", "cancel_at": None, "cancel_at_period_end": False, "canceled_at": None,
        "created": now, "currency": of["currency"], "ended_at": None, "items": listed("/v1/subscription_items", [item]),
        "latest_invoice": None, "livemode": livemode, "metadata": dict(metadata), "status": "active", "trial_end": None,
    }  # fmt: skip


def line(amount: int, currency: str, start: int, end: int) -> Json:
    """One line of an invoice."""
    return {
        "id": new_id("il"), "object": "line_item", "amount": amount, "currency": currency,
        "period": {"start": start, "end": end},
    }  # fmt: skip


def invoice(of: Json, lines: list[Json], why: str, now: int) -> Json:
    """An Invoice of a Subscription, open."""
    subtotal = sum(each["amount"] for each in lines)
    name = new_id("in")
    return {
        "id": name, "object": "invoice", "amount_due": max(0, subtotal), "amount_paid": 0, "attempt_count": 0,
        "billing_reason": why, "created": now, "currency": of["currency"], "livemode": of["livemode"],
        "lines": listed(f"/v1/invoices/{name}/lines", lines), "metadata": {},
        "parent": {
            "type": "subscription_details", "quote_details": None,
            "subscription_details": {"metadata": dict(of["metadata"]), "subscription": of["id"]},
        },
        "period_end": now, "period_start": now, "status": "open", "subtotal": subtotal, "total": subtotal,
    }  # fmt: skip


def invoice_payment(of: Json, intent: Json, now: int) -> Json:
    """How an Invoice was paid."""
    return {
        "id": new_id("inpay"), "object": "invoice_payment", "amount_paid": of["amount_paid"],
        "amount_requested": of["amount_due"], "created": now, "currency": of["currency"], "invoice": of["id"],
        "is_default": True, "livemode": of["livemode"],
        "payment": {"type": "payment_intent", "payment_intent": intent["id"]}, "status": "paid",
    }  # fmt: skip
