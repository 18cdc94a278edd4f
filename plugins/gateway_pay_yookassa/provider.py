"""YooKassa as a `PaymentProvider`.

Its notifications carry no signature ("Incoming notifications"), so that they are taken for a hint alone: the payment or
refund that one names is asked for with the shop's key, and what YooKassa answers is what is reported.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
from datetime import UTC, datetime
from urllib.parse import urlsplit

from pydantic import ValidationError

from gateway.core.money import Money
from gateway.core.quantity import DAY
from gateway.ports.cashbook import Settlement
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
    WebhookRejected,
)
from gateway.ports.plugin import Host
from gateway_pay_yookassa.api import Api, Refused
from gateway_pay_yookassa.order import new_payment, new_refund
from gateway_pay_yookassa.settings import YooKassaSettings
from gateway_pay_yookassa.wire import ID, Notice, Payment, Payments, Refund, Refunds

_PAGES = 20
_PAGE = "100"
_CLOCKS_DIFFER_MS = 300_000
_ASKING = 8


class YooKassaProvider:
    """Payments of one shop: one for each reference."""

    label = "card, SBP or YooMoney"

    def __init__(self, settings: YooKassaSettings, host: Host) -> None:
        self._settings, self._host = settings, host
        self._api = Api(settings)
        self._token = b""
        # However many notifications come, or are made up: so many questions at a time.
        self._asking = asyncio.Semaphore(_ASKING)
        pages = ("https://yoomoney.ru", "https://*.yoomoney.ru", "https://yookassa.ru", "https://*.yookassa.ru")
        fake = urlsplit(settings.api_base)
        self.form_origins: tuple[str, ...] = pages if fake.scheme == "https" else (*pages, f"http://{fake.netloc}")

    async def start(self) -> None:
        """Read the secrets. Raises `ValueError` that says what is missing."""
        if self._settings.webhook_token is not None:
            self._token = self._settings.webhook_token.reveal()
        self._api.start()
        if self._settings.test:
            self._host.log("payments: yookassa has a test shop: no money moves")

    async def stop(self) -> None:
        """Close connections."""
        await self._api.stop()

    async def begin(self, request: CheckoutRequest) -> Started:
        """See the port. Idempotence keys of YooKassa hold for 24 hours; the session of the last time holds longer."""
        try:
            payment = await self._known(request.session, request.reference) or await self._create(request)
        except Refused as refused:
            self._host.log(f"payments: YooKassa refused to open a payment: {refused}")
            raise ProviderUnavailable("YooKassa refused to open a payment") from None
        if payment.test is not self._settings.test:
            raise ProviderUnavailable(self._mixed_up(payment))
        if payment.status != "pending":
            # It is paid, or cancelled: the gateway asks what became of it, and says so. A cancelled one is followed by
            # another checkout.
            return Started(request.success, payment.id)
        address = payment.confirmation.confirmation_url if payment.confirmation else ""
        if not self._leads_there(address):
            raise ProviderUnavailable("YooKassa gave no address to pay at")
        return Started(address, payment.id)

    async def _known(self, session: str, reference: str) -> Payment | None:
        """The payment of this session; None where it is none of this shop, or of another reference."""
        if re.fullmatch(ID, session) is None:
            return None
        try:
            payment = await self._payment(session)
        except Refused as refused:
            if refused.status != 404:
                raise
            return None
        return payment if payment.reference == reference else None

    async def _create(self, request: CheckoutRequest) -> Payment:
        content, key = new_payment(self._settings, request), _digest("payment", request.reference)
        try:
            created = await self._api.post(Payment, "/payments", content, key)
        except Refused:
            # The same key with another content is refused: another language, a plan that was renamed.
            day_ago = self._host.now() - DAY
            found, _ = await self._search(request.reference, day_ago)
            if not found:
                raise
            return found[0]
        # A repeated request may be answered with the payment as it was at first.
        return await self._payment(created.id)

    async def _payment(self, payment: str) -> Payment:
        return await self._api.get(Payment, f"/payments/{payment}")

    async def _search(self, reference: str, since: int) -> tuple[list[Payment], bool]:
        """The payments of a reference, the newest first, and whether there can't be any more."""
        query = {"limit": _PAGE, "created_at.gte": _written_instant(since - _CLOCKS_DIFFER_MS)}
        found: list[Payment] = []
        for _ in range(_PAGES):
            page = await self._api.get(Payments, "/payments", query)
            found += [payment for payment in page.items if payment.reference == reference]
            if not page.next_cursor:
                return found, True
            query["cursor"] = page.next_cursor
        return found, False

    async def look(self, pending: Pending, desk: Desk) -> Progress:
        """See the port. Without a session the payments since the checkout was opened are searched."""
        try:
            payment = await self._known(pending.session, pending.reference)
            found, is_all = ([payment], True) if payment else await self._search(pending.reference, pending.opened)
        except Refused as refused:
            raise ProviderUnavailable(f"YooKassa does not tell of a payment: {refused}") from None
        if not found:
            return Progress.OPEN if is_all else Progress.PROCESSING
        # More than one there is only where an idempotence key was forgotten, and the session as well.
        told = [each for each in found if each.status == "succeeded"] or found[:1]
        for each in told:
            await self._tell(each, desk)
        return _progress(told[0], pending.returned)

    async def _tell(self, payment: Payment, desk: Desk) -> None:
        """Report a payment as it stands."""
        if payment.test is not self._settings.test:
            raise ProviderUnavailable(self._mixed_up(payment))
        if payment.status == "canceled":
            await desk.failed(FailureReport(payment.reference))
        if payment.status == "succeeded":
            await desk.settle(_paid(payment))
            if payment.refunded_amount is not None and payment.refunded_amount.minor:
                for refund in await self._refunds(payment):
                    await desk.refunded(_gone_back(refund, payment))

    async def answer(self, request: ProviderRequest, desk: Desk) -> ProviderAnswer:
        """The address of notifications, `webhook` or `webhook/WORD`. See the port."""
        path, _, token = request.path.partition("/")
        if path != "webhook" or request.method != "POST":
            raise WebhookRejected("notifications are posted to webhook")
        if not hmac.compare_digest(token.encode("utf-8", "replace"), self._token):
            raise WebhookRejected("the address does not end with the word that webhook_token says")
        try:
            notice = Notice.model_validate_json(request.body)
        except ValidationError:
            raise WebhookRejected("it is no notification of YooKassa's") from None
        kind, _, status = notice.event.partition(".")
        async with self._asking:
            try:
                if kind == "payment" and status in ("succeeded", "canceled"):
                    await self._hear_of_payment(notice, status, desk)
                elif kind == "refund" and status == "succeeded":
                    await self._hear_of_refund(notice, desk)
            except Refused:
                raise WebhookRejected("YooKassa knows of nothing by this id") from None
        return ProviderAnswer(200, [(b"content-type", b"text/plain")], b"")

    async def _hear_of_payment(self, notice: Notice, status: str, desk: Desk) -> None:
        payment = self._genuine(await self._payment(notice.object.id))
        if payment.status != status:
            raise WebhookRejected(f"asked, YooKassa says that the payment is {payment.status[:40]!r}")
        if not payment.reference:
            return  # another system's, of the same shop
        await self._tell(payment, desk)

    async def _hear_of_refund(self, notice: Notice, desk: Desk) -> None:
        refund = await self._api.get(Refund, f"/refunds/{notice.object.id}")
        if refund.status != "succeeded":
            raise WebhookRejected(f"asked, YooKassa says that the refund is {refund.status[:40]!r}")
        payment = self._genuine(await self._payment(refund.payment_id))
        if payment.reference:
            await desk.refunded(_gone_back(refund, payment))

    def _genuine(self, payment: Payment) -> Payment:
        if payment.test is not self._settings.test:
            raise WebhookRejected(self._mixed_up(payment))
        return payment

    async def refund(self, reference: str, payment: str, amount: Money, operation: str) -> RefundReport | None:
        """See the port. A refund is found again by its description, also when its key is forgotten."""
        if re.fullmatch(ID, payment) is None:
            raise RefundRefused("YooKassa has no payment of this id")
        mark = _digest("refund", reference, payment, operation)
        why = f"Refund {mark[:16]}"
        try:
            of = await self._payment(payment)
            own = [each for each in await self._refunds(of, "") if each.description == why]
            made = next((each for each in own if each.status != "canceled"), None)
            if made is None:
                content = new_refund(self._settings, payment, amount, why, is_part=amount.minor < of.amount.minor)
                key = _digest(mark, *sorted(each.id for each in own))
                made = await self._api.post(Refund, "/refunds", content, key)
            if made.status == "succeeded":
                return _gone_back(made, await self._payment(payment))
        except Refused as refused:
            raise RefundRefused(f"YooKassa: {refused}") from None
        if made.status == "canceled":
            reason = made.cancellation_details.reason if made.cancellation_details else ""
            raise RefundRefused(f"YooKassa: {reason or 'canceled'}")
        return None

    async def _refunds(self, payment: Payment, status: str = "succeeded") -> list[Refund]:
        query = {"limit": _PAGE, "payment_id": payment.id, **({"status": status} if status else {})}
        found: list[Refund] = []
        for _ in range(_PAGES):
            page = await self._api.get(Refunds, "/refunds", query)
            found += page.items
            if not page.next_cursor:
                break
            query["cursor"] = page.next_cursor
        return found

    def _leads_there(self, address: str) -> bool:
        """Whether it is an address that a person may be sent to."""
        scheme = "https://" if self._settings.api_base.startswith("https") else "http"
        return address.isascii() and address.startswith(scheme)

    def _mixed_up(self, payment: Payment) -> str:
        kinds = ("with play money", "of real money")
        is_kind, wanted = kinds if payment.test else kinds[::-1]
        return f"the payment is one {is_kind}, and `test` in the settings says that they are {wanted}"


def _progress(payment: Payment, returned: bool) -> Progress:
    if payment.status in ("succeeded", "canceled"):
        return Progress.CLOSED
    # Whoever turned back can open the page again and pay there, which is still the one payment.
    is_chosen = payment.payment_method is not None
    return Progress.PROCESSING if payment.status != "pending" or (returned and is_chosen) else Progress.OPEN


def _paid(payment: Payment) -> PaymentReport:
    settlement = Settlement(f"{payment.id}.succeeded", payment.id, checkout="", amount=payment.amount, provider="")
    return PaymentReport(payment.reference, settlement)


def _gone_back(refund: Refund, payment: Payment) -> RefundReport:
    return RefundReport(payment.reference, refund.id, payment.id, refund.amount, payment.is_gone)


def _digest(*parts: str) -> str:
    """An idempotence key: YooKassa takes up to 64 characters, and a reference may have more."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _written_instant(instant: int) -> str:
    return datetime.fromtimestamp(instant // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
