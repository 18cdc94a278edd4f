"""The offer, as a page for a person and as problem details for a program: the same offer, the same words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from gateway.access.cover import Cover
from gateway.core.header import Headers
from gateway.core.reason import Reason
from gateway.core.standing import Standing
from gateway.payments.offer import Offer
from gateway.ports.state import HoldRecord
from gateway.web.answers import TITLES, OwnAnswer, problem
from gateway.web.offer_view import hold_view, instant, plan_view
from gateway.web.pages import Pages
from gateway.web.runtime import Site

DETAILS: dict[Reason, str] = {
    Reason.RESULT_HELD: "Your trial is over, so this result is withheld. It was made for you and is kept, unchanged, "
    "until it expires. Browsing stays open.",
    Reason.RESULT_PREVIEWED: "Your trial is over, so only a part of the result is shown, and nothing of it is kept. "
    "After payment, ask for it again. Browsing stays open.",
    Reason.PAYMENT_REQUIRED: "Your trial is over, and results need a plan. Browsing stays open.",
    Reason.DECLINED: "You said not now, so results are not made for you. Browsing stays open, and so does this offer.",
    Reason.TARGET_AMBIGUOUS: "Your trial is over, and an address written like this one may lead to a result. "
    "Use the address as the service itself writes it.",
    Reason.BODY_UNREADABLE: "Your trial is over, and what was sent along may ask for a result: it is too large to be "
    "looked at, or not in one plain form. Send it as the service itself does.",
    Reason.HOLD_TOO_LARGE: "It was made, but it is larger than what can be kept. After payment, ask for it again.",
    Reason.HOLD_LIMIT_REACHED: "Pay for one of the results that wait for you, or let one expire, to have another made.",
    Reason.HOLD_ENDLESS: "It has no end, so there is nothing to keep. After payment, ask for it again.",
    Reason.HOLD_PARTIAL: "Ask for the whole result to have it kept, or pay and ask for the part again.",
    Reason.HOLD_UNPAID: "Your trial is over, so this result is withheld. It is kept for you, unchanged, until it "
    "expires. Pay to have it; browsing stays open.",
}
"""One or two sentences for each reason to prompt: what is withheld, why, and what can be done."""

HEADLINES: dict[Reason, str] = {
    Reason.RESULT_HELD: "is ready and waits for payment",
    Reason.RESULT_PREVIEWED: "is shown in part; the whole needs payment",
    Reason.HOLD_UNPAID: "is ready and waits for payment",
}
"""What the page says first of a result, after the result's name."""

_READY = "is yours to take"
_KEPT = "It is kept for you, unchanged, until it expires."

COVERS: dict[Cover, str] = {
    Cover.PAID: "It is paid for.",
    Cover.TAKEN: "You have taken it before, and may take it again.",
    Cover.PERIOD: "The period that you have paid for covers it.",
    Cover.TRIAL: "Your trial is not over, so it is open to you.",
    Cover.CREDIT: "Taking it uses one of the results that you have paid for.",
}
"""Why a result that is shown may be taken."""

_STANDINGS: dict[Standing, tuple[str, str]] = {
    Standing.TRIAL: (
        "Your trial is not over",
        "Results are open to you, and so is browsing. You can choose a plan whenever you like.",
    ),
    Standing.ENTITLED: ("Results are open to you", "A plan chosen now adds to what you have."),
    Standing.WINDOW: ("Results are open to you for a while", "You can choose a plan whenever you like."),
    Standing.GRACE: (
        "A few results are still open to you",
        "Your trial is over, and some results come without payment. You can choose a plan whenever you like.",
    ),
}
"""Title and detail of an offer that somebody looks at of their own accord and to whom nothing is withheld."""

_WAITING_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Situation:
    """What an offer is shown for."""

    reason: Reason
    standing: Standing
    offer: Offer
    record: HoldRecord | None = None
    cover: Cover | None = None
    """By what right the record may be taken now."""
    rights: tuple[str, ...] = ()
    """What the subject has paid for and can still use on this route, a sentence each."""
    providers: tuple[tuple[str, str], ...] = ()
    """Name and label of each way to pay."""
    form_origins: tuple[str, ...] = ()
    waiting: tuple[HoldRecord, ...] = ()
    """Other results that wait for this subject."""
    looked_up: bool = False
    """Whether the offer is looked at by its own address, not met in place of a result."""


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
        return problem(
            status, situation.reason, _said(situation)[1], self._prefix, self._members(situation), [link, *headers]
        )

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
                    "gives": plan_view(plan, bool(offer.hold))["gives"],
                    "address": f"{self._prefix}/checkout{_query(offer, plan=plan.id, offer=offer.id)}",
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
        headline, detail = _said(situation)
        kept = record is not None and bool(record.id)
        waiting = [each for each in situation.waiting if not record or each.id != record.id]
        return {
            "title": f"{record.filename} {headline}" if record else headline,
            "headline": headline,
            "detail": detail,
            "reason": situation.reason.value,
            "withheld": not situation.cover and not _is_open(situation),
            "declined": situation.standing is Standing.DECLINED,
            "held": hold_view(record) if record else None,
            "kept": kept,
            "take": f"{self._prefix}/hold/{offer.hold}" if situation.cover else "",
            "waiting": [self._waiting_view(each) for each in waiting[:_WAITING_SHOWN]],
            "waiting_more": max(0, len(waiting) - _WAITING_SHOWN),
            "plans": [plan_view(plan, kept) for plan in offer.plans],
            "providers": situation.providers,
            "checkout": f"{self._prefix}/checkout",
            "decline": f"{self._prefix}/decline",
            "offer": self.address(offer),
            "reasons": self._site.reasons,
            "route": offer.route,
            "hold": offer.hold,
            "offer_id": offer.id,
        }

    def _waiting_view(self, record: HoldRecord) -> Mapping[str, Any]:
        page = f"{self._prefix}/offer?{urlencode({'route': record.route, 'hold': record.id})}"
        return {**hold_view(record), "address": f"{self._prefix}/hold/{record.id}" if record.paid else page}


def _is_open(situation: Situation) -> bool:
    """Whether nothing is withheld from whoever looks at this offer."""
    about_nothing = situation.record is None and situation.reason is Reason.PAYMENT_REQUIRED
    return situation.looked_up and about_nothing and situation.standing in _STANDINGS


def _said(situation: Situation) -> tuple[str, str]:
    """The headline (beside a result: what follows its name) and the detail."""
    reason, record = situation.reason, situation.record
    if situation.cover:
        return _READY, f"{COVERS[situation.cover]} {_KEPT}"
    if record is not None:
        return HEADLINES[reason], DETAILS[reason]
    if _is_open(situation):
        title, detail = _STANDINGS[situation.standing]
        return title, " ".join([*situation.rights, detail])
    return TITLES[reason], DETAILS[reason]


def _query(made: Offer, **more: str) -> str:
    fields = {"route": made.route, "hold": made.hold, **more}
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
        member["expires"] = instant(record.expires)
    return member
