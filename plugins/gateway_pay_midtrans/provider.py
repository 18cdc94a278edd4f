"""Midtrans Snap as a `PaymentProvider`.

The signature of a notification covers the order, the status code and the amount, and not what became of it ("Verifying
Notification Authenticity"). So it is checked, and then Midtrans is asked for the transaction, as it advises itself:
what it answers is what is reported.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from urllib.parse import urlsplit

from pydantic import ValidationError

from gateway.core.money import Money
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
from gateway_pay_midtrans.api import Api, Refused
from gateway_pay_midtrans.order import new_page, order_id
from gateway_pay_midtrans.report import DENIED, ENDED, is_paid, money_reports, refunds, voided, was_voided
from gateway_pay_midtrans.settings import MidtransSettings
from gateway_pay_midtrans.wire import CURRENCY, ID, RUPIAH, Notice, Transaction

_SESSION_LIMIT = 255
_TEST_ORDERS = "payment_notif_test"
"""What the orders begin with that the dashboard's button to try the address out tells of; there are none."""
_HEARD = ProviderAnswer(200, [(b"content-type", b"text/plain")], b"OK")


class MidtransProvider:
    """Payments of one merchant: one order for each reference."""

    label = "bank transfer, QRIS or card"

    def __init__(self, settings: MidtransSettings, host: Host) -> None:
        self._settings, self._host = settings, host
        self._api = Api(settings)
        self._keys: tuple[bytes, ...] = ()
        pages = urlsplit(self._api.snap)
        self.form_origins: tuple[str, ...] = (f"{pages.scheme}://{pages.netloc}",)

    async def start(self) -> None:
        """Read the keys. Raises `ValueError` that says what is missing or mixed up."""
        settings = self._settings
        self._keys = tuple(secret.reveal() for secret in (settings.server_key, *settings.former_server_keys))
        if self._keys[0].startswith(b"SB-") and not settings.test:
            raise ValueError("server_key is one of Midtrans' sandbox: set `test: true`, or give the real one")
        self._api.start(self._keys[0])
        if settings.test:
            self._host.log("payments: midtrans is the sandbox: no money moves")

    async def stop(self) -> None:
        """Close connections."""
        await self._api.stop()

    async def begin(self, request: CheckoutRequest) -> Started:
        """See the port. Snap gives another page for the same order as long as no way to pay is chosen; of an order that
        waits for its money the page is the one that was given out before."""
        found = await self._api.transaction(order_id(request.reference))
        known = request.session if self._is_theirs(request.session) else ""
        if found is None:
            address = await self._open(request, known)
        elif found.status == "pending" and known:
            address = known
        else:
            # It is paid, or can't be paid any more: the gateway asks what became of it, and says so. One that has
            # failed is followed by another checkout.
            return Started(request.success, known)
        return Started(address, address if len(address) <= _SESSION_LIMIT else "")

    def _is_theirs(self, address: str) -> bool:
        return address.isascii() and address.startswith(f"{self.form_origins[0]}/")

    async def _open(self, request: CheckoutRequest, known: str) -> str:
        """A page for this order. Where Midtrans takes the order for taken, it is the one that is known."""
        try:
            address = await self._api.open_page(new_page(request))
        except ValueError as error:
            self._host.log(f"payments: {error}")
            raise ProviderUnavailable("Midtrans does not take this price") from None
        except Refused as refused:
            if known and "order_id" in str(refused):
                return known
            self._host.log(f"payments: Midtrans refused to open a page: {refused}")
            raise ProviderUnavailable("Midtrans refused to open a page") from None
        if not self._is_theirs(address):
            raise ProviderUnavailable("Midtrans gave no address of its own to pay at")
        return address

    async def look(self, pending: Pending, desk: Desk) -> Progress:
        """See the port."""
        found = await self._api.transaction(order_id(pending.reference))
        if found is None:
            return Progress.OPEN  # no way to pay is chosen yet
        await self._tell(found, pending.reference, desk)
        if found.status in (*ENDED, DENIED):
            await desk.failed(FailureReport(pending.reference))
            return Progress.CLOSED
        if is_paid(found):
            return Progress.CLOSED
        # Somebody has an account number or a code, and can see it again on its page; but who says to have paid is
        # believed until it is known.
        return Progress.OPEN if found.status == "pending" and not pending.returned else Progress.PROCESSING

    async def _tell(self, found: Transaction, reference: str, desk: Desk) -> None:
        """Report what a transaction says of money."""
        try:
            reports = money_reports(found, reference)
        except ValueError:
            raise ProviderUnavailable("Midtrans' answer has an amount that can't be read") from None
        for report in reports:
            await (desk.settle(report) if isinstance(report, PaymentReport) else desk.refunded(report))
        if found.status == "partial_chargeback":
            self._host.log(f"payments: Midtrans says that a part of {found.order_id} was charged back: look there")

    async def answer(self, request: ProviderRequest, desk: Desk) -> ProviderAnswer:
        """The address of notifications, `webhook`. See the port."""
        if request.path != "webhook" or request.method != "POST":
            raise WebhookRejected("notifications are posted to webhook")
        try:
            notice = Notice.model_validate_json(request.body)
        except ValidationError:
            raise WebhookRejected("it is no notification of Midtrans'") from None
        if not self._is_signed(notice):
            raise WebhookRejected("it is not signed with the server key")
        found = await self._api.transaction(notice.order_id)
        if found is None and notice.order_id.startswith(_TEST_ORDERS):
            return _HEARD
        if found is None:
            raise WebhookRejected("Midtrans knows no such order")
        # Whichever of the two says it: the order's id is proof of its reference.
        for reference in (found.custom_field1, notice.custom_field1):
            if isinstance(reference, str) and reference.isascii() and order_id(reference) == notice.order_id:
                await self._tell(found, reference, desk)
                if found.status in ENDED:  # after a refused card, Snap lets the person try another one
                    await desk.failed(FailureReport(reference))
                break
        return _HEARD

    def _is_signed(self, notice: Notice) -> bool:
        said = (notice.order_id + notice.status_code + notice.gross_amount).encode()
        given = notice.signature_key.encode()
        fits = [hmac.compare_digest(given, hashlib.sha512(said + key).hexdigest().encode()) for key in self._keys]
        return any(fits)

    async def refund(self, reference: str, payment: str, amount: Money, operation: str) -> RefundReport | None:
        """See the port. Before it is settled, which takes a day, a card's payment can only be cancelled as a whole."""
        if re.fullmatch(ID, payment) is None:
            raise RefundRefused("Midtrans has no payment of this id")
        key = hashlib.sha256("\n".join(("refund", reference, payment, operation)).encode()).hexdigest()[:40]
        rupiah, rest = divmod(amount.minor, RUPIAH)
        if rest or amount.currency != CURRENCY:
            raise RefundRefused(f"Midtrans gives back whole rupiah, and this is {amount}")
        made, found = await self._made(reference, payment, key)
        if made is not None:
            return made
        try:
            if found.status == "capture" and amount == found.amount:
                await self._api.act(payment, "cancel")
            else:
                await self._api.act(payment, "refund", {"refund_key": key, "amount": rupiah, "reason": "Refund"})
        except Refused as refused:
            # Another request with the same key may have been quicker.
            made, found = await self._made(reference, payment, key)
            if made is None:
                raise RefundRefused(f"Midtrans: {refused}") from None
            return made
        return (await self._made(reference, payment, key))[0]

    async def _made(self, reference: str, payment: str, key: str) -> tuple[RefundReport | None, Transaction]:
        """The refund with this key, where there is one already. Raises `RefundRefused` where there is no payment."""
        found = await self._api.transaction(payment)
        if found is None:
            raise RefundRefused("Midtrans has no payment of this id")
        try:
            if was_voided(found):
                return voided(found, reference), found
            keys = [each.refund_key for each in found.refunds]
            return (refunds(found, reference)[keys.index(key)] if key in keys else None), found
        except ValueError:
            raise ProviderUnavailable("Midtrans' answer has an amount that can't be read") from None
