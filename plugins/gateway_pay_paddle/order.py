"""What Paddle is asked to sell ("Create a transaction", "Update a subscription")."""

from __future__ import annotations

from typing import Any

from gateway.core.rule import Renewal
from gateway.ports.payment import CheckoutRequest
from gateway_pay_paddle.settings import PaddleSettings
from gateway_pay_paddle.wire import Transaction

_NAME_LIMIT = 150


def new_transaction(settings: PaddleSettings, request: CheckoutRequest) -> dict[str, Any]:
    """A transaction that is collected by Paddle's checkout."""
    return {
        "items": [new_item(settings, request)],
        "currency_code": request.amount.currency,
        "collection_mode": "automatic",
        # The payer can't alter it, and it comes back with the transaction and what follows from it.
        "custom_data": {"reference": request.reference},
    }


def new_item(settings: PaddleSettings, request: CheckoutRequest) -> dict[str, Any]:
    """One of the plan: by its price in Paddle's catalog, where it has one, or by one made for it."""
    if request.plan in settings.prices:
        return {"price_id": settings.prices[request.plan], "quantity": 1}
    name = " ".join(request.title.split())[:_NAME_LIMIT] or "-"
    price: dict[str, Any] = {
        "name": name,
        "description": name,
        "unit_price": {"amount": str(request.amount.minor), "currency_code": request.amount.currency},
        "tax_mode": settings.tax_mode,
        "quantity": {"minimum": 1, "maximum": 1},
        "product": {"name": name, "tax_category": settings.tax_category},
    }
    if request.renews is not None:
        price["billing_cycle"] = _cycle(request.renews)
    return {"price": price, "quantity": 1}


def is_as_asked(transaction: Transaction, request: CheckoutRequest) -> bool:
    """Whether a transaction sells what was asked for: a catalog may have another price, or another period, under which
    somebody would pay for longer than they were told."""
    cycles = [item.price.billing_cycle for item in transaction.items]
    told = [cycle.model_dump() if cycle else None for cycle in cycles]
    asked = _cycle(request.renews) if request.renews else None
    return [item.amount for item in transaction.items] == [request.amount] and told == [asked]


def _cycle(renews: Renewal) -> dict[str, Any]:
    return {"interval": renews.unit.value, "frequency": renews.count}
