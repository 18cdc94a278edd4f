"""Bank transfers: says where to send the money, and takes an operator's word for what has arrived.

What is to be paid travels inside the page's address, signed. The gateway keeps whether somebody said "I have sent it".
"""

from __future__ import annotations

import asyncio
from importlib.util import find_spec
from urllib.parse import parse_qs

from gateway.core.money import Money
from gateway.ports.cashbook import CheckoutStatus, Settlement
from gateway.ports.order import Order, read_order, sign_order
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
from gateway_pay_invoice.number import checkout_of, number_of
from gateway_pay_invoice.page import BUYER_LIMIT, Shown, how_page
from gateway_pay_invoice.settings import InvoiceSettings
from gateway_pay_invoice.statement import code_address, draw, how_to_pay
from gateway_pay_invoice.words import WORDS

SENT = "sent"
"""What a checkout is called whose payer said so."""

_PAID = (CheckoutStatus.PAID, CheckoutStatus.SURPLUS)
_NAME_LIMIT = 140


class InvoiceProvider:
    """Asks for a bank transfer."""

    label = "bank transfer"
    form_origins: tuple[str, ...] = ()

    def __init__(self, settings: InvoiceSettings, host: Host) -> None:
        self._settings, self._host = settings, host
        self._key = host.key("orders")
        # One at a time: whoever has a page could otherwise keep every core at work.
        self._drawing = asyncio.Semaphore(1)

    async def start(self) -> None:
        """See whether PDF and codes can be made. Raises `RuntimeError` with the mend."""
        settings = self._settings
        needed = [
            *(("fpdf", "uharfbuzz") if settings.pdf else ()),
            *(("segno",) if settings.qr and settings.iban else ()),
        ]
        if missing := [name for name in needed if find_spec(name) is None]:
            raise RuntimeError(
                f"the plugin invoice needs {' and '.join(missing)}: pip install 'paywall-gateway[invoice]', "
                "or set `pdf: false` and `qr: false` for it"
            )
        if settings.font is not None and not settings.font.is_file():
            raise RuntimeError(f"the font {settings.font} of the plugin invoice is not there: mend or remove `font`")

    async def stop(self) -> None:
        """Nothing to close."""

    async def begin(self, request: CheckoutRequest) -> Started:
        """The address of the page that says where to send the money."""
        query = sign_order(self._key, request, self._host.now())
        return Started(f"{self._host.prefix}/provider/invoice/how?{query}")

    async def look(self, pending: Pending, desk: Desk) -> Progress:
        """Whether the payer said that it was sent, and did not take that back: who pressed the button first and then
        wants to read the account must be let in again. That it arrived, the operator says."""
        return Progress.PROCESSING if pending.session == SENT and pending.returned else Progress.OPEN

    async def answer(self, request: ProviderRequest, desk: Desk) -> ProviderAnswer:
        """The page, "I have sent it", and the PDF."""
        asked = (request.method, request.path)
        if asked not in (("GET", "how"), ("POST", "how"), ("POST", "document")):
            raise WebhookRejected("there is a page, how, and a form on it, document")
        order = read_order(self._key, request.query)
        if asked == ("POST", "how"):
            await desk.note(order.reference, SENT)
            return ProviderAnswer.redirect(order.success)
        known = await desk.checkout(order.reference)
        is_paid = known is not None and known.status in _PAID
        if request.path == "document":
            return await self._document(order, is_paid, request.body)
        is_sent = known is not None and known.session == SENT and known.status is CheckoutStatus.UNKNOWN
        shown = Shown(
            tag=WORDS.speaks(order.locale),
            facts=how_to_pay(order, self._settings),
            title=order.title,
            is_paid=is_paid,
            is_sent=is_sent,
            has_pdf=self._settings.pdf,
            code=code_address(order, self._settings),
            document=f"{self._host.prefix}/provider/invoice/document?{request.query}",
            success=order.success,
            cancel=order.cancel,
        )
        return how_page(shown)

    def number(self, reference: str) -> str:
        """See the port `Confirming`."""
        return number_of(reference)

    def checkout_of(self, number: str) -> str:
        """See the port `Confirming`. Raises `ValueError`."""
        return checkout_of(number)

    def confirm(self, reference: str, amount: Money, payment: str) -> PaymentReport:
        """See the port `Confirming`. Raises `ValueError`."""
        name = payment.strip()
        if not 0 < len(name) <= _NAME_LIMIT or not name.isprintable():
            raise ValueError("name the transfer as the bank's statement does, in 1 to 140 characters")
        settlement = Settlement(f"transfer {name}", name, "", amount, "")
        return PaymentReport(reference, settlement)

    async def _document(self, order: Order, is_paid: bool, body: bytes) -> ProviderAnswer:
        if not self._settings.pdf:
            raise WebhookRejected("no payment requests are made here")
        typed = parse_qs(body.decode("utf-8", "replace")).get("buyer", [""])[0][:BUYER_LIMIT]
        async with self._drawing:
            made = await asyncio.to_thread(draw, order, self._settings, is_paid, typed, self._host.now())
        name = f"{'receipt' if is_paid else 'payment-request'}-{number_of(order.reference)}.pdf"
        head: Headers = [
            (b"content-type", b"application/pdf"),
            (b"content-disposition", f'attachment; filename="{name}"'.encode()),
        ]
        return ProviderAnswer(200, head, made)
