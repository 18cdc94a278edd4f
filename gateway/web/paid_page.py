"""What the page says to which a provider sends people back: we are checking, or thank you."""

from __future__ import annotations

from gateway.core.header import Headers
from gateway.ports.state import CheckoutRecord, HoldRecord
from gateway.web.offer_view import day

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


def thanks(record: CheckoutRecord, release: str, held: HoldRecord | None) -> dict[str, object]:
    """It is paid. `release` is where the result is that was paid for; its download starts by itself."""
    facts = {"Paid": str(record.price), "Reference": record.id}
    if not release:
        return {
            "title": "Thank you. Results are open",
            "detail": "Ask for your result again: it is no longer withheld.",
            "facts": facts,
            "links": [{**_HOME, "primary": True}],
            "code": "",
            "refresh": "",
        }
    name = held.filename if held else "the result"
    until = day(held.expires) if held else "it expires"
    return {
        "title": f"Thank you: {name} is yours",
        "detail": f"The download starts by itself. Should it not, take it here; it stays here until {until}.",
        "facts": facts,
        "links": [{"address": release, "text": "Take the result", "primary": True}, _HOME],
        "code": "",
        "refresh": f"0; url={release}",
    }
