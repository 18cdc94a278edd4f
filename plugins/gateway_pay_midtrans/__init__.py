"""Payments by Midtrans: bank transfer, QRIS, e-wallets, shops and cards in Indonesia."""

from __future__ import annotations

from gateway.ports.plugin import Plugin
from gateway_pay_midtrans.provider import MidtransProvider
from gateway_pay_midtrans.settings import MidtransSettings

__all__ = ["plugin"]

plugin = Plugin(
    summary="Midtrans Snap: bank transfer, QRIS, e-wallets and cards in Indonesia, with refunds.",
    settings=MidtransSettings,
    create=MidtransProvider,
)
