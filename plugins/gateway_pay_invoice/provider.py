"""Bank transfers: says where to send the money, and takes an operator's word for what has arrived.

What is to be paid travels inside the page's address, signed. The gateway keeps whether somebody said "I have sent it".
"""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from importlib import import_module
from importlib.util import find_spec
from typing import Any
from urllib.parse import parse_qs

from gateway.core.money import Money
from gateway.ports.cashbook import CheckoutStatus, Settlement
from gateway.ports.order import Order, read_order, sign_order
from gateway.ports.payment import (
    CheckoutRequest,
    Desk,
    PaymentReport,
    Pending,
    Progress,
    ProviderAnswer,
    ProviderRequest,
    Started,
    WebhookRejected,
)
from gateway.ports.plugin import Host
from gateway_pay_invoice.number import checkout_of, grouped, number_of
from gateway_pay_invoice.page import BUYER_LIMIT, TITLE, Shown, how_page
from gateway_pay_invoice.settings import InvoiceSettings

SENT = "sent"
"""What a checkout is called whose payer said so."""

_PAID = (CheckoutStatus.PAID, CheckoutStatus.SURPLUS)
_LINES, _LINE_LIMIT, _NAME_LIMIT = 6, 90, 140
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


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
        needed = [*(("fpdf", "uharfbuzz") if settings.pdf else ()), *(("segno",) if settings.qr and settings.iban else ())]
        if missing := [name for name in needed if find_spec(name) is None]:
            raise RuntimeError(
                f"the plugin invoice needs {' and '.join(missing)}: pip install 'paywall-gateway[invoice]', "
                "or set `pdf: false` and `qr: false` for it"
            )
        if settings.font is not None and not settings.font.is_file():
            raise RuntimeError(f"the font {settings.font} of the plugin invoice is not there: mend `font`, or leave it out")

    async def stop(self) -> None:
        """Nothing to close."""

    async def begin(self, request: CheckoutRequest) -> Started:
        """The address of the page that says where to send the money."""
        query = sign_order(self._key, request, self._host.now())
        return Started(f"{self._host.prefix}/provider/invoice/how?{query}")

    async def look(self, pending: Pending, desk: Desk) -> Progress:
        """Whether the payer said that it was sent. That it arrived, the operator says."""
        return Progress.PROCESSING if pending.session == SENT else Progress.OPEN

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
        is_sent = known is not None and known.session == SENT
        shown = Shown(
            facts=self._how(order),
            title=order.title,
            is_paid=is_paid,
            is_sent=is_sent,
            has_pdf=self._settings.pdf,
            code=self._code_address(order),
            query=request.query,
            success=order.success,
            cancel=order.cancel,
        )
        return ProviderAnswer.page(200, TITLE, how_page(shown))

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
            raise ValueError("name the transfer as the bank's statement does, in 1 to 140 characters: so it counts once")
        settlement = Settlement(f"transfer {name}", name, "", amount, "")
        return PaymentReport(reference, settlement)

    def _how(self, order: Order) -> list[tuple[str, str]]:
        settings = self._settings
        return [
            ("Amount", str(order.amount)),
            ("To", settings.payee),
            *([("IBAN", grouped(settings.iban))] if settings.iban else []),
            *([("BIC", settings.bic)] if settings.bic else []),
            *([("Account", ", ".join(settings.account))] if settings.account else []),
            ("Payment number (purpose)", grouped(number_of(order.reference))),
            ("By", _day(order.made + settings.due)),
        ]

    def _code(self, order: Order) -> Any:
        """The EPC QR code (EPC069-12 version 2), which is for credit transfers in EUR; None where there is none."""
        settings = self._settings
        if not settings.qr or settings.iban is None or order.amount.currency != "EUR":
            return None
        return import_module("segno.helpers").make_epc_qr(
            name=settings.payee,
            iban=settings.iban,
            amount=f"{order.amount.minor // 100}.{order.amount.minor % 100:02d}",
            text=number_of(order.reference),
            bic=settings.bic,
            encoding="utf-8",
        )

    def _code_address(self, order: Order) -> str:
        code = self._code(order)
        return "" if code is None else str(code.svg_data_uri(border=4, light="white"))

    async def _document(self, order: Order, is_paid: bool, body: bytes) -> ProviderAnswer:
        if not self._settings.pdf:
            raise WebhookRejected("no payment requests are made here")
        typed = parse_qs(body.decode("utf-8", "replace")).get("buyer", [""])[0][:BUYER_LIMIT]
        async with self._drawing:
            made = await asyncio.to_thread(self._draw, order, is_paid, typed)
        name = f"{'receipt' if is_paid else 'payment-request'}-{number_of(order.reference)}.pdf"
        head = [(b"content-type", b"application/pdf"), (b"content-disposition", f'attachment; filename="{name}"'.encode())]
        return ProviderAnswer(200, head, made)

    def _draw(self, order: Order, is_paid: bool, buyer: str) -> bytes:
        document, settings = import_module("gateway_pay_invoice.document"), self._settings
        dated = [("Payment number", grouped(number_of(order.reference)))]
        if is_paid:
            dated += [("Date of this receipt", _day(self._host.now())), ("Paid", str(order.amount))]
        else:
            dated += [("Date", _day(order.made)), ("Please pay by", _day(order.made + settings.due))]
        code = None if is_paid else self._code(order)
        lines = [_UNPRINTABLE.sub(" ", line)[:_LINE_LIMIT] for line in buyer.splitlines() if line.strip()]
        drawn: bytes = document.draw(
            document.Document(
                title="Receipt: paid" if is_paid else "Payment request",
                payee=(settings.payee, *settings.address),
                buyer=tuple(lines[:_LINES]),
                facts=tuple(dated),
                item=_UNPRINTABLE.sub(" ", order.title),
                amount=str(order.amount),
                how=() if is_paid else tuple(self._how(order)),
                footer=settings.footer,
                modules=() if code is None else tuple(tuple(bool(dark) for dark in row) for row in code.matrix),
                made=self._host.now(),
            ),
            settings.font or document.OWN_FONT,
        )
        return drawn


def _day(milliseconds: int) -> str:
    moment = datetime.fromtimestamp(milliseconds // 1000, UTC)
    return f"{moment.day} {moment:%B %Y}"
