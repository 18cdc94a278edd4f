"""Pays out of the wallet. The money is taken and the plan given in one verb of the store: the page only asks.

What is to be paid travels inside the page's address, signed, and is good for a day: whoever has the address can see
what is in the wallet, and spend it for its owner.
"""

from __future__ import annotations

import hashlib
from urllib.parse import parse_qs

from gateway.core.money import Money
from gateway.core.quantity import DAY
from gateway.ports.cashbook import CheckoutStatus, Settlement, SettleOutcome
from gateway.ports.fields import Settings
from gateway.ports.order import Order, read_order, sign_order
from gateway.ports.payment import (
    CheckoutRequest,
    Desk,
    PaymentReport,
    Pending,
    Progress,
    ProviderAnswer,
    ProviderRequest,
    RefundRefused,
    RefundReport,
    Started,
    WebhookRejected,
)
from gateway.ports.plugin import Host
from gateway_pay_wallet.page import Page

GOOD_FOR_MS = DAY
"""How long the address of a page holds. The checkout gives another one."""

_GOES_ON = (SettleOutcome.SETTLED, SettleOutcome.REPLAYED, SettleOutcome.SURPLUS)

_WHY = {
    SettleOutcome.MISMATCH: "The price has changed since. Nothing was taken.",
    SettleOutcome.NEEDLESS: "This result is yours already, or is no longer kept. Nothing was taken.",
    SettleOutcome.REFUNDED: "This payment went back to your wallet before.",
    SettleOutcome.ANOTHERS: "This was paid by somebody else. Nothing was taken.",
    SettleOutcome.UNKNOWN_CHECKOUT: "This checkout is not known any more. Nothing was taken.",
    SettleOutcome.UNKNOWN_REFERENCE: "This checkout is not known any more. Nothing was taken.",
}


class WalletSettings(Settings):
    """The wallet has nothing to set."""


class WalletProvider:
    """Pays out of the subject's wallet."""

    label = "wallet"
    form_origins: tuple[str, ...] = ()

    def __init__(self, settings: WalletSettings, host: Host) -> None:
        self._host = host
        self._key = host.key("orders")

    async def start(self) -> None:
        """Nothing to open."""

    async def stop(self) -> None:
        """Nothing to close."""

    async def begin(self, request: CheckoutRequest) -> Started:
        """The address of the page."""
        query = sign_order(self._key, request, self._host.now())
        return Started(f"{self._host.prefix}/provider/wallet/pay?{query}")

    async def look(self, pending: Pending, desk: Desk) -> Progress:
        """Nothing is ever on its way: what is paid, is reported before its page says so."""
        return Progress.OPEN

    async def answer(self, request: ProviderRequest, desk: Desk) -> ProviderAnswer:
        """The page, and its button."""
        if request.path != "pay" or request.method not in ("GET", "POST"):
            raise WebhookRejected("the wallet has one page, pay")
        order = read_order(self._key, request.query)
        if self._host.now() - order.made > GOOD_FOR_MS:
            return Page(order).refused(410, "This page is too old. Nothing was taken.")
        if request.method == "GET":
            return await self._show(order, desk)
        if parse_qs(request.body.decode("utf-8", "replace")).get("choice") != ["pay"]:
            raise WebhookRejected("the wallet's page has one button, pay")
        return await self._pay(order, desk)

    async def refund(self, reference: str, payment: str, amount: Money, operation: str) -> RefundReport | None:
        """Back into the wallet, where the desk puts it. Raises `RefundRefused`."""
        whole = payment.rpartition("-")[2]
        if not whole.isdecimal() or amount.minor > int(whole):
            raise RefundRefused("no payment out of a wallet has this id and so much to give back")
        return RefundReport(reference, f"{payment}-{_digest(operation)}", payment, amount, amount.minor == int(whole))

    async def _show(self, order: Order, desk: Desk) -> ProviderAnswer:
        known = await desk.checkout(order.reference)
        if known is not None and known.status is CheckoutStatus.PAID:
            return Page(order).paid()
        balance = await desk.balance(order.reference)
        if balance is None:
            return Page(order).refused(409, _WHY[SettleOutcome.UNKNOWN_CHECKOUT])
        return Page(order).pay(200, balance)

    async def _pay(self, order: Order, desk: Desk) -> ProviderAnswer:
        payment = f"wallet-{_digest(order.reference)}-{order.amount.minor}"
        settlement = Settlement(payment, payment, "", order.amount, "", from_wallet=True)
        outcome = await desk.settle(PaymentReport(order.reference, settlement))
        if outcome in _GOES_ON:
            return ProviderAnswer.redirect(order.success)
        if outcome is SettleOutcome.INSUFFICIENT:
            balance = await desk.balance(order.reference) or Money(0, order.amount.currency)
            return Page(order).pay(409, balance)
        return Page(order).refused(409, _WHY[outcome])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]
