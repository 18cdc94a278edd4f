"""What the page says to which a provider sends people back: we are checking, thank you, or your money comes back."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from gateway.core.header import Headers
from gateway.core.quantity import DAY
from gateway.core.standing import SubjectState
from gateway.ports.cashbook import CheckoutRecord, CheckoutStatus
from gateway.ports.state import DELIVERED_MS, HoldRecord
from gateway.web.offer_view import day, open_until, to_use
from gateway.web.runtime import Site

LOOK_AGAIN_SECONDS = 5
_HOME = {"address": "/", "text": "Go on browsing", "primary": False}


def checking(record: CheckoutRecord, page: str, offer: str, by_itself: bool) -> tuple[dict[str, object], Headers]:
    """The payment is not confirmed yet. Comes with the header that makes the page look again, unless the person
    has switched that off (WCAG 2.2.1: who reads slowly must not lose the place)."""
    if by_itself:
        how = f"This page looks again every {LOOK_AGAIN_SECONDS} seconds."
        switch = {"address": f"{page}&by-itself=no", "text": "Stop looking by itself", "primary": False}
    else:
        how = "This page looks again when you ask it to."
        switch = {"address": page, "text": "Look again by itself", "primary": False}
    again = page if by_itself else f"{page}&by-itself=no"
    context: dict[str, object] = {
        "title": "We are checking your payment",
        "detail": f"The provider has not confirmed it yet. {how} If you have paid, you need not pay again, and can "
        "close this page: access opens as soon as the confirmation is there.",
        "facts": {"Amount": str(record.price), "Reference": record.id},
        "links": [
            {"address": again, "text": "Look again now", "primary": True},
            switch,
            {"address": offer, "text": "I did not pay: back to the offer", "primary": False},
        ],
        "code": "",
        "refresh": "",
    }
    return context, [(b"refresh", b"%d" % LOOK_AGAIN_SECONDS)] if by_itself else []


@dataclass(frozen=True, slots=True)
class Paid:
    """What a page about a payment that has arrived speaks of."""

    record: CheckoutRecord
    state: SubjectState
    held: HoldRecord | None
    """The result that it was for, if it is still kept and may be taken now."""
    release: str
    """Where that result is."""
    site: Site
    now: int


def arrived(paid: Paid) -> dict[str, object]:
    """What became of the payment: always what it gave, or that it gave nothing and will be given back."""
    match paid.record.status:
        case CheckoutStatus.SURPLUS:
            return _surplus(paid)
        case CheckoutStatus.MISMATCH:
            return _mismatch(paid)
    if paid.record.again:
        return _again(paid)
    return _thanks_with(paid, paid.held) if paid.held else _thanks(paid)


def _thanks_with(paid: Paid, held: HoldRecord) -> dict[str, object]:
    """The result is there: its download starts by itself, unless it has been taken already or is a page, which would
    take the place of this one and of the reference on it."""
    starts = not held.released and not held.is_page
    stays = f"it stays here until {day(held.expires)}"
    if held.paid and not held.released:
        stays = f"once taken, it stays here for {DELIVERED_MS // DAY} days"
    how = "The download starts by itself. Should it not, take it here; " if starts else "Take it here; "
    page = _page(paid, f"Thank you: {held.filename} is yours", f"{how}{stays}.")
    return {**page, "refresh": f"0; url={paid.release}" if starts else ""}


def _thanks(paid: Paid) -> dict[str, object]:
    record = paid.record
    if record.took_hold and not record.period_ms and record.results < 2:
        detail = "The result that you paid for was kept for you until its time was over, and is no longer here."
        return _page(paid, "Thank you for your payment", detail)
    late = "The result that you set out to pay for is no longer kept. " if record.hold and not record.took_hold else ""
    is_open = paid.state.entitled_until > paid.now or paid.state.credits
    title = "Thank you. Results are open" if is_open else "Thank you for your payment"
    return _page(paid, title, f"{late}{_given(paid)}")


def _again(paid: Paid) -> dict[str, object]:
    detail = f"The offer had been paid already, so this payment was added to it. {_given(paid)}"
    return _page(paid, "You paid twice, and nothing is lost", detail)


def _given(paid: Paid) -> str:
    """Where the payer stands by it. As of now: the page may be read again much later."""
    if paid.record.period_ms:
        over = f"Results were open to you until {day(paid.state.entitled_until)}."
        return open_until(paid.state, paid.now) or over
    return to_use(paid.state) or "The results that you paid for have been used."


def _surplus(paid: Paid) -> dict[str, object]:
    name = paid.held.filename if paid.held else ""
    why = f"{name} was yours already" if name else "the result that it was for was yours already, or is no longer kept"
    detail = f"Your payment of {paid.record.price} has arrived, but {why}, so it gives you nothing more. "
    title = "You paid twice, and this payment will be given back" if name else "This payment will be given back"
    return _page(paid, title, detail + _ask_for(paid, "It will be given back"), ask=True)


def _mismatch(paid: Paid) -> dict[str, object]:
    detail = f"A payment has arrived, but it is not {paid.record.price}, so nothing has been opened by it yet. "
    return _page(paid, "Another amount has arrived", detail + _ask_for(paid, "It is not lost"), ask=True)


def _ask_for(paid: Paid, promise: str) -> str:
    whom = "write to" if paid.site.contact_link else "ask"
    return f"{promise}: {whom} {paid.site.name}, and name the reference below."


def _page(paid: Paid, title: str, detail: str, ask: bool = False) -> dict[str, object]:
    links: list[dict[str, object]] = []
    if ask and paid.site.contact_link:
        links.append({"address": paid.site.contact_link, "text": f"Write to {paid.site.name}", "primary": True})
    if paid.held:
        links.append({"address": paid.release, "text": "Take the result", "primary": not links})
    links.append({**_HOME, "primary": not links})
    facts = {"Paid" if not ask else "Amount": str(paid.record.price), "Reference": paid.record.id}
    return {"title": title, "detail": detail, "facts": facts, "links": links, "code": "", "refresh": ""}


def back_page(prefix: str, checkout: str) -> dict[str, object]:
    """What is said to whoever comes back from a provider in a window of its own."""
    links: list[dict[str, object]] = []
    if checkout:
        address = f"{prefix}/paid?checkout={quote(checkout, safe='')}"
        links = [{"address": address, "text": "That page is gone: see what became of the payment", "primary": False}]
    return {
        "title": "You can close this window",
        "detail": "The page that you came from is still open, and goes on by itself. If you have paid, it notices "
        "within a few seconds.",
        "facts": {},
        "code": "",
        "refresh": "",
        "links": links,
    }
