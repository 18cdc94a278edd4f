"""What is to be paid, as Checkout Sessions and subscriptions are asked for (Stripe's API reference: "Create a Checkout
Session").

Asked for again under the same idempotency key it must be the same, so the clock has no part in it unless `expires` is
set.
"""

from __future__ import annotations

import re
from typing import Any

from gateway.core.money import Money
from gateway.core.quantity import HOUR, MINUTE
from gateway.ports.payment import CheckoutRequest
from gateway_pay_stripe.amounts import to_stripe
from gateway_pay_stripe.settings import StripeSettings

REFERENCE = "paywall_reference"
"""The key of metadata that says whom a payment is credited to. Payers can't see or set metadata."""

STRIPES_OWN_EXPIRY_MS = 24 * HOUR
_EXPIRY_STEP_MS = 10 * MINUTE
_TITLE_LIMIT = 250
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Controls, and what turns the direction of a line around. What joins letters stays: Persian needs it, and emoji."""

_MAIL = re.compile(r"[^\s@,;<>\"]{1,64}@[^\s@,;<>\"]{1,180}\.[^\s@,;<>\"]{2,60}", re.ASCII)
_LOCALES = (
    "bg cs da de el en en-GB es es-419 et fi fil fr fr-CA hr hu id it ja ko lt lv ms mt nb nl pl pt pt-BR ro ru sk sl "
    "sv th tr vi zh zh-HK zh-TW"
)
_ALIKE = {"no": "nb", "nn": "nb", "tl": "fil", "zh-hant": "zh-TW", "zh-mo": "zh-HK"}
_BY_NAME = {name.lower(): name for name in _LOCALES.split()} | _ALIKE


def session_of(request: CheckoutRequest, settings: StripeSettings, now: int) -> dict[str, Any]:
    """The parameters of a Checkout Session. Raises `ValueError` for an amount that can't be charged."""
    mark = {REFERENCE: request.reference}
    said: dict[str, Any] = {
        "mode": "subscription" if request.renews else "payment",
        "client_reference_id": request.reference,
        "metadata": mark,
        ("subscription_data" if request.renews else "payment_intent_data"): {"metadata": mark},
        "line_items": [{"quantity": 1, **item_of(request, settings)}],
        "success_url": request.success,
        "cancel_url": request.cancel,
        "locale": locale_of(request.locale),
    }
    if settings.expires != STRIPES_OWN_EXPIRY_MS:
        said["expires_at"] = (now + settings.expires) // _EXPIRY_STEP_MS * _EXPIRY_STEP_MS // 1_000
    if settings.promotion_codes:
        said["allow_promotion_codes"] = True
    if settings.automatic_tax:
        said["automatic_tax"] = {"enabled": True}
    if _MAIL.fullmatch(request.mail):
        said["customer_email"] = request.mail
    return said


def item_of(request: CheckoutRequest, settings: StripeSettings, product: str = "") -> dict[str, Any]:
    """What is sold: a price of the account's, or one made for the purpose, of a product that is there already or of one
    of the request's title."""
    kept = settings.prices.get(request.plan)
    if kept is not None:
        return {"price": kept}
    price: dict[str, Any] = price_of(request.amount)
    price |= {"product": product} if product else {"product_data": {"name": title_of(request.title)}}
    if request.renews:
        price["recurring"] = {"interval": request.renews.unit.value, "interval_count": request.renews.count}
    return {"price_data": price}


def price_of(amount: Money) -> dict[str, Any]:
    """Amount and currency. Raises `ValueError` for what can't be charged."""
    return {"currency": amount.currency.lower(), "unit_amount": to_stripe(amount)}


def title_of(title: str) -> str:
    """A product's name: one line, as long as Stripe takes it, never nothing."""
    line = " ".join(_UNSEEN.sub(" ", title).split())
    return (line if len(line) <= _TITLE_LIMIT else f"{line[: _TITLE_LIMIT - 1]}…") or "Access"


def locale_of(tag: str) -> str:
    """The language of the checkout's page: the nearest that Stripe has, or what the browser says."""
    parts = tag.lower().replace("_", "-").split("-")
    for length in range(len(parts), 0, -1):
        found = _BY_NAME.get("-".join(parts[:length]))
        if found is not None:
            return found
    return "auto"
