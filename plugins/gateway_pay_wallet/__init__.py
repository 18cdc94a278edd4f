"""Payment out of the wallet: the virtual account that refunds and credits go to."""

from __future__ import annotations

from gateway.ports.plugin import Plugin
from gateway_pay_wallet.provider import WalletProvider, WalletSettings

__all__ = ["plugin"]

plugin = Plugin(
    summary="Payment out of the wallet that a subject has here.",
    settings=WalletSettings,
    create=WalletProvider,
)
