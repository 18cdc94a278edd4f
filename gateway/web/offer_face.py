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
from gateway.core.rule import Plan
from gateway.core.standing import Standing
from gateway.language.catalogue import phrase
from gateway.language.choice import Languages
from gateway.language.language import ENGLISH, Language
from gateway.payments.offer import Offer
from gateway.ports.cashbook import Subscription
from gateway.ports.state import HoldRecord
from gateway.web.answers import TITLES, OwnAnswer, problem
from gateway.web.offer_view import hold_view, instant, plan_view
from gateway.web.pages import Pages
from gateway.web.runtime import Site
from gateway.web.subscription_view import subscription_view

DETAILS: dict[Reason, str] = {
    Reason.RESULT_HELD: phrase(
        "Your trial is over, so this result is withheld. It was made for you and is kept, unchanged, "
        "until it expires. Browsing stays open."
    ),
    Reason.RESULT_PREVIEWED: phrase(
        "Your trial is over, so only a part of the result is shown, and nothing of it is kept. "
        "After payment, ask for it again. Browsing stays open."
    ),
    Reason.PAYMENT_REQUIRED: phrase("Your trial is over, and results need a plan. Browsing stays open."),
    Reason.DECLINED: phrase(
        "You said not now, so results are not made for you. Browsing stays open, and so does this offer."
    ),
    Reason.TARGET_AMBIGUOUS: phrase(
        "Your trial is over, and an address written like this one may lead to a result. "
        "Use the address as the service itself writes it."
    ),
    Reason.BODY_UNREADABLE: phrase(
        "Your trial is over, and what was sent along may ask for a result: it is too large to be "
        "looked at, or not in one plain form. Send it as the service itself does."
    ),
    Reason.HOLD_TOO_LARGE: phrase(
        "It was made, but it is larger than what can be kept. After payment, ask for it again."
    ),
    Reason.HOLD_LIMIT_REACHED: phrase(
        "Pay for one of the results that wait for you, or let one expire, to have another made."
    ),
    Reason.HOLD_ENDLESS: phrase("It has no end, so there is nothing to keep. After payment, ask for it again."),
    Reason.HOLD_PARTIAL: phrase("Ask for the whole result to have it kept, or pay and ask for the part again."),
    Reason.HOLD_UNPAID: phrase(
        "Your trial is over, so this result is withheld. It is kept for you, unchanged, until it "
        "expires. Pay to have it; browsing stays open."
    ),
}
"""One or two sentences for each reason to prompt: what is withheld, why, and what can be done."""

HEADLINES: dict[Reason, str] = {
    Reason.RESULT_HELD: phrase("%(name)s is ready and waits for payment"),
    Reason.RESULT_PREVIEWED: phrase("%(name)s is shown in part; the whole needs payment"),
    Reason.HOLD_UNPAID: phrase("%(name)s is ready and waits for payment"),
}
"""What the page says first of a result."""

_READY = phrase("%(name)s is yours to take")
_KEPT = phrase("It is kept for you, unchanged, until it expires.")

COVERS: dict[Cover, str] = {
    Cover.PAID: phrase("It is paid for."),
    Cover.TAKEN: phrase("You have taken it before, and may take it again."),
    Cover.PERIOD: phrase("The period that you have paid for covers it."),
    Cover.TRIAL: phrase("Your trial is not over, so it is open to you."),
    Cover.CREDIT: phrase("Taking it uses one of the results that you have paid for."),
}
"""Why a result that is shown may be taken."""

_STANDINGS: dict[Standing, tuple[str, str]] = {
    Standing.TRIAL: (
        phrase("Your trial is not over"),
        phrase("Results are open to you, and so is browsing. You can choose a plan whenever you like."),
    ),
    Standing.ENTITLED: (phrase("Results are open to you"), phrase("A plan chosen now adds to what you have.")),
    Standing.WINDOW: (
        phrase("Results are open to you for a while"),
        phrase("You can choose a plan whenever you like."),
    ),
    Standing.GRACE: (
        phrase("A few results are still open to you"),
        phrase("Your trial is over, and some results come without payment. You can choose a plan whenever you like."),
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
    language: Language = ENGLISH
    results: int = 0
    """How many results the subject has had so far; 0 where that is not known."""
    renewing: frozenset[str] = frozenset()
    """Names of the ways to pay that sell subscriptions."""
    checking: str = ""
    """Where a payment is told of that may have been made: nobody is asked for another until that is known."""
    subscriptions: tuple[Subscription, ...] = ()
    """Those of the subject that go on."""


class OfferFace:
    """Shows offers for one config."""

    def __init__(self, pages: Pages, site: Site, prefix: str) -> None:
        self._pages, self._site, self._prefix = pages, site, prefix
        self._languages = Languages(site.languages).all

    def address(self, offer: Offer) -> str:
        """Where the page of an offer is."""
        return f"{self._prefix}/offer{_query(offer)}"

    def show(self, situation: Situation, as_page: bool, status: int, headers: Headers) -> OwnAnswer:
        """The offer. `headers` come on top: `vary` and the like."""
        link = (b"link", f'<{self.address(situation.offer)}>; rel="payment"'.encode())
        if as_page:
            context = self._context(situation)
            return self._pages.answer(
                "offer.html",
                context,
                status,
                situation.reason,
                [link, *headers],
                situation.form_origins,
                situation.language,
            )
        return problem(
            status,
            situation.reason,
            _said(situation)[1],
            self._prefix,
            self._members(situation),
            [link, *headers],
            situation.language,
        )

    def _members(self, situation: Situation) -> dict[str, object]:
        offer = situation.offer
        members: dict[str, object] = {
            "standing": situation.standing.value,
            "offer": self.address(offer),
            "checkout": [self._way(situation, plan) for plan in (() if situation.checking else offer.plans)],
            "decline": f"{self._prefix}/decline{_query(offer)}",
        }
        if situation.checking:
            members["checking"] = situation.checking
        if situation.record is not None:
            members["hold"] = hold_member(situation.record, self._prefix)
        return members

    def _way(self, situation: Situation, plan: Plan) -> Mapping[str, object]:
        """What a program is told of a plan."""
        offer, language = situation.offer, situation.language
        view = plan_view(plan, language, bool(offer.hold))
        way = {
            "plan": plan.id,
            "name": view["name"],
            "price": str(plan.price),
            "price_text": view["price"],
            "gives": view["gives"],
            "providers": _providers(situation, plan),
            "address": f"{self._prefix}/checkout{_query(offer, plan=plan.id, offer=offer.id)}",
        }
        return {**way, "renews": view["renews"]} if plan.renews else way

    def _context(self, situation: Situation) -> dict[str, Any]:
        offer, record, language = situation.offer, situation.record, situation.language
        headline, detail = _said(situation)
        kept = record is not None and bool(record.id)
        waiting = [each for each in situation.waiting if not record or each.id != record.id]
        return {
            "title": language.say(headline, name=record.filename) if record else language.say(headline),
            "headline": headline,
            "detail": detail,
            "so_far": _so_far(situation),
            "checking": situation.checking,
            "renewing": situation.renewing,
            "subscriptions": [subscription_view(each, offer.plans, language) for each in situation.subscriptions],
            "subscription": f"{self._prefix}/subscription",
            "reason": situation.reason.value,
            "withheld": not situation.cover and not _is_open(situation),
            "declined": situation.standing is Standing.DECLINED,
            "held": hold_view(record, language) if record else None,
            "kept": kept,
            "take": f"{self._prefix}/hold/{offer.hold}" if situation.cover else "",
            "waiting": [self._waiting_view(each, language) for each in waiting[:_WAITING_SHOWN]],
            "waiting_more": max(0, len(waiting) - _WAITING_SHOWN),
            "plans": [plan_view(plan, language, kept) for plan in offer.plans],
            "providers": [(name, language.say(label)) for name, label in situation.providers],
            "checkout": f"{self._prefix}/checkout",
            "decline": f"{self._prefix}/decline",
            "offer": self.address(offer),
            "reasons": [(each.id, language.own(each.text)) for each in self._site.reasons],
            "route": offer.route,
            "hold": offer.hold,
            "offer_id": offer.id,
            "others": [(each, each.link(self.address(offer))) for each in self._languages if each.tag != language.tag],
        }

    def _waiting_view(self, record: HoldRecord, language: Language) -> Mapping[str, Any]:
        page = f"{self._prefix}/offer?{urlencode({'route': record.route, 'hold': record.id})}"
        return {**hold_view(record, language), "address": f"{self._prefix}/hold/{record.id}" if record.paid else page}


def _providers(situation: Situation, plan: Plan) -> list[str]:
    """The names of the ways to pay for this plan."""
    if plan.is_free:
        return ["free"]
    return [name for name, _ in situation.providers if not plan.renews or name in situation.renewing]


def _is_open(situation: Situation) -> bool:
    """Whether nothing is withheld from whoever looks at this offer."""
    about_nothing = situation.record is None and situation.reason is Reason.PAYMENT_REQUIRED
    return situation.looked_up and about_nothing and situation.standing in _STANDINGS


def _said(situation: Situation) -> tuple[str, str]:
    """The headline, to be said (beside a result: with its name), and the detail as it is read."""
    reason, record, say = situation.reason, situation.record, situation.language.say
    if situation.cover:
        return _READY, f"{say(COVERS[situation.cover])} {say(_KEPT)}"
    if record is not None:
        return HEADLINES[reason], say(DETAILS[reason])
    if _is_open(situation):
        title, detail = _STANDINGS[situation.standing]
        return title, " ".join([*situation.rights, say(detail)])
    return TITLES[reason], say(DETAILS[reason])


def _so_far(situation: Situation) -> str:
    """What the subject has had of the service already; empty where that is not known."""
    if not situation.results:
        return ""
    return situation.language.count(
        "You have had %(number)s result so far.", "You have had %(number)s results so far.", situation.results
    )


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
