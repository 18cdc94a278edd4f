"""The offer, as a page for a person and as problem details for a program: the same offer, the same words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from gateway.core.header import Headers
from gateway.core.quantity import DAY, format_duration, format_size
from gateway.core.reason import Reason
from gateway.core.rule import Plan
from gateway.core.standing import Standing
from gateway.payments.offer import Offer
from gateway.ports.state import HoldRecord
from gateway.web.answers import TITLES, OwnAnswer, problem
from gateway.web.pages import Pages
from gateway.web.runtime import Site

DETAILS: dict[Reason, str] = {
    Reason.RESULT_HELD: "It was made for you and is kept, unchanged, until you decide. Browsing stays open.",
    Reason.RESULT_PREVIEWED: "This is a part of it. The whole is yours after payment. Browsing stays open.",
    Reason.PAYMENT_REQUIRED: "Your trial is over. Browsing stays open; this result needs a plan.",
    Reason.DECLINED: "You said not now, so results are not made for you. Browsing stays open, and so does this offer.",
    Reason.TARGET_AMBIGUOUS: "Your trial is over, and an address written like this one may lead to a result. "
    "Use the address as the service itself writes it.",
    Reason.HOLD_TOO_LARGE: "It was made, but it is larger than what can be kept. After payment, ask for it again.",
    Reason.HOLD_LIMIT_REACHED: "Pay for one of the results that wait for you, or let one expire, to have another made.",
    Reason.HOLD_ENDLESS: "It has no end, so there is nothing to keep. After payment, ask for it again.",
    Reason.HOLD_PARTIAL: "Ask for the whole result to have it kept, or pay and ask for the part again.",
    Reason.HOLD_UNPAID: "It is kept for you, unchanged, until it expires. Pay to have it.",
}
"""One or two sentences for each reason to prompt: what is withheld, why, and what can be done."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What an offer is shown for."""

    reason: Reason
    standing: Standing
    offer: Offer
    record: HoldRecord | None = None
    providers: tuple[tuple[str, str], ...] = ()
    """Name and label of each way to pay."""
    form_origins: tuple[str, ...] = ()
    waiting: tuple[HoldRecord, ...] = ()
    """Other results that wait for this subject."""


class OfferFace:
    """Shows offers for one config."""

    def __init__(self, pages: Pages, site: Site, prefix: str) -> None:
        self._pages, self._site, self._prefix = pages, site, prefix

    def address(self, offer: Offer) -> str:
        """Where the page of an offer is."""
        return f"{self._prefix}/offer{_query(offer)}"

    def show(self, situation: Situation, as_page: bool, status: int, headers: Headers) -> OwnAnswer:
        """The offer. `headers` come on top: `vary` and the like."""
        link = (b"link", f'<{self.address(situation.offer)}>; rel="payment"'.encode())
        if as_page:
            context = self._context(situation)
            return self._pages.answer(
                "offer.html", context, status, situation.reason, [link, *headers], situation.form_origins
            )
        detail = DETAILS[situation.reason]
        return problem(status, situation.reason, detail, self._prefix, self._members(situation), [link, *headers])

    def _members(self, situation: Situation) -> dict[str, object]:
        offer = situation.offer
        members: dict[str, object] = {
            "standing": situation.standing.value,
            "offer": self.address(offer),
            "checkout": [
                {
                    "plan": plan.id,
                    "name": plan.name,
                    "price": str(plan.price),
                    "address": f"{self._prefix}/checkout{_query(offer, plan=plan.id)}",
                }
                for plan in offer.plans
            ],
            "decline": f"{self._prefix}/decline{_query(offer)}",
        }
        if situation.record is not None:
            members["hold"] = hold_member(situation.record, self._prefix)
        return members

    def _context(self, situation: Situation) -> dict[str, Any]:
        offer, record = situation.offer, situation.record
        return {
            "title": TITLES[situation.reason],
            "detail": DETAILS[situation.reason],
            "reason": situation.reason.value,
            "declined": situation.standing is Standing.DECLINED,
            "held": hold_view(record) if record else None,
            "waiting": [hold_view(each) for each in situation.waiting if not record or each.id != record.id],
            "plans": [plan_view(plan) for plan in offer.plans],
            "providers": situation.providers,
            "checkout": f"{self._prefix}/checkout",
            "decline": f"{self._prefix}/decline",
            "reasons": self._site.reasons,
            "route": offer.route,
            "hold": offer.hold,
        }


def _query(offer: Offer, **more: str) -> str:
    fields = {"route": offer.route, "hold": offer.hold, **more}
    filled = {name: value for name, value in fields.items() if value}
    return "?" + urlencode(filled) if filled else ""


def hold_member(record: HoldRecord, prefix: str) -> Mapping[str, object]:
    """A held result as programs see it."""
    member: dict[str, object] = {
        "id": record.id,
        "status": record.status,
        "media_type": record.media_type,
        "size": record.size,
        "name": record.filename,
        "teaser": json.loads(record.teaser or b"{}"),
    }
    if record.id:
        member["release"] = f"{prefix}/hold/{record.id}"
        member["expires"] = _instant(record.expires)
    return member


def hold_view(record: HoldRecord) -> Mapping[str, object]:
    """A held result as the page shows it."""
    return {
        "id": record.id,
        "name": record.filename,
        "media_type": record.media_type,
        "size": format_size(record.size),
        "teaser": json.loads(record.teaser or b"{}"),
        "expires": _instant(record.expires) if record.id else "",
        "expires_day": _day(record.expires) if record.id else "",
        "route": record.route,
    }


def plan_view(plan: Plan) -> Mapping[str, str]:
    """A plan as the page shows it."""
    if plan.results:
        gives = "1 result" if plan.results == 1 else f"{plan.results} results"
    elif plan.period_ms % DAY == 0:
        days = plan.period_ms // DAY
        gives = "all results for 1 day" if days == 1 else f"all results for {days} days"
    else:
        gives = f"all results for {format_duration(plan.period_ms)}"
    return {"id": plan.id, "name": plan.name, "price": str(plan.price), "gives": gives}


def _instant(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _day(milliseconds: int) -> str:
    moment = datetime.fromtimestamp(milliseconds // 1000, UTC)
    return f"{moment.day} {moment:%B %Y}, {moment:%H:%M} UTC"
