"""The order of a checkout, and what Snap is asked for ("Request Body (JSON Parameter)", "JSON Objects")."""

from __future__ import annotations

import hashlib
from typing import Any

from gateway.ports.payment import CheckoutRequest
from gateway_pay_midtrans.wire import CURRENCY, RUPIAH

_NAME_LIMIT = 50


def order_id(reference: str) -> str:
    """At most 50 characters, which a reference may exceed. It gives nothing away, and is proof of its reference to
    whoever has it."""
    return hashlib.sha256(b"midtrans order " + reference.encode()).hexdigest()[:40]


def new_page(request: CheckoutRequest) -> dict[str, Any]:
    """A page to pay at. Raises `ValueError` for what Midtrans does not take."""
    rupiah, rest = divmod(request.amount.minor, RUPIAH)
    if request.amount.currency != CURRENCY or rest:
        raise ValueError(f"Midtrans takes whole rupiah, and the price is {request.amount}: write it like 50000 IDR")
    # Alfamart refuses the vertical line.
    name = " ".join(request.title.replace("|", "/").split()) or "-"
    content: dict[str, Any] = {
        "transaction_details": {"order_id": order_id(request.reference), "gross_amount": rupiah},
        "item_details": [
            {"id": request.plan[:50] or "plan", "price": rupiah, "quantity": 1, "name": name[:_NAME_LIMIT]}
        ],
        "credit_card": {"secure": True},
        "callbacks": {"finish": request.success},
        # The payer can't alter it, and it comes back with the transaction.
        "custom_field1": request.reference,
    }
    if request.mail:
        content["customer_details"] = {"email": request.mail}
    return content
