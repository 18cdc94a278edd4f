"""The sandbox: it plays provider and buyer's bank, with plain HTML forms.

What is to be paid travels inside the page's address, signed, so the sandbox keeps nothing. The payment's id follows
from the reference: pressing "Pay" twice reports one payment twice, as real providers do.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from urllib.parse import parse_qs

from gateway.core.money import Money
from gateway.ports.cashbook import RefundOutcome, Settlement, SettleOutcome, SubscriptionStatus
from gateway.ports.fields import Settings
from gateway.ports.order import Order, read_order, sign_order
from gateway.ports.payment import (
    CheckoutRequest,
    Desk,
    FailureReport,
    PaymentReport,
    Pending,
    Progress,
    ProviderAnswer,
    ProviderRequest,
    ProviderUnavailable,
    RefundRefused,
    RefundReport,
    Started,
    SubscriptionReport,
    WebhookRejected,
)
from gateway.ports.plugin import Host
from gateway_pay_sandbox.page import TITLE, Shown, checkout_page, waiting_page

WAITS, FAILED = "waits", "failed"
"""What the sandbox calls a checkout that the bank has not decided, or has refused."""

_TAKEN = (SettleOutcome.SETTLED, SettleOutcome.REPLAYED, SettleOutcome.SURPLUS)

_WHY = {
    SettleOutcome.MISMATCH: "another amount was agreed",
    SettleOutcome.REFUNDED: "it has gone back already",
    SettleOutcome.NEEDLESS: "its result needs no payment any more",
    SettleOutcome.INSUFFICIENT: "the wallet has not so much",
    SettleOutcome.ANOTHERS: "it was reported before, for somebody else or for whoever was erased since",
    SettleOutcome.UNKNOWN_CHECKOUT: "it knows no such checkout any more",
    SettleOutcome.UNKNOWN_REFERENCE: "it never gave out this reference, or has another secret now",
}

_REFUNDED = {
    RefundOutcome.REVOKED: "The money went back, and what it gave was taken back.",
    RefundOutcome.NOTED: "A part of the money went back.",
    RefundOutcome.REPLAYED: "It went back before.",
    RefundOutcome.EARLY: "It went back before the payment is known to the gateway.",
    RefundOutcome.UNKNOWN_REFERENCE: "The gateway never gave out this reference, or has another secret now.",
}

_STATUSES = {
    "renewal-fails": (SubscriptionStatus.PAST_DUE, "The renewal could not be paid. It can be tried again."),
    "unsubscribe": (SubscriptionStatus.CANCELLED, "It ends with the period that is paid."),
    "end": (SubscriptionStatus.ENDED, "The subscription has ended."),
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
        query = sign_order(self._key, request, self._host.now())
        return Started(f"{self._host.prefix}/provider/sandbox/pay?{query}")

    async def look(self, pending: Pending, desk: Desk) -> Progress:
        """As its page was told last. What is paid, is reported before its page says so."""
        return {WAITS: Progress.PROCESSING, FAILED: Progress.CLOSED}.get(pending.session, Progress.OPEN)

    async def answer(self, request: ProviderRequest, desk: Desk) -> ProviderAnswer:
        """The checkout page, and the buttons on it."""
        if request.path != "pay":
            raise WebhookRejected("the sandbox has one page, pay")
        order = read_order(self._key, request.query)
        shown = Shown(order, None, str(self._host.now()))
        if request.method == "GET":
            return await self._show(shown, desk)
        fields = parse_qs(request.body.decode("utf-8", "replace"))
        choice, press = (fields.get(name, [""])[0] for name in ("choice", "press"))
        if choice == "cancel":
            return ProviderAnswer.redirect(order.cancel)
        if choice in ("pay", "other"):
            return await self._pay(shown, choice, desk)
        if choice == "later":
            await desk.note(order.reference, WAITS)
            return ProviderAnswer.page(200, TITLE, waiting_page(shown))
        return await self._show(replace(shown, notice=await self._press(order, choice, press, desk)), desk)

    async def _show(self, shown: Shown, desk: Desk, status: int = 200) -> ProviderAnswer:
        known = await desk.checkout(shown.order.reference)
        return ProviderAnswer.page(status, TITLE, checkout_page(replace(shown, known=known)))

    async def _pay(self, shown: Shown, choice: str, desk: Desk) -> ProviderAnswer:
        order = shown.order
        amount = order.amount if choice == "pay" else Money(order.amount.minor + 1, order.amount.currency)
        outcome = await desk.settle(_report(order, _payment(order, "" if choice == "pay" else choice), amount))
        if outcome in _TAKEN:
            return ProviderAnswer.redirect(order.success)
        notice = f"The gateway did not take this payment: {_WHY[outcome]}."
        return await self._show(replace(shown, notice=notice), desk, 409)

    async def _press(self, order: Order, choice: str, press: str, desk: Desk) -> str:
        """Do what one of the other buttons says; what the page says then."""
        match choice:
            case "fail":
                await desk.note(order.reference, FAILED)
                await desk.failed(FailureReport(order.reference))
                return "The bank refused it. Nothing was charged."
            case "refund":
                report = _refund(order.reference, _payment(order), order.amount, choice)
                return _REFUNDED[await desk.refunded(report)]
            case "renew":
                outcome = await desk.settle(_report(order, _payment(order, press), order.amount))
                return "It was renewed and paid." if outcome in _TAKEN else f"It was not renewed: {_WHY[outcome]}."
            case "renewal-fails" | "unsubscribe" | "end":
                status, said = _STATUSES[choice]
                await desk.subscription(
                    SubscriptionReport(order.reference, _subscription(order), status, self._host.now())
                )
                return said
        return "The sandbox's bank refused the card. Nothing was charged."

    async def refund(self, reference: str, payment: str, amount: Money, operation: str) -> RefundReport | None:
        """Play money goes back at once. Raises `RefundRefused`."""
        whole = payment.rpartition("-")[2]
        if not whole.isdecimal() or amount.minor > int(whole):
            raise RefundRefused("the sandbox has no payment of so much under this id")
        return _refund(reference, payment, amount, operation)

    async def cancel(self, reference: str, subscription: str) -> None:
        """Nothing renews here but by a button."""

    async def change(self, reference: str, subscription: str, request: CheckoutRequest) -> None:
        """The sandbox keeps nothing, so it can't go over to another plan. Raises `ProviderUnavailable`."""
        raise ProviderUnavailable(
            "the sandbox changes no plan: end the subscription on its page, and take the other one"
        )


def _report(order: Order, payment: str, amount: Money) -> PaymentReport:
    subscription = _subscription(order) if order.renews else ""
    settlement = Settlement(f"{payment}-paid", payment, "", amount, "", subscription=subscription)
    return PaymentReport(order.reference, settlement)


def _refund(reference: str, payment: str, amount: Money, operation: str) -> RefundReport:
    is_whole = amount.minor == int(payment.rpartition("-")[2])
    return RefundReport(reference, f"{payment}-{_digest(operation)}", payment, amount, is_whole)


def _payment(order: Order, which: str = "") -> str:
    """The id of the order's first payment, or of one that another button made. Its end says how much was paid: nothing
    is kept that could tell later whether all of it has gone back."""
    minor = order.amount.minor + 1 if which == "other" else order.amount.minor
    return f"sandbox-{_digest(order.reference + which)}-{minor}"


def _subscription(order: Order) -> str:
    return f"sandbox-every-{_digest(order.reference)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]
