"""The port `PaymentProvider`, for Stripe."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from gateway.core.money import Money
from gateway.core.quantity import HOUR
from gateway.ports.cashbook import SubscriptionStatus
from gateway.ports.payment import (
    CheckoutEnded,
    CheckoutRequest,
    Desk,
    FailureReport,
    Pending,
    Progress,
    ProviderAnswer,
    ProviderRequest,
    ProviderUnavailable,
    RefundReport,
    Started,
    SubscriptionReport,
    WebhookRejected,
)
from gateway.ports.plugin import Host
from gateway_pay_stripe.amounts import to_stripe
from gateway_pay_stripe.api import KEYS, KeyTaken, Refused, StripeApi
from gateway_pay_stripe.money_back import MoneyBack
from gateway_pay_stripe.reports import (
    PAID,
    payment_of_invoice,
    payment_of_session,
    reference_of,
    reference_of_invoice,
    subscription_report,
)
from gateway_pay_stripe.session import session_of
from gateway_pay_stripe.settings import StripeSettings
from gateway_pay_stripe.signature import check_signature
from gateway_pay_stripe.subscriptions import Subscriptions
from gateway_pay_stripe.told import Json, Unreadable, at, currency, identity, named, rows, text, whole

_PAGES_LIMIT = 5
"""Sessions are looked for in so many pages of a hundred."""

_LOOKED_BACK_MS = 26 * HOUR
"""Stripe keeps idempotency keys for a day at least."""

_SESSIONS = "/v1/checkout/sessions"
_EXPANDED = ["payment_intent", "invoice"]
_LOST = ("requires_payment_method", "canceled")
"""Where a PaymentIntent is whose payment failed after its session was completed."""

Handler = Callable[[Json, Json, Desk], Awaitable[None]]


class StripeProvider:
    """Sends people to Stripe Checkout, and hears of it by webhooks or by asking."""

    label = "card"

    def __init__(self, settings: StripeSettings, host: Host) -> None:
        """The library is not loaded before `start`."""
        self._settings, self._host = settings, host
        self._api = StripeApi(settings)
        self._back = MoneyBack(self._api)
        self._subscriptions = Subscriptions(self._api, settings)
        self._secrets: list[bytes] = []
        self._is_live = False
        self.form_origins: tuple[str, ...] = (settings.checkout_origin,)
        self._handlers: dict[str, Handler] = {
            "checkout.session.completed": self._session_completed,
            "checkout.session.async_payment_succeeded": self._session_completed,
            "checkout.session.async_payment_failed": self._session_failed,
            "checkout.session.expired": self._session_failed,
            "invoice.paid": self._invoice_paid,
            "invoice.payment_failed": self._invoice_failed,
            "customer.subscription.updated": self._subscription_changed,
            "customer.subscription.deleted": self._subscription_changed,
            "charge.refunded": self._refunded,
            "charge.refund.updated": self._refunded,
            "refund.created": self._refunded,
            "refund.updated": self._refunded,
            "charge.dispute.closed": self._dispute_closed,
        }

    async def start(self) -> None:
        """Load the library, read the secrets. Raises `RuntimeError`, `ValueError` that say what is missing."""
        self._secrets = [secret.reveal() for secret in self._settings.webhook_secrets]
        self._is_live = await self._api.open()
        if not self._is_live:
            self._host.log("payments go to Stripe's test mode: no money moves")

    async def stop(self) -> None:
        """Close the connections to Stripe."""
        await self._api.close()

    async def begin(self, request: CheckoutRequest) -> Started:
        """A Checkout Session, made once for a reference."""
        try:
            session = await self._session_for(request)
            return self._started(session, request)
        except (Refused, Unreadable, ValueError) as why:
            self._host.log(f"Stripe: a checkout of {request.amount} could not be begun: {why}")
            raise ProviderUnavailable(f"Stripe does not begin the checkout: {why}") from None
        except CheckoutEnded:
            raise
        except ProviderUnavailable as why:
            self._host.log(f"Stripe: a checkout could not be begun: {why}")
            raise

    async def _session_for(self, request: CheckoutRequest) -> Json:
        """The session of this reference: the one that is known, the one that was made, or a new one."""
        if named({"id": request.session}, "id"):
            try:
                return await self._api.get("checkout.session", f"{_SESSIONS}/{request.session}")
            except Refused:
                pass  # of another account: the key was changed since
        asked = session_of(request, self._settings, self._host.now())
        for number in range(KEYS):
            try:
                return await self._made(f"{request.reference}{f'-{number}' if number else ''}", asked)
            except KeyTaken as taken:
                # Begun before with another language, mail or host, and it is not known how it went.
                found = await self._find(request.reference, self._host.now() - _LOOKED_BACK_MS)
                if found is not None:
                    return found
                if taken.by_another:  # it may be about to be made: another one could be paid beside it
                    raise ProviderUnavailable("this checkout is being begun at this moment") from None
        raise ProviderUnavailable("Stripe repeats a fault of its own; try again tomorrow")

    async def _made(self, key: str, asked: dict[str, Any]) -> Json:
        try:
            said = await self._api.post("checkout.session", _SESSIONS, key=key, **asked)
        except Refused as why:
            if not why.parameter.startswith("customer_email"):
                raise
            del asked["customer_email"]  # they can type it themselves
            said = await self._api.post("checkout.session", _SESSIONS, key=key, **asked)
        if not said.is_repeated:
            return said.told
        return await self._api.get("checkout.session", f"{_SESSIONS}/{identity(said.told, 'id')}")

    def _started(self, session: Json, request: CheckoutRequest) -> Started:
        if reference_of(session) != request.reference:
            raise Unreadable("the session is another checkout's")
        name = identity(session, "id")
        status = text(session, "status")
        if status == "complete":  # paid, or being paid: the page where they come back says so
            return Started(request.success, name)
        if status != "open":
            raise CheckoutEnded("this checkout has expired at Stripe")
        asked = (to_stripe(request.amount), request.amount.currency.lower())
        if (whole(session, "amount_subtotal"), currency(session)) != asked:
            raise Unreadable(
                f"it would be for another amount than {request.amount}: see `prices` of plan {request.plan!r}"
            )
        address = at(session, "url")
        origin = f"{self._settings.checkout_origin}/"
        if not isinstance(address, str) or not address.isascii() or not address.startswith(origin):
            raise Unreadable("its page is not under `checkout_origin`: set that to where your checkout's pages live")
        return Started(address, name)

    async def _find(self, reference: str, since: int) -> Json | None:
        """The newest session with this reference of those that were made since; None where there is none. Raises
        `ProviderUnavailable` where there are too many to tell."""
        after: dict[str, str] = {}
        for _ in range(_PAGES_LIMIT):
            page = await self._api.get("list", _SESSIONS, limit=100, created={"gte": since // 1_000}, **after)
            sessions = rows(page)
            for session in sessions:
                if reference_of(session) == reference:
                    return session
            if at(page, "has_more") is not True or not sessions:
                return None
            after = {"starting_after": identity(sessions[-1], "id")}
        raise ProviderUnavailable("Stripe has too many checkouts of late to find this one among them")

    async def look(self, pending: Pending, desk: Desk) -> Progress:
        """Ask for the session, by its name or by what it was made with."""
        try:
            name = named({"id": pending.session}, "id")
            if self._is_live and name.startswith("cs_test_"):
                # From before the gateway went over to live mode, in which nobody can pay it: no money ever moved.
                await desk.failed(FailureReport(pending.reference))
                return Progress.CLOSED
            if not name:
                found = await self._find(pending.reference, pending.opened - 60_000)
                if found is None:
                    return Progress.OPEN  # Stripe was never asked for it, or did nothing
                name = identity(found, "id")
            session = await self._api.get("checkout.session", f"{_SESSIONS}/{name}", expand=_EXPANDED)
            if reference_of(session) != pending.reference:
                return Progress.PROCESSING
            return await self._found(session, pending.reference, desk)
        except Refused:
            return Progress.PROCESSING  # no such session in this account: where it was begun it may have been paid
        except Unreadable as why:
            raise ProviderUnavailable(f"Stripe's answer can't be read: {why}") from None

    async def _found(self, session: Json, reference: str, desk: Desk) -> Progress:
        status, paid = text(session, "status"), text(session, "payment_status")
        invoice = at(session, "invoice")
        if status == "complete" and text(session, "mode") == "subscription":
            if text(invoice, "status") != "paid":
                return Progress.PROCESSING
            report = payment_of_invoice(invoice, f"{identity(session, 'id')}-paid")
            if report is None:
                return Progress.PROCESSING
            await desk.settle(report)
            return Progress.CLOSED
        if status == "complete" and paid in PAID:
            await desk.settle(payment_of_session(session, f"{identity(session, 'id')}-paid"))
            return Progress.CLOSED
        if status == "expired" or (status == "complete" and text(session, "payment_intent", "status") in _LOST):
            await desk.failed(FailureReport(reference))
            return Progress.CLOSED
        return Progress.OPEN if status == "open" else Progress.PROCESSING

    async def refund(self, reference: str, payment: str, amount: Money, operation: str) -> RefundReport | None:
        """See the port `Refunding`."""
        try:
            return await self._back.refund(reference, payment, amount, operation)
        except Unreadable as why:
            raise ProviderUnavailable(f"Stripe's answer can't be read: {why}") from None

    async def cancel(self, reference: str, subscription: str) -> None:
        """See the port `Renewing`."""
        await self._subscriptions.cancel(subscription)

    async def change(self, reference: str, subscription: str, request: CheckoutRequest) -> None:
        """See the port `Renewing`."""
        await self._subscriptions.change(subscription, request)

    async def answer(self, request: ProviderRequest, desk: Desk) -> ProviderAnswer:
        """The webhook. What is about nothing of this gateway's, or of a kind unheard of, is taken and ignored."""
        if request.path != "webhook" or request.method != "POST":
            raise WebhookRejected("Stripe's webhook is sent to webhook, with POST")
        check_signature(request.headers, request.body, self._secrets, self._host.now())
        try:
            event = _decoded(request.body)
            if at(event, "object") == "event":
                await self._heard(event, desk)
        except (Unreadable, Refused) as why:
            raise WebhookRejected(f"it can't be read: {why}") from None
        return ProviderAnswer(200, [(b"content-type", b"text/plain")], b"taken\n")

    async def _heard(self, event: Json, desk: Desk) -> None:
        if at(event, "livemode") is not self._is_live:
            raise WebhookRejected(
                "it is of another mode than `secret_key`: live and test mode have webhooks of their own"
            )
        handler = self._handlers.get(text(event, "type"))
        told = at(event, "data", "object")
        if handler is not None and isinstance(told, dict):
            await handler(told, event, desk)

    async def _session_completed(self, session: Json, event: Json, desk: Desk) -> None:
        if not reference_of(session) or text(session, "payment_status") not in PAID:
            return
        if text(session, "mode") == "payment":
            await desk.settle(payment_of_session(session, identity(event, "id")))
        elif named(session, "invoice"):
            # The session does not say until when it is paid; its invoice does, and is the same payment.
            invoice = await self._api.get("invoice", f"/v1/invoices/{identity(session, 'invoice')}")
            await self._invoice_paid(invoice, event, desk)

    async def _session_failed(self, session: Json, event: Json, desk: Desk) -> None:
        if reference_of(session):
            await desk.failed(FailureReport(reference_of(session)))

    async def _invoice_paid(self, invoice: Json, event: Json, desk: Desk) -> None:
        if not reference_of_invoice(invoice) or text(invoice, "status") != "paid":
            return
        report = payment_of_invoice(invoice, identity(event, "id"))
        if report is not None:
            await desk.settle(report)

    async def _invoice_failed(self, invoice: Json, event: Json, desk: Desk) -> None:
        reference = reference_of_invoice(invoice)
        if reference and text(invoice, "billing_reason") != "subscription_create":  # there the checkout goes on
            name = named(invoice, "parent", "subscription_details", "subscription") or identity(invoice, "subscription")
            at_ms = whole(event, "created") * 1_000
            await desk.subscription(SubscriptionReport(reference, name, SubscriptionStatus.PAST_DUE, at_ms))

    async def _subscription_changed(self, subscription: Json, event: Json, desk: Desk) -> None:
        if reference_of(subscription):
            report = subscription_report(subscription, whole(event, "created") * 1_000)
            if report is not None:
                await desk.subscription(report)

    async def _refunded(self, told: Json, event: Json, desk: Desk) -> None:
        for report in await self._back.of_charge(told):
            await desk.refunded(report)

    async def _dispute_closed(self, dispute: Json, event: Json, desk: Desk) -> None:
        report = await self._back.of_dispute(dispute)
        if report is not None:
            await desk.refunded(report)


def _decoded(body: bytes) -> Json:
    try:
        told: Any = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise Unreadable("it is no JSON") from None
    if not isinstance(told, dict):
        raise Unreadable("it is no object")
    return told
