"""Every page that the gateway shows, made as it makes them, without a server."""

from __future__ import annotations

import asyncio
import base64
import io
import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from PIL import Image

from gateway.access.cover import Cover
from gateway.core.money import Money
from gateway.core.quantity import DAY
from gateway.core.reason import Reason
from gateway.core.rule import PeriodUnit, Plan, Renewal
from gateway.core.standing import Standing, SubjectState
from gateway.language.language import ENGLISH, Language
from gateway.payments.offer import Offer
from gateway.ports.cashbook import (
    CheckoutRecord,
    CheckoutStatus,
    SettleOutcome,
    Subscription,
    SubscriptionStatus,
)
from gateway.ports.payment import CheckoutRequest, KnownCheckout, ProviderRequest
from gateway.ports.plugin import Plugin
from gateway.ports.state import HoldRecord
from gateway.web.answers import OwnAnswer
from gateway.web.faces import error_page
from gateway.web.offer_face import OfferFace, Situation
from gateway.web.offering import declined_page
from gateway.web.pages import Pages
from gateway.web.paid_page import Paid, arrived, checking
from gateway.web.runtime import DeclineReason, Site
from gateway_pay_invoice import plugin as invoice
from gateway_pay_sandbox import plugin as sandbox_plugin
from gateway_pay_wallet import plugin as wallet
from tests.plugins.desk import NotingDesk
from tests.plugins.host import FakeHost

PREFIX = "/_paywall"
SITE = Site(
    "Northwind Reports",
    "help@northwind.example",
    "https://northwind.example/terms",
    (DeclineReason("too-expensive", "It is too expensive"), DeclineReason("other", "Another reason")),
)
PLANS = (
    Plan("single", "This result", Money(300, "USD"), results=1),
    Plan("pack", "Ten results", Money(1200, "USD"), results=10),
    Plan("pro", "Pro", Money(1900, "USD"), period_ms=30 * DAY),
)
FREE = Plan("taste", "A taste", Money(0, "USD"), results=2)
CARD = (("card", "card"),)
CLUB = Plan("club", "Club", Money(900, "USD"), period_ms=31 * DAY, renews=Renewal(PeriodUnit.MONTH))
SUBSCRIBED = Subscription("sub-1", "card", "checkout-1", "club", SubscriptionStatus.ACTIVE, 0, 1_796_000_000_000, 0)
SEVERAL = (*CARD, ("bank", "bank transfer"))
ACCOUNT = {"payee": "Northwind", "iban": "DE02 1203 0000 0000 2020 51", "account": ["Sort code 12-34-56"]}
_OWN: dict[str, tuple[Plugin[Any, Any], Any]] = {
    "sandbox": (sandbox_plugin, {}), "invoice": (invoice, ACCOUNT), "wallet": (wallet, {}),
}  # fmt: skip
EXPIRES = 1_796_000_000_000
TABLE: dict[str, Any] = {
    "facts": {"Rows": "336,776", "Columns": "4"},
    "columns": ["date", "carrier", "origin", "delay"],
    "rows": [["2013-01-01", "UA", "EWR", "2"], ["2013-01-01", "AA", "JFK", "-4"], ["2013-01-01", "B6", "LGA", "11"]],
}


def held(name: str = "flights-2013.csv", media_type: str = "text/csv", **teaser: object) -> HoldRecord:
    """A result that is kept back, with this teaser."""
    return HoldRecord(
        id=f"hold-{name}", route="exports", created=EXPIRES - 7 * DAY, expires=EXPIRES, size=31_053_321, chunks=1,
        status=200, media_type=media_type, filename=name, teaser=json.dumps(teaser).encode(), fingerprint="",
        sealed_head=b"",
    )  # fmt: skip


def offered(
    reason: Reason = Reason.RESULT_HELD,
    record: HoldRecord | None = None,
    standing: Standing = Standing.EXPIRED,
    providers: tuple[tuple[str, str], ...] = CARD,
    waiting: tuple[HoldRecord, ...] = (),
    plans: tuple[Plan, ...] = PLANS,
    looked_up: bool = False,
    site: Site = SITE,
    as_page: bool = True,
    cover: Cover | None = None,
    rights: tuple[str, ...] = (),
    language: Language = ENGLISH,
    results: int = 0,
    checking: str = "",
    subscriptions: tuple[Subscription, ...] = (),
) -> OwnAnswer:
    """An offer, as a page unless told otherwise."""
    face = OfferFace(Pages(site, PREFIX), site, PREFIX)
    offer = Offer("offer", "exports", record.id if record else "", plans, 0)
    situation = Situation(
        reason, standing, offer, record, cover, rights, providers, (), waiting, looked_up, language, results,
        frozenset({"card"}), checking, subscriptions,
    )  # fmt: skip
    return face.show(situation, as_page, 200 if looked_up else 402, [])


def picture() -> str:
    """A small JPEG as the teasers of pictures have it."""
    target = io.BytesIO()
    Image.linear_gradient("L").resize((160, 100)).save(target, "JPEG")
    return "data:image/jpeg;base64," + base64.b64encode(target.getvalue()).decode("ascii")


def message(
    context: dict[str, object],
    status: int = 200,
    reason: Reason = Reason.PAGE,
    site: Site = SITE,
    language: Language = ENGLISH,
) -> OwnAnswer:
    return Pages(site, PREFIX).answer("message.html", context, status, reason, language=language)


CHECKOUT = CheckoutRecord(
    "checkout-1", "offer", "single", Money(300, "USD"), "card", "hold-1", results=1, status=CheckoutStatus.PAID,
    took_hold=True,
)  # fmt: skip
"""A checkout that paid for one held result."""


def paid(
    record: CheckoutRecord = CHECKOUT,
    result: HoldRecord | None = None,
    credits: int = 0,
    until: int = 0,
    site: Site = SITE,
    language: Language = ENGLISH,
) -> OwnAnswer:
    """The page after a payment has arrived, for somebody who stands so by it."""
    state = SubjectState(credits=credits, entitled_until=until)
    address = f"{PREFIX}/hold/hold-1?download"
    said = arrived(Paid(record, state, result, address, site, EXPIRES - DAY, language))
    return message(said, site=site, language=language)


def sandbox(choice: str = "", outcome: SettleOutcome = SettleOutcome.MISMATCH) -> OwnAnswer:
    """The sandbox's checkout, before a choice or after it."""
    return own_page("pay", NotingDesk(outcome), f"choice={choice}" if choice else "")


def own_page(path: str, desk: NotingDesk, sent: str = "", name: str = "sandbox", **more: Any) -> OwnAnswer:
    """A page of one of the gateway's own ways to pay: before anything was `sent` to it, or after it."""
    return asyncio.run(_own_page(path, desk, sent, name, more))


async def _own_page(path: str, desk: NotingDesk, sent: str, name: str, more: dict[str, Any]) -> OwnAnswer:
    plugin, settings = _OWN[name]
    provider = plugin.create(plugin.settings.model_validate(settings), FakeHost())
    order = CheckoutRequest("reference", Money(300, "EUR"), "This <result>", "/paid", "/offer", **more)
    query = urlsplit((await provider.begin(order)).address).query
    answer = await provider.answer(ProviderRequest("POST" if sent else "GET", path, query, [], sent.encode()), desk)
    return Pages(SITE, PREFIX).dress(OwnAnswer(answer.status, Reason.PAGE, answer.headers, answer.body))


Offering = Callable[..., OwnAnswer]


def _own_pages() -> dict[str, OwnAnswer]:
    paid, sent, rich = NotingDesk(), NotingDesk(), NotingDesk(balance=Money(5_000, "EUR"))
    paid.known = KnownCheckout(CheckoutStatus.PAID, Money(300, "EUR"))
    sent.known = KnownCheckout(CheckoutStatus.UNKNOWN, Money(300, "EUR"), "sent")
    monthly = Renewal(PeriodUnit.MONTH)
    return {
        "sandbox": sandbox(),
        "sandbox-refused": sandbox("refuse"),
        "sandbox-waits": sandbox("later"),
        "sandbox-paid": own_page("pay", paid, renews=monthly),
        "sandbox-renewed": own_page("pay", paid, "choice=renew", renews=monthly),
        "invoice": own_page("how", NotingDesk(), name="invoice"),
        "invoice-sent": own_page("how", sent, name="invoice"),
        "invoice-paid": own_page("how", paid, name="invoice"),
        "wallet": own_page("pay", rich, name="wallet"),
        "wallet-too-little": own_page("pay", NotingDesk(balance=Money(1, "EUR")), name="wallet"),
        "wallet-paid": own_page("pay", paid, name="wallet"),
    }


def all_pages(language: Language = ENGLISH) -> dict[str, OwnAnswer]:
    """Every kind of page by a name for it."""
    offer = partial(offered, language=language)
    return {**_offers_with_a_result(offer), **_offers_without(offer), **_messages(language), **_own_pages()}


def _offers_with_a_result(offer: Offering) -> dict[str, OwnAnswer]:
    table = held(**TABLE)
    image = held("chart.png", "image/png", facts={"Dimensions": "1,600 × 1,000"}, image=picture())
    text = held("notes.txt", "text/plain", facts={"Lines": "200"}, lines=["The first line.", "", "The third line."])
    preview = replace(table, id="", expires=0)
    others = (table, image, replace(text, paid=True))
    return {
        "held-table": offer(record=table),
        "held-image": offer(record=image),
        "held-text": offer(record=text),
        "held-names-only": offer(record=held(columns=["date", "carrier"])),
        "held-nameless-columns": offer(record=held(rows=[["1", "2"], ["3", "4"]])),
        "held-nothing-to-show": offer(record=held("export")),
        "held-to-take": offer(Reason.HOLD_UNPAID, table, cover=Cover.CREDIT, looked_up=True),
        "held-and-others": offer(Reason.HOLD_UNPAID, table, waiting=others, looked_up=True),
        "held-after-not-now": offer(Reason.HOLD_UNPAID, table, Standing.DECLINED, looked_up=True),
        "several-providers": offer(record=table, providers=SEVERAL),
        "no-providers": offer(record=table, providers=()),
        "previewed": offer(Reason.RESULT_PREVIEWED, preview),
        "ready-to-take": offer(Reason.HOLD_UNPAID, replace(table, paid=True), looked_up=True),
    }


def _offers_without(offer: Offering) -> dict[str, OwnAnswer]:
    return {
        "after-some-results": offer(Reason.PAYMENT_REQUIRED, results=14),
        "payment-required": offer(Reason.PAYMENT_REQUIRED),
        "declined": offer(Reason.DECLINED, standing=Standing.DECLINED),
        "limit-reached": offer(Reason.HOLD_LIMIT_REACHED),
        "free-plan": offer(Reason.PAYMENT_REQUIRED, plans=(*PLANS, FREE)),
        "free-plan-alone": offer(Reason.PAYMENT_REQUIRED, plans=(FREE,), providers=()),
        "no-plans": offer(Reason.PAYMENT_REQUIRED, plans=()),
        "looked-up-in-trial": offer(Reason.PAYMENT_REQUIRED, standing=Standing.TRIAL, looked_up=True),
        "payment-being-checked": offer(Reason.PAYMENT_REQUIRED, checking=f"{PREFIX}/paid?checkout=checkout-1"),
        "subscribed": offer(
            Reason.PAYMENT_REQUIRED,
            standing=Standing.ENTITLED,
            looked_up=True,
            plans=(*PLANS, CLUB, replace(CLUB, id="crew", name="Pro")),
            providers=SEVERAL,
            subscriptions=(replace(SUBSCRIBED, status=SubscriptionStatus.PAST_DUE), SUBSCRIBED),
        ),
        "looked-up-with-waiting": offer(Reason.PAYMENT_REQUIRED, waiting=(held(**TABLE),), looked_up=True),
    }


def _messages(language: Language) -> dict[str, OwnAnswer]:
    pay, tell = partial(paid, language=language), partial(message, language=language)
    record = CheckoutRecord("checkout-1", "offer", "single", Money(300, "USD"), "card", hold="hold-1")
    still, _ = checking(
        record, f"{PREFIX}/paid?checkout=checkout-1", f"{PREFIX}/offer", by_itself=True, language=language
    )
    error = error_page(Reason.UPSTREAM_TIMEOUT, "It was asked and said nothing for 60 seconds.", PREFIX, language)
    outdated = error_page(
        Reason.OFFER_OUTDATED, "A payment was made since. Look at what you have, then go on.", PREFIX, language
    )
    return {
        "thanks": pay(result=replace(held(), paid=True)),
        "thanks-again": pay(result=replace(held(), paid=True, released=1)),
        "thanks-without-result": pay(replace(CHECKOUT, hold="", took_hold=False), credits=1),
        "paid-twice": pay(replace(CHECKOUT, again=True, took_hold=False), held(), credits=1),
        "surplus": pay(replace(CHECKOUT, status=CheckoutStatus.SURPLUS), held()),
        "surplus-of-what-is-gone": pay(replace(CHECKOUT, status=CheckoutStatus.SURPLUS)),
        "mismatch": pay(replace(CHECKOUT, status=CheckoutStatus.MISMATCH)),
        "checking": tell(still),
        "said-not-now": tell(declined_page(f"{PREFIX}/offer", language), 200, Reason.DECLINED),
        "error": tell(error, 504, Reason.UPSTREAM_TIMEOUT),
        "error-of-an-offer": tell(outdated, 409, Reason.OFFER_OUTDATED),
    }
