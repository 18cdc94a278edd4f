"""What YooKassa is asked to create ("API reference", Create a payment, Create a refund; "Receipts", 54-FZ)."""

from __future__ import annotations

from typing import Any

from gateway.core.money import Money
from gateway.ports.payment import CheckoutRequest
from gateway_pay_yookassa.settings import ReceiptSettings, YooKassaSettings
from gateway_pay_yookassa.wire import written

_DESCRIPTION_LIMIT = 128


def new_payment(settings: YooKassaSettings, request: CheckoutRequest) -> dict[str, Any]:
    """A payment in one step, on YooKassa's own page, where the payer chooses how to pay."""
    title = cut(request.title)
    content: dict[str, Any] = {
        "amount": written(request.amount),
        "capture": True,
        "confirmation": {
            "type": "redirect",
            "return_url": request.success,
            "locale": "ru_RU" if request.locale.lower().partition("-")[0] == "ru" else "en_US",
        },
        "description": title,
        # The payer can't alter it, and it comes back with the payment.
        "metadata": {"reference": request.reference},
    }
    if settings.receipt is not None:
        content["receipt"] = _receipt(settings.receipt, request.mail or settings.receipt.mail, title, request.amount)
    return content


def new_refund(settings: YooKassaSettings, payment: str, amount: Money, why: str, is_part: bool) -> dict[str, Any]:
    """A refund. For a whole one YooKassa makes the receipt by itself, out of that of the payment."""
    content: dict[str, Any] = {"payment_id": payment, "amount": written(amount), "description": why}
    if settings.receipt is not None and is_part:
        content["receipt"] = _receipt(settings.receipt, settings.receipt.mail, "Refund", amount)
    return content


def cut(title: str) -> str:
    """A title as long as YooKassa takes it."""
    return title if len(title) <= _DESCRIPTION_LIMIT else title[: _DESCRIPTION_LIMIT - 1] + "…"


def _receipt(settings: ReceiptSettings, mail: str, title: str, amount: Money) -> dict[str, Any]:
    receipt: dict[str, Any] = {
        "customer": {"email": mail},
        "items": [
            {
                "description": title,
                "quantity": "1.00",
                "amount": written(amount),
                "vat_code": settings.vat_code,
                "payment_subject": settings.payment_subject,
                "payment_mode": settings.payment_mode,
            }
        ],
    }
    if settings.tax_system_code is not None:
        receipt["tax_system_code"] = settings.tax_system_code
    return receipt
