"""What is said of an order: the account, the number and the day, on the page, as a code and on paper."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from importlib import import_module
from typing import Any

from gateway.ports.order import Order
from gateway_pay_invoice.number import grouped, number_of
from gateway_pay_invoice.settings import InvoiceSettings
from gateway_pay_invoice.words import WORDS

_LINES, _LINE_LIMIT = 6, 90
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

Facts = tuple[tuple[str, str], ...]


def how_to_pay(order: Order, settings: InvoiceSettings) -> Facts:
    """What to send, where, and by when: names in English, and values."""
    return (
        ("Amount", str(order.amount)),
        ("To", settings.payee),
        *([("IBAN", grouped(settings.iban))] if settings.iban else []),
        *([("BIC", settings.bic)] if settings.bic else []),
        *([("Account", ", ".join(settings.account))] if settings.account else []),
        ("Payment number (purpose)", grouped(number_of(order.reference))),
        ("By", _day(order.made + settings.due, WORDS.speaks(order.locale))),
    )


def code_address(order: Order, settings: InvoiceSettings) -> str:
    """The code for banking apps as a picture's `data:` address; empty where there is none."""
    code = _code(order, settings)
    return "" if code is None else str(code.png_data_uri(scale=5, border=4))


def draw(order: Order, settings: InvoiceSettings, is_paid: bool, buyer: str, now: int) -> bytes:
    """The payment request, or the receipt for what is paid, as PDF. Takes a quarter of a second: for a thread."""
    # Loads the PDF library, which takes a second and is an extra.
    document = import_module("gateway_pay_invoice.document")
    tag = WORDS.speaks(order.locale)
    if is_paid:
        dates = (("Date of this receipt", _day(now, tag)), ("Paid", str(order.amount)))
    else:
        dates = (("Date", _day(order.made, tag)), ("Please pay by", _day(order.made + settings.due, tag)))
    code = None if is_paid else _code(order, settings)
    lines = [_UNPRINTABLE.sub(" ", line)[:_LINE_LIMIT] for line in buyer.splitlines() if line.strip()]
    drawn: bytes = document.draw(
        document.Document(
            title=WORDS.say(tag, "Receipt: paid" if is_paid else "Payment request"),
            payee=(settings.payee, *settings.address),
            buyer=tuple(lines[:_LINES]),
            facts=_said((("Payment number", grouped(number_of(order.reference))), *dates), tag),
            item=_UNPRINTABLE.sub(" ", order.title),
            amount=str(order.amount),
            how=() if is_paid else _said(how_to_pay(order, settings), tag),
            footer=settings.footer,
            modules=() if code is None else tuple(tuple(bool(dark) for dark in row) for row in code.matrix),
            made=now,
            total=WORDS.say(tag, "Total"),
            how_title=WORDS.say(tag, "How to pay"),
            code_title=WORDS.say(tag, "For banking apps (EPC QR code)"),
        ),
        settings.font or document.OWN_FONT,
    )
    return drawn


def _code(order: Order, settings: InvoiceSettings) -> Any:
    """The EPC QR code (EPC069-12 version 2), which is for credit transfers in EUR; None where there is none."""
    if not settings.qr or settings.iban is None or order.amount.currency != "EUR":
        return None
    return import_module("segno.helpers").make_epc_qr(
        name=settings.payee,
        iban=settings.iban,
        amount=Decimal(order.amount.minor).scaleb(-2),
        text=number_of(order.reference),
        bic=settings.bic,
        encoding="utf-8",
    )


def _said(facts: Facts, tag: str) -> Facts:
    return tuple((WORDS.say(tag, name), value) for name, value in facts)


def _day(milliseconds: int, tag: str) -> str:
    """`28 November 2023` in English, else ISO 8601, which all of these languages read."""
    moment = datetime.fromtimestamp(milliseconds // 1000, UTC)
    return f"{moment.day} {moment:%B %Y}" if tag == "en" else f"{moment:%Y-%m-%d}"
