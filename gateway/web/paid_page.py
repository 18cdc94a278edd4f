"""What the page says to which a provider sends people back: we are checking, thank you, or your money comes back."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from gateway.core.header import Headers
from gateway.core.quantity import DAY
from gateway.core.standing import SubjectState
from gateway.language.language import ENGLISH, Language
from gateway.ports.cashbook import CheckoutRecord, CheckoutStatus
from gateway.ports.state import DELIVERED_MS, HoldRecord
from gateway.web.offer_view import open_until, to_use
from gateway.web.runtime import Site

LOOK_AGAIN_SECONDS = 5


def checking(
    record: CheckoutRecord, page: str, offer: str, by_itself: bool, language: Language = ENGLISH
) -> tuple[dict[str, object], Headers]:
    """The payment is not confirmed yet. Comes with the header that makes the page look again, unless the person
    has switched that off (WCAG 2.2.1: who reads slowly must not lose the place)."""
    say = language.say
    if by_itself:
        how = language.count(
            "This page looks again every second.", "This page looks again every %(number)s seconds.", LOOK_AGAIN_SECONDS
        )
        switch = {"address": f"{page}&by-itself=no", "text": say("Stop looking by itself"), "primary": False}
    else:
        how = say("This page looks again when you ask it to.")
        switch = {"address": page, "text": say("Look again by itself"), "primary": False}
    again = page if by_itself else f"{page}&by-itself=no"
    context: dict[str, object] = {
        "title": say("We are checking your payment"),
        "detail": say(
            "The provider has not confirmed it yet. %(how)s If you have paid, you need not pay again, and can close "
            "this page: access opens as soon as the confirmation is there.",
            how=how,
        ),
        "facts": {say("Amount"): language.money(record.price), say("Reference"): record.id},
        "links": [
            {"address": again, "text": say("Look again now"), "primary": True},
            switch,
            {"address": page, "text": say("I did not pay"), "form": ("checkout", record.id)},
            {"address": offer, "text": say("Back to the offer"), "primary": False},
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
    language: Language = ENGLISH


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
    title = paid.language.say("Thank you: %(name)s is yours", name=held.filename)
    page = _page(paid, title, _how_to_take(held, starts, paid.language))
    return {**page, "refresh": f"0; url={paid.release}" if starts else ""}


def _how_to_take(held: HoldRecord, starts: bool, language: Language) -> str:
    if held.paid and not held.released:
        days = DELIVERED_MS // DAY
        if starts:
            return language.count(
                "The download starts by itself. Should it not, take it here; once taken, it stays here for %(number)s "
                "day.",
                "The download starts by itself. Should it not, take it here; once taken, it stays here for %(number)s "
                "days.",
                days,
            )
        return language.count(
            "Take it here; once taken, it stays here for %(number)s day.",
            "Take it here; once taken, it stays here for %(number)s days.",
            days,
        )
    day = language.moment(held.expires)
    if starts:
        return language.say(
            "The download starts by itself. Should it not, take it here; it stays here until %(day)s.", day=day
        )
    return language.say("Take it here; it stays here until %(day)s.", day=day)


def _thanks(paid: Paid) -> dict[str, object]:
    record, say = paid.record, paid.language.say
    if record.took_hold and not record.period_ms and record.results < 2:
        detail = say("The result that you paid for was kept for you until its time was over, and is no longer here.")
        return _page(paid, say("Thank you for your payment"), detail)
    told = [_given(paid)]
    if record.hold and not record.took_hold:
        told.insert(0, say("The result that you set out to pay for is no longer kept."))
    is_open = paid.state.entitled_until > paid.now or paid.state.credits
    title = say("Thank you. Results are open") if is_open else say("Thank you for your payment")
    return _page(paid, title, " ".join(told))


def _again(paid: Paid) -> dict[str, object]:
    say = paid.language.say
    detail = say("The offer had been paid already, so this payment was added to it.")
    return _page(paid, say("You paid twice, and nothing is lost"), f"{detail} {_given(paid)}")


def _given(paid: Paid) -> str:
    """Where the payer stands by it. As of now: the page may be read again much later."""
    language, state = paid.language, paid.state
    if paid.record.period_ms:
        day = language.moment(state.entitled_until)
        return open_until(state, paid.now, language) or language.say("Results were open to you until %(day)s.", day=day)
    return to_use(state, language) or language.say("The results that you paid for have been used.")


def _surplus(paid: Paid) -> dict[str, object]:
    language, say = paid.language, paid.language.say
    amount = language.money(paid.record.price)
    if paid.held and paid.held.filename:
        title = say("You paid twice, and this payment will be given back")
        detail = say(
            "Your payment of %(amount)s has arrived, but %(name)s was yours already, so it gives you nothing more.",
            amount=amount,
            name=paid.held.filename,
        )
    else:
        title = say("This payment will be given back")
        detail = say(
            "Your payment of %(amount)s has arrived, but the result that it was for was yours already, or is no longer "
            "kept, so it gives you nothing more.",
            amount=amount,
        )
    ask = (
        say("It will be given back: write to %(service)s, and name the reference below.", service=_service(paid))
        if paid.site.contact_link
        else say("It will be given back: ask %(service)s, and name the reference below.", service=_service(paid))
    )
    return _page(paid, title, f"{detail} {ask}", ask=True)


def _mismatch(paid: Paid) -> dict[str, object]:
    language, say = paid.language, paid.language.say
    detail = say(
        "A payment has arrived, but it is not %(amount)s, so nothing has been opened by it yet.",
        amount=language.money(paid.record.price),
    )
    ask = (
        say("It is not lost: write to %(service)s, and name the reference below.", service=_service(paid))
        if paid.site.contact_link
        else say("It is not lost: ask %(service)s, and name the reference below.", service=_service(paid))
    )
    return _page(paid, say("Another amount has arrived"), f"{detail} {ask}", ask=True)


def _service(paid: Paid) -> str:
    return paid.language.own(paid.site.name)


def _page(paid: Paid, title: str, detail: str, ask: bool = False) -> dict[str, object]:
    language, say = paid.language, paid.language.say
    links: list[dict[str, object]] = []
    if ask and paid.site.contact_link:
        text = say("Write to %(service)s", service=_service(paid))
        links.append({"address": paid.site.contact_link, "text": text, "primary": True})
    if paid.held:
        links.append({"address": paid.release, "text": say("Take the result"), "primary": not links})
    links.append({"address": "/", "text": say("Go on browsing"), "primary": not links})
    is_free = not paid.record.price.minor
    amount = say("Amount") if ask or is_free else say("Paid")
    price = say("Free") if is_free else language.money(paid.record.price)
    facts = {amount: price, say("Reference"): paid.record.id}
    return {"title": title, "detail": detail, "facts": facts, "links": links, "code": "", "refresh": ""}


def back_page(prefix: str, checkout: str, language: Language) -> dict[str, object]:
    """What is said to whoever comes back from a provider in a window of its own."""
    say, links = language.say, list[dict[str, object]]()
    if checkout:
        address = f"{prefix}/paid?checkout={quote(checkout, safe='')}"
        text = say("That page is gone: see what became of the payment")
        links.append({"address": address, "text": text, "primary": False})
    return {
        "title": say("You can close this window"),
        "detail": say(
            "The page that you came from is still open, and goes on by itself. If you have paid, it notices within a "
            "few seconds."
        ),
        "facts": {},
        "code": "",
        "refresh": "",
        "links": links,
    }
