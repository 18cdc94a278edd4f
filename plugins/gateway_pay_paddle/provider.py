"""Paddle Billing as a `PaymentProvider`, `Refunding` and `Renewing`.

Paddle knows no idempotency keys. So whatever is to be created is looked for first, by the reference or the operation
that goes along with it, one after the other within this process; and of two transactions that two processes made for
one reference all of them lead to the elder.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from datetime import UTC, datetime
from weakref import WeakValueDictionary

from pydantic import ValidationError

from gateway.core.money import Money
from gateway.core.quantity import HOUR
from gateway.ports.payment import (
    CheckoutRequest,
    Desk,
    FailureReport,
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
from gateway_pay_paddle.api import Api, Refused
from gateway_pay_paddle.order import is_as_asked, new_item, new_transaction
from gateway_pay_paddle.page import Pages
from gateway_pay_paddle.report import gone_back, paid, status_of
from gateway_pay_paddle.settings import PaddleSettings
from gateway_pay_paddle.signature import check
from gateway_pay_paddle.wire import (
    ID,
    Adjustment,
    Answer,
    Event,
    Head,
    Page,
    Subscription,
    Transaction,
    milliseconds,
    reference_of,
)

_PAGE, _PAGES = "30", 20
_OPEN = ("draft", "ready", "billed")
_UNDER_WAY = ("authorized", "authorized_flagged", "captured", "pending_no_action_required")
_CLOCKS_DIFFER_MS = 300_000
_WITH_ADJUSTMENTS = {"include": "adjustment"}


class PaddleProvider:
    """Payments, refunds and subscriptions of one account."""

    label = "card or PayPal"
    form_origins: tuple[str, ...] = ()

    def __init__(self, settings: PaddleSettings, host: Host) -> None:
        self._settings, self._host = settings, host
        self._api = Api(settings)
        self._pages = Pages(settings, host.prefix, host.key("pages"))
        self._secrets: tuple[bytes, ...] = ()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def start(self) -> None:
        """Read the keys. Raises `ValueError` that says what is missing or mixed up."""
        settings = self._settings
        key = settings.api_key.reveal()
        self._secrets = tuple(secret.reveal() for secret in settings.webhook_secrets)
        kinds = {"api_key": b"_sdbx_" in key, "client_token": settings.client_token.startswith("test_")}
        for name, is_test in kinds.items():
            # Keys of an older form do not say of which kind they are.
            is_told = name == "client_token" or key.startswith(b"pdl_")
            if is_told and is_test is not settings.test:
                raise ValueError(f"{name} and `test` do not fit: one is of Paddle's sandbox, the other of the real one")
        self._api.start(key)
        if settings.test:
            self._host.log("payments: paddle is the sandbox: no money moves")

    async def stop(self) -> None:
        """Close connections."""
        await self._api.stop()

    async def begin(self, request: CheckoutRequest) -> Started:
        """See the port. The checkout opens on a page of our own."""
        async with self._one_at_a_time(request.reference):
            try:
                transaction = await self._known(request.session, request.reference) or await self._create(request)
            except Refused as refused:
                self._host.log(f"payments: Paddle refused a transaction: {refused}")
                raise ProviderUnavailable("Paddle refused a transaction") from None
        if transaction.status not in _OPEN:
            # It is paid, or can't be paid any more: the gateway asks what became of it, and says so. One that has
            # failed is followed by another checkout.
            return Started(request.success, transaction.id)
        if not is_as_asked(transaction, request):
            self._host.log(f"payments: plan {request.plan!r} has another price or period in Paddle's catalog than here")
            raise ProviderUnavailable("Paddle's catalog has another price")
        return Started(self._pages.address(transaction.id, request), transaction.id)

    async def _create(self, request: CheckoutRequest) -> Transaction:
        now = self._host.now()
        found, _ = await self._search(request.reference, now - HOUR)
        if found:
            return found[-1]
        created = await self._api.post(Answer[Transaction], "/transactions", new_transaction(self._settings, request))
        found, _ = await self._search(request.reference, now)
        return found[-1] if found else created.data

    async def _transaction(self, name: str) -> Transaction:
        return (await self._api.get(Answer[Transaction], f"/transactions/{name}", _WITH_ADJUSTMENTS)).data

    async def _known(self, session: str, reference: str) -> Transaction | None:
        """The transaction of this session; None where it is none of this account, or of another reference."""
        if re.fullmatch(ID, session) is None:
            return None
        try:
            transaction = await self._transaction(session)
        except Refused as refused:
            if refused.status != 404:
                raise
            return None
        return transaction if transaction.reference == reference else None

    async def _search(self, reference: str, since: int) -> tuple[list[Transaction], bool]:
        """The transactions of a reference that the checkout made, the newest first, and whether these are all."""
        instant = datetime.fromtimestamp((since - _CLOCKS_DIFFER_MS) // 1000, UTC)
        query = {
            "created_at[GTE]": instant.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "origin": "api",
            "order_by": "created_at[DESC]",
            "per_page": _PAGE,
            **_WITH_ADJUSTMENTS,
        }
        found: list[Transaction] = []
        for _ in range(_PAGES):
            page = await self._api.get(Page[Transaction], "/transactions", query)
            found += [each for each in page.data if each.reference == reference]
            if not page.meta.pagination.has_more or not page.data:
                return found, True
            query["after"] = page.data[-1].id
        return found, False

    async def look(self, pending: Pending, desk: Desk) -> Progress:
        """See the port. Without a session the transactions since the checkout was opened are searched."""
        try:
            known = await self._known(pending.session, pending.reference)
            found, is_all = ([known], True) if known else await self._search(pending.reference, pending.opened)
        except Refused as refused:
            raise ProviderUnavailable(f"Paddle does not tell of a transaction: {refused}") from None
        if not found:
            return Progress.OPEN if is_all else Progress.PROCESSING
        completed = [each for each in found if each.status == "completed"]
        for each in completed:
            await self._tell(each, pending.reference, desk)
        if completed:
            return Progress.CLOSED
        if found[-1].status == "canceled":
            await desk.failed(FailureReport(pending.reference))
            return Progress.CLOSED
        is_under_way = any(attempt.status in _UNDER_WAY for attempt in found[-1].payments)
        return Progress.PROCESSING if is_under_way or found[-1].status not in _OPEN else Progress.OPEN

    async def _tell(self, transaction: Transaction, reference: str, desk: Desk) -> None:
        """Report a completed transaction, and what went back of it."""
        try:
            payment = paid(transaction, reference)
            refunds = [gone_back(each, transaction, reference) for each in transaction.adjustments if each.is_gone]
        except ValueError as error:
            raise ProviderUnavailable(f"Paddle's answer can't be read: {error}") from None
        await desk.settle(payment)
        for refund in refunds:
            await desk.refunded(refund)

    async def answer(self, request: ProviderRequest, desk: Desk) -> ProviderAnswer:
        """The page `pay` with its script, and the address of notifications, `webhook`. See the port."""
        if request.path == "pay" and request.method == "GET":
            return self._pages.page(request)
        if request.path == "pay.js" and request.method == "GET":
            return self._pages.script()
        if request.path != "webhook" or request.method != "POST":
            raise WebhookRejected("notifications are posted to webhook")
        check(request.headers, request.body, self._secrets, self._host.now(), self._settings.tolerance)
        try:
            kind = Head.model_validate_json(request.body).event_type
            await self._hear(kind, request.body, desk)
        except ValidationError:
            raise WebhookRejected("it is no notification of Paddle's") from None
        except Refused as refused:
            raise ProviderUnavailable(f"Paddle does not tell what it has reported: {refused}") from None
        return ProviderAnswer(200, [(b"content-type", b"text/plain")], b"")

    async def _hear(self, kind: str, body: bytes, desk: Desk) -> None:
        """Raises `ValidationError`, `Refused`."""
        if kind == "transaction.completed":
            transaction = Event[Transaction].model_validate_json(body).data
            reference = transaction.reference or await self._reference_of(transaction.subscription_id)
            if reference:
                await self._hear_of_payment(transaction, reference, desk)
        elif kind == "transaction.canceled":
            transaction = Event[Transaction].model_validate_json(body).data
            if transaction.reference and transaction.subscription_id is None:
                await desk.failed(FailureReport(transaction.reference))
        elif kind in ("adjustment.created", "adjustment.updated"):
            await self._hear_of_adjustment(Event[Adjustment].model_validate_json(body).data, desk)
        elif kind.startswith("subscription."):
            event = Event[Subscription].model_validate_json(body)
            status, reference = status_of(event.data), reference_of(event.data.custom_data)
            if status is not None and reference:
                at = milliseconds(event.occurred_at)
                await desk.subscription(SubscriptionReport(reference, event.data.id, status, at))

    async def _hear_of_payment(self, transaction: Transaction, reference: str, desk: Desk) -> None:
        if transaction.status != "completed":
            raise WebhookRejected("its transaction is not completed")
        try:
            payment = paid(transaction, reference)
        except ValueError as error:
            raise WebhookRejected(str(error)) from None
        await desk.settle(payment)

    async def _hear_of_adjustment(self, adjustment: Adjustment, desk: Desk) -> None:
        if adjustment.action == "chargeback_reverse":
            where = f"payments: Paddle won the dispute about {adjustment.transaction_id}"
            self._host.log(f"{where}: give again by hand what it paid for")
        if not adjustment.is_gone:
            return
        transaction = await self._transaction(adjustment.transaction_id)
        reference = transaction.reference or await self._reference_of(transaction.subscription_id)
        if reference:
            try:
                report = gone_back(adjustment, transaction, reference)
            except ValueError as error:
                raise WebhookRejected(str(error)) from None
            await desk.refunded(report)

    async def _reference_of(self, subscription: str | None) -> str:
        """That of a subscription, for a payment of it that does not say."""
        return reference_of((await self._subscription(subscription)).custom_data) if subscription else ""

    async def refund(self, reference: str, payment: str, amount: Money, operation: str) -> RefundReport | None:
        """See the port. Most refunds wait for Paddle's approval, and are reported then."""
        if re.fullmatch(ID, payment) is None:
            raise RefundRefused("Paddle has no payment of this id")
        mark = "refund " + hashlib.sha256("\n".join((reference, payment, operation)).encode()).hexdigest()[:32]
        async with self._one_at_a_time(payment):
            try:
                transaction = await self._transaction(payment)
                own = [each for each in transaction.adjustments if each.reason == mark and each.status != "rejected"]
                made = own[0] if own else None
                if made is None:
                    content = _new_refund(transaction, amount, mark)
                    made = (await self._api.post(Answer[Adjustment], "/adjustments", content)).data
                transaction = await self._transaction(payment)
                return gone_back(made, transaction, reference) if made.is_gone else None
            except Refused as refused:
                raise RefundRefused(f"Paddle: {refused}") from None
            except ValueError as error:
                raise ProviderUnavailable(f"Paddle's answer can't be read: {error}") from None

    async def _subscription(self, name: str) -> Subscription:
        return (await self._api.get(Answer[Subscription], f"/subscriptions/{name}")).data

    async def cancel(self, reference: str, subscription: str) -> None:
        """See the port."""
        await self._change(subscription, None)

    async def change(self, reference: str, subscription: str, request: CheckoutRequest) -> None:
        """See the port. Paddle changes the plan at once in any case; a cheaper one is paid from the next period on."""
        await self._change(subscription, request)

    async def _change(self, name: str, request: CheckoutRequest | None) -> None:
        if re.fullmatch(ID, name) is None:
            raise ProviderUnavailable("Paddle has no subscription of this id")
        async with self._one_at_a_time(name):
            try:
                subscription = await self._subscription(name)
                if request is not None:
                    await self._go_over(subscription, request)
                elif subscription.status != "canceled" and subscription.scheduled_change is None:
                    content = {"effective_from": "next_billing_period"}
                    await self._api.post(Answer[Subscription], f"/subscriptions/{name}/cancel", content)
            except Refused as refused:
                self._host.log(f"payments: Paddle refused to change a subscription: {refused}")
                raise ProviderUnavailable("Paddle refused to change a subscription") from None

    async def _go_over(self, subscription: Subscription, request: CheckoutRequest) -> None:
        now = subscription.items[0].amount if subscription.items else Money(0, request.amount.currency)
        if now == request.amount and reference_of(subscription.custom_data) == request.reference:
            return
        content = {
            "items": [new_item(self._settings, request)],
            "custom_data": {"reference": request.reference},
            "proration_billing_mode": "prorated_immediately" if request.amount > now else "do_not_bill",
        }
        await self._api.patch(Answer[Subscription], f"/subscriptions/{subscription.id}", content)

    def _one_at_a_time(self, name: str) -> asyncio.Lock:
        lock = self._locks.get(name)
        if lock is None:
            lock = self._locks[name] = asyncio.Lock()
        return lock


def _new_refund(transaction: Transaction, amount: Money, mark: str) -> dict[str, object]:
    """Raises `ValueError` for a transaction of which nothing can go back."""
    if transaction.details is None or not transaction.details.line_items:
        raise ValueError("a transaction has no items")
    content: dict[str, object] = {"action": "refund", "transaction_id": transaction.id, "reason": mark}
    if amount.minor == int(transaction.details.totals.grand_total):
        return {**content, "type": "full"}
    item = {"item_id": transaction.details.line_items[0].id, "type": "partial", "amount": str(amount.minor)}
    return {**content, "type": "partial", "items": [item]}
