"""The orders of a checkout, and what Snap is asked for ("Request Body (JSON Parameter)", "JSON Objects").

Midtrans takes an order id once: after one that expired another is needed. So a checkout has a row of order ids, of
which each follows from the reference, and the next is taken only where the one before can't be paid any more.
"""

from __future__ import annotations

import hashlib
from typing import Any

from gateway.ports.payment import CheckoutRequest
from gateway_pay_midtrans.wire import CURRENCY, RUPIAH

ATTEMPTS = 10
_NAME_LIMIT = 50


def order_id(reference: str, attempt: int) -> str:
    """At most 50 characters, which a reference may exceed. It gives nothing away, and names its reference only to who
    has it."""
    return f"{hashlib.sha256(b'midtrans order ' + reference.encode()).hexdigest()[:40]}-{attempt}"


def attempt_of(order: str, reference: object) -> int | None:
    """Which of a reference's orders this is; None where it is none of them."""
    attempt = order.rpartition("-")[2]
    if not isinstance(reference, str) or not attempt.isascii() or not attempt.isdecimal() or len(attempt) > 2:
        return None
    return int(attempt) if order == order_id(reference, int(attempt)) else None


def new_page(request: CheckoutRequest, order: str) -> dict[str, Any]:
    """A page to pay this order at. Raises `ValueError` for what Midtrans does not take."""
    rupiah, rest = divmod(request.amount.minor, RUPIAH)
    if request.amount.currency != CURRENCY or rest:
        raise ValueError(f"Midtrans takes whole rupiah, and the price is {request.amount}: write it like 50000 IDR")
    # Alfamart refuses the vertical line.
    name = " ".join(request.title.replace("|", "/").split()) or "-"
    content: dict[str, Any] = {
        "transaction_details": {"order_id": order, "gross_amount": rupiah},
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
