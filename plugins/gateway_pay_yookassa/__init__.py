"""Payments by YooKassa: bank cards, SBP, YooMoney and the other ways to pay in Russia."""

from __future__ import annotations

from gateway.ports.plugin import Plugin
from gateway_pay_yookassa.provider import YooKassaProvider
from gateway_pay_yookassa.settings import YooKassaSettings

__all__ = ["plugin"]

plugin = Plugin(
    summary="YooKassa: bank cards, SBP and YooMoney, with receipts of 54-FZ and refunds.",
    settings=YooKassaSettings,
    create=YooKassaProvider,
)
