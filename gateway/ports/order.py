"""What is to be paid, inside the address of a plugin's own page: signed, so that the plugin keeps nothing of it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode

from gateway.core.money import Money
from gateway.core.rule import PeriodUnit, Renewal
from gateway.ports.payment import CheckoutRequest, WebhookRejected

TITLE_LIMIT, LOCALE_LIMIT = 200, 40
"""Characters of a title, and of the tag of a language, that are kept: an address has room for so much."""


@dataclass(frozen=True, slots=True)
class Order:
    """An order as its page knows it. See `CheckoutRequest`."""

    reference: str
    amount: Money
    title: str
    success: str
    cancel: str
    renews: Renewal | None
    locale: str
    """The person's language: a tag of BCP 47."""
    made: int
    """When the address was made: milliseconds since the epoch."""


def sign_order(key: bytes, request: CheckoutRequest, now: int) -> str:
    """The query of a page for this order: `order=…&tag=…`. Who has the address can read it."""
    renews = request.renews
    content = {
        "reference": request.reference,
        "amount": request.amount.minor,
        "currency": request.amount.currency,
        "title": request.title[:TITLE_LIMIT],
        "success": request.success,
        "cancel": request.cancel,
        "locale": request.locale[:LOCALE_LIMIT],
        "made": now,
        **({"every": [renews.count, renews.unit.value, renews.grace_ms]} if renews else {}),
    }
    packed = base64.urlsafe_b64encode(json.dumps(content).encode()).decode("ascii")
    return urlencode({"order": packed, "tag": _tag(key, packed)})


def read_order(key: bytes, query: str) -> Order:
    """The order of a page's query. Raises `WebhookRejected` for one that was not signed with this key."""
    fields = parse_qs(query)
    packed, given = fields.get("order", [""])[0], fields.get("tag", [""])[0]
    if not hmac.compare_digest(given.encode(), _tag(key, packed).encode()):
        raise WebhookRejected("this order was not made by this gateway")
    return _read(json.loads(base64.urlsafe_b64decode(packed)))


def _read(content: dict[str, Any]) -> Order:
    every = content.get("every")
    return Order(
        reference=content["reference"],
        amount=Money(content["amount"], content["currency"]),
        title=content["title"],
        success=content["success"],
        cancel=content["cancel"],
        renews=Renewal(PeriodUnit(every[1]), every[0], every[2]) if every else None,
        locale=content.get("locale", "en"),
        made=content.get("made", 0),
    )


def _tag(key: bytes, packed: str) -> str:
    return hmac.digest(key, packed.encode(), hashlib.sha256).hex()
