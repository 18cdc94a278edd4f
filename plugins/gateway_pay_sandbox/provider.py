"""The sandbox: it plays provider and buyer's bank, with plain HTML forms.

What is to be paid travels inside the page's address, signed, so the sandbox keeps nothing. The payment's id follows
from the reference: pressing "Pay" twice reports one payment twice, as real providers do.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from html import escape
from typing import Any
from urllib.parse import parse_qs, urlencode

from gateway.core.money import Money
from gateway.ports.cashbook import Settlement, SettleOutcome
from gateway.ports.fields import Settings
from gateway.ports.payment import (
    CheckoutRequest,
    Desk,
    Headers,
    PaymentReport,
    Pending,
    Progress,
    ProviderAnswer,
    ProviderRequest,
    Started,
    WebhookRejected,
)
from gateway.ports.plugin import Host

_WHY = {
    SettleOutcome.MISMATCH: "another amount was agreed",
    SettleOutcome.REFUNDED: "it has gone back already",
    SettleOutcome.INSUFFICIENT: "the wallet has not so much",
    SettleOutcome.ANOTHERS: "it was reported before, for somebody else or for whoever was erased since",
    SettleOutcome.UNKNOWN_CHECKOUT: "it knows no such checkout any more",
    SettleOutcome.UNKNOWN_REFERENCE: "it never gave out this reference, or has another secret now",
}


class SandboxSettings(Settings):
    """The sandbox has nothing to set."""


class SandboxProvider:
    """Plays a payment provider."""

    label = "the sandbox (no money moves)"
    form_origins: tuple[str, ...] = ()

    def __init__(self, settings: SandboxSettings, host: Host) -> None:
        self._host = host
        self._key = host.key("sandbox")

    async def start(self) -> None:
        """Say that no money moves here."""
        self._host.log("payments go to the sandbox: no money moves")

    async def stop(self) -> None:
        """Nothing to close."""

    async def begin(self, request: CheckoutRequest) -> Started:
        """The address of the sandbox's checkout page."""
        content = {
            "reference": request.reference,
            "amount": request.amount.minor,
            "currency": request.amount.currency,
            "title": request.title,
            "success": request.success,
            "cancel": request.cancel,
        }
        packed = base64.urlsafe_b64encode(json.dumps(content).encode()).decode("ascii")
        query = urlencode({"order": packed, "tag": self._tag(packed)})
        return Started(f"{self._host.prefix}/provider/sandbox/pay?{query}")

    async def look(self, pending: Pending, desk: Desk) -> Progress:
        """Nothing is ever on its way here: what is paid, is reported before its page says so."""
        return Progress.OPEN

    async def answer(self, request: ProviderRequest, desk: Desk) -> ProviderAnswer:
        """The checkout page, and the buttons on it."""
        if request.path != "pay":
            raise WebhookRejected("the sandbox has one page, pay")
        order = self._order(parse_qs(request.query))
        if request.method == "GET":
            return _page(200, *_checkout_page(order, ""))
        choice = parse_qs(request.body.decode("utf-8", "replace")).get("choice", [""])[0]
        if choice == "cancel":
            return _redirect(order["cancel"])
        if choice != "pay":
            return _page(200, *_checkout_page(order, "The sandbox's bank refused the card. Nothing was charged."))
        outcome = await desk.settle(self._report(order))
        if outcome in (SettleOutcome.SETTLED, SettleOutcome.REPLAYED, SettleOutcome.SURPLUS):
            return _redirect(order["success"])
        return _page(409, *_checkout_page(order, f"The gateway did not take this payment: {_WHY[outcome]}."))

    def _report(self, order: dict[str, Any]) -> PaymentReport:
        payment = "sandbox-" + hashlib.sha256(order["reference"].encode()).hexdigest()[:24]
        amount = Money(order["amount"], order["currency"])
        settlement = Settlement(event=f"{payment}-paid", payment=payment, checkout="", amount=amount, provider="")
        return PaymentReport(order["reference"], settlement)

    def _order(self, query: dict[str, list[str]]) -> dict[str, Any]:
        packed, given = query.get("order", [""])[0], query.get("tag", [""])[0]
        if not hmac.compare_digest(given.encode(), self._tag(packed).encode()):
            raise WebhookRejected("this order was not made by this gateway")
        order: dict[str, Any] = json.loads(base64.urlsafe_b64decode(packed))
        return order

    def _tag(self, packed: str) -> str:
        return hmac.digest(self._key, packed.encode(), hashlib.sha256).hex()


def _checkout_page(order: dict[str, Any], notice: str) -> tuple[str, str]:
    amount = escape(str(Money(order["amount"], order["currency"])))
    said = f'<p class="notice" role="status">{escape(notice)}</p>' if notice else ""
    return (
        "Sandbox checkout",
        f"""<h1>Sandbox checkout</h1>
<p class="lead">This page plays a payment provider. No money moves.</p>
{said}
<dl class="facts card"><div><dt>For</dt><dd><bdi>{escape(order["title"])}</bdi></dd></div>
<div><dt>Amount</dt><dd>{amount}</dd></div></dl>
<form method="post" class="stack">
<button name="choice" value="pay" class="primary">Pay {amount}</button>
<button name="choice" value="refuse">Play a refused card</button>
<button name="choice" value="cancel">Turn back</button>
</form>""",
    )


def _page(status: int, title: str, content: str) -> ProviderAnswer:
    headers: Headers = [(b"content-type", b"text/html; charset=utf-8")]
    return ProviderAnswer(status, headers, f"{title}\n{content}".encode())


def _redirect(address: str) -> ProviderAnswer:
    return ProviderAnswer(303, [(b"location", address.encode("ascii"))], b"")
