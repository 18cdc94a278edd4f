"""Payments by Paddle Billing, which sells as merchant of record: it adds and pays taxes by itself."""

from __future__ import annotations

from gateway.ports.plugin import Plugin
from gateway_pay_paddle.provider import PaddleProvider
from gateway_pay_paddle.settings import PaddleSettings

__all__ = ["plugin"]

plugin = Plugin(
    summary="Paddle Billing, merchant of record: cards and wallets with taxes, subscriptions and refunds.",
    settings=PaddleSettings,
    create=PaddleProvider,
)
