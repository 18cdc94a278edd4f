"""Paddle, beyond what every provider promises: taxes on top, no idempotency keys, a page of its own."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from pydantic import ValidationError

from gateway.core.money import Money
from gateway.ports.payment import (
    CheckoutRequest,
    Pending,
    Progress,
    ProviderRequest,
    ProviderUnavailable,
    RefundRefused,
    Started,
    WebhookRejected,
)
from gateway.testing.desk import NotingDesk
from gateway.testing.payment_promises import deliver
from gateway.testing.payment_provider import HostedContract, SignedContract
from gateway.testing.payment_refunds import RefundingContract
from gateway.testing.payment_renewals import MONTHLY, RenewingContract
from gateway_pay_paddle import plugin
from tests.plugins.pay.paddle_fake import SECRETS
from tests.plugins.pay.paddle_rig import ENVIRONMENT, PaddleRig, opened

Make = Callable[..., Awaitable[PaddleRig]]

DAY_MS = 86_400_000
ASKED = CheckoutRequest(
    reference="abc-123.DEF_456",
    amount=Money(1_900, "USD"),
    title="Pro",
    success="/_paywall/paid?checkout=1",
    cancel="/_paywall/offer?route=a&hold=b",
    locale="pt-BR",
    plan="pro",
)


@pytest.fixture
async def make(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Make]:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    made: list[PaddleRig] = []

    async def start(**more: Any) -> PaddleRig:
        rig = PaddleRig(**more)
        made.append(rig)
        await rig.start()
        return rig

    yield start
    for rig in made:
        await rig.stop()


class TestPaddle(HostedContract, SignedContract, RefundingContract, RenewingContract):
    @pytest.fixture
    async def rig(self, make: Make) -> PaddleRig:
        return await make()


def pending(rig: PaddleRig, session: str = "") -> Pending:
    return Pending(ASKED.reference, session, ASKED.amount, rig.host.now())


async def test_once_stopped_it_is_unavailable(make: Make) -> None:
    """A new config has taken its place, and a last request comes to the old one."""
    rig = await make()
    await rig.provider.stop()
    with pytest.raises(ProviderUnavailable):
        await rig.provider.begin(ASKED)


async def test_what_is_asked_for(make: Make) -> None:
    rig = await make(tax_category="saas", tax_mode="external")
    await rig.provider.begin(ASKED)
    assert rig.fake.asked == [
        {
            "items": [
                {
                    "quantity": 1,
                    "price": {
                        "name": "Pro", "description": "Pro", "tax_mode": "external",
                        "unit_price": {"amount": "1900", "currency_code": "USD"},
                        "quantity": {"minimum": 1, "maximum": 1},
                        "product": {"name": "Pro", "tax_category": "saas"},
                    },
                }
            ],
            "currency_code": "USD", "collection_mode": "automatic", "custom_data": {"reference": ASKED.reference},
        }
    ]  # fmt: skip


async def test_taxes_are_charged_and_no_part_of_the_price(make: Make) -> None:
    rig = await make()
    desk = NotingDesk()
    await deliver(rig, await rig.pay(await rig.provider.begin(ASKED)), desk)
    settlement = desk.payments[0].settlement
    assert (settlement.amount, settlement.charged) == (Money(1_900, "USD"), Money(2_280, "USD"))


async def test_a_price_of_the_catalog(make: Make) -> None:
    rig = await make(prices={"pro": "pri_01catalog"})
    rig.fake.catalog["pri_01catalog"] = {
        "id": "pri_01catalog", "name": "Pro", "billing_cycle": None,
        "unit_price": {"amount": "1900", "currency_code": "USD"},
    }  # fmt: skip
    await rig.provider.begin(ASKED)
    assert rig.fake.asked[-1]["items"] == [{"price_id": "pri_01catalog", "quantity": 1}]
    with pytest.raises(ProviderUnavailable, match="another price"):
        await rig.provider.begin(replace(ASKED, reference="another", amount=Money(2_000, "USD")))
    assert "'pro'" in rig.host.lines[-1]


async def test_a_price_of_the_catalog_that_renews_is_no_single_payment(make: Make) -> None:
    """And the other way about: nobody pays for longer, or shorter, than they were told."""
    rig = await make(prices={"pro": "pri_01catalog"})
    price = {"id": "pri_01catalog", "name": "Pro", "unit_price": {"amount": "1900", "currency_code": "USD"}}
    rig.fake.catalog["pri_01catalog"] = {**price, "billing_cycle": {"interval": "month", "frequency": 1}}
    with pytest.raises(ProviderUnavailable, match="another price"):
        await rig.provider.begin(ASKED)
    assert (await rig.provider.begin(replace(ASKED, reference="renews", renews=MONTHLY))).session
    rig.fake.catalog["pri_01catalog"] = {**price, "billing_cycle": None}
    with pytest.raises(ProviderUnavailable, match="another price"):
        await rig.provider.begin(replace(ASKED, reference="renews too", renews=MONTHLY))


async def test_two_processes_lead_to_one_transaction(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither sees the other's before it has made its own."""
    rig = await make()
    elder = await rig.provider.begin(ASKED)
    searches: list[str] = []
    search = rig.paddle._search

    async def blind_at_first(reference: str, since: int) -> Any:
        searches.append(reference)
        return ([], True) if len(searches) == 1 else await search(reference, since)

    monkeypatch.setattr(rig.paddle, "_search", blind_at_first)
    younger = await rig.provider.begin(ASKED)
    assert len(rig.fake.transactions) == 2
    assert younger == elder


async def test_the_session_leads_back_for_ever(make: Make) -> None:
    rig = await make()
    first = await rig.provider.begin(ASKED)
    rig.host.pass_time(30 * DAY_MS)
    assert await rig.provider.begin(replace(ASKED, session=first.session)) == first
    assert rig.payable(ASKED.reference) == 1


async def test_whoever_has_paid_is_not_sent_to_pay(make: Make) -> None:
    rig = await make()
    started = await rig.provider.begin(ASKED)
    await rig.pay(started)
    for session in ("", started.session):
        assert (await rig.provider.begin(replace(ASKED, session=session))).address == ASKED.success


async def test_a_refused_card_may_be_followed_by_another(make: Make) -> None:
    rig = await make()
    started = await rig.provider.begin(ASKED)
    rig.fake.decline(opened(started))
    desk = NotingDesk()
    assert await rig.provider.look(pending(rig, started.session), desk) is Progress.OPEN
    assert await rig.provider.begin(ASKED) == started
    assert not desk.reports


async def test_a_lost_session_is_found_among_many(make: Make) -> None:
    rig = await make()
    started = await rig.provider.begin(ASKED)
    for _ in range(70):
        rig.fake.begin_another(started.session)
    await rig.pay(started)
    desk = NotingDesk()
    assert await rig.provider.look(pending(rig), desk) is Progress.CLOSED
    assert [report.reference for report in desk.payments] == [ASKED.reference]


async def test_a_payment_of_another_system_is_left_alone(make: Make) -> None:
    rig = await make()
    started = await rig.provider.begin(replace(ASKED, renews=MONTHLY))
    rig.fake.transactions[started.session]["custom_data"] = {"order": 17}
    desk = NotingDesk()
    await deliver(rig, await rig.pay(started) + await rig.refund(started.session), desk)
    assert not desk.reports


async def test_a_renewal_that_does_not_say_whose_it_is_is_asked_about(make: Make) -> None:
    rig = await make()
    started = await rig.provider.begin(replace(ASKED, renews=MONTHLY))
    await rig.pay(started)
    desk = NotingDesk()
    *_, renewal = await rig.renew(started)
    body = renewal.body.replace(b'"custom_data": {"reference": "abc-123.DEF_456"}', b'"custom_data": null')
    assert body != renewal.body
    await deliver(rig, [rig.sign(renewal, body)], desk)
    assert desk.payments[0].reference == ASKED.reference


async def test_a_refund_waits_for_paddle(make: Make) -> None:
    rig = await make()
    started = await rig.provider.begin(ASKED)
    await rig.pay(started)
    whole = Money(2_280, "USD")
    for _ in range(2):
        assert await rig.paddle.refund(ASKED.reference, started.session, whole, "claim") is None
    assert len(rig.fake.adjustments) == 1
    desk = NotingDesk()
    await deliver(rig, rig.fake.sent, desk)
    assert not desk.reports
    await deliver(rig, rig.fake.decide(), desk)
    assert desk.refunds[0].is_whole
    assert await rig.paddle.refund(ASKED.reference, started.session, whole, "claim") == desk.refunds[0]


async def test_a_refund_that_paddle_rejected_can_be_asked_for_again(make: Make) -> None:
    rig = await make()
    started = await rig.provider.begin(ASKED)
    await rig.pay(started)
    await rig.paddle.refund(ASKED.reference, started.session, Money(100, "USD"), "claim")
    desk = NotingDesk()
    await deliver(rig, rig.fake.decide("rejected"), desk)
    assert not desk.reports
    assert await rig.paddle.refund(ASKED.reference, started.session, Money(100, "USD"), "claim") is None
    await deliver(rig, rig.fake.decide(), desk)
    assert len(desk.refunds) == 1
    assert await rig.paddle.refund(ASKED.reference, started.session, Money(100, "USD"), "claim") == desk.refunds[0]
    assert rig.given_back(started.session) == Money(100, "USD")


async def test_one_operation_is_one_refund_though_it_is_asked_for_at_once(make: Make) -> None:
    rig = await make()
    started = await rig.provider.begin(ASKED)
    await rig.pay(started)
    asking = (rig.paddle.refund(ASKED.reference, started.session, Money(100, "USD"), "claim") for _ in range(5))
    assert await asyncio.gather(*asking) == [None] * 5
    assert len(rig.fake.adjustments) == 1
    with pytest.raises(RefundRefused, match="pending"):
        await rig.paddle.refund(ASKED.reference, started.session, Money(100, "USD"), "another claim")


async def test_a_dispute_that_was_won_is_told_to_the_operator(make: Make) -> None:
    rig = await make()
    started = await rig.provider.begin(ASKED)
    await rig.pay(started)
    of = rig.fake.transactions[started.session]
    made = rig.fake.give_back(of, 2_280, "chargeback_reverse", "won", "approved")
    assert made is not None
    desk = NotingDesk()
    await deliver(rig, [rig.fake.event("adjustment.created", made)], desk)
    assert not desk.reports
    assert started.session in rig.host.lines[-1]


async def test_what_is_refused_is_told_to_the_operator(make: Make) -> None:
    rig = await make()
    rig.fake.complaint = "A default payment link is needed"
    with pytest.raises(ProviderUnavailable):
        await rig.provider.begin(ASKED)
    assert "A default payment link is needed" in rig.host.lines[-1]


def visited(started: Started, query: str | None = None) -> ProviderRequest:
    parts = urlsplit(started.address)
    return ProviderRequest("GET", parts.path.rpartition("/")[2], parts.query if query is None else query, [], b"")


async def test_the_page_opens_paddle_s_checkout(make: Make) -> None:
    rig = await make()
    started = await rig.provider.begin(ASKED)
    page = await rig.provider.answer(visited(started), NotingDesk())
    told = dict(re.findall(r'data-([a-z]+)="([^"]*)"', page.body.decode()))
    assert {name: html.unescape(value) for name, value in told.items()} == {
        "token": "test_fake", "test": "yes", "transaction": started.session, "done": ASKED.success, "locale": "pt",
    }  # fmt: skip
    assert html.escape(ASKED.cancel).encode() in page.body
    assert page.origins == (rig.fake.address,)
    script = await rig.provider.answer(ProviderRequest("GET", "pay.js", "", [], b""), NotingDesk())
    assert b"Paddle.Checkout.open" in script.body


async def test_the_page_is_in_the_language_of_whoever_pays(make: Make) -> None:
    rig = await make()
    for locale, spoken, paddles in (("de-AT", "de", "de"), ("id", "id", ""), ("zh-Hant-TW", "en", "zh-Hans")):
        started = await rig.provider.begin(replace(ASKED, reference=locale, locale=locale))
        page = await rig.provider.answer(visited(started), NotingDesk())
        assert dict(page.headers)[b"content-language"] == spoken.encode()
        assert f'data-locale="{paddles}"'.encode() in page.body
        assert (b"Turn back" in page.body) is (spoken == "en")


async def test_a_page_that_leads_elsewhere_is_not_shown(make: Make) -> None:
    rig = await make()
    started = await rig.provider.begin(ASKED)
    query = urlsplit(started.address).query
    for altered in (query.replace("paid", "evil"), query[:-1], "", "transaction=txn_1&done=//evil.example&tag="):
        with pytest.raises(WebhookRejected, match="not made by this gateway"):
            await rig.provider.answer(visited(started, altered), NotingDesk())


async def test_a_link_of_paddle_s_own_mails_is_shown_and_leads_home(make: Make) -> None:
    rig = await make()
    started = await rig.provider.begin(ASKED)
    query = f"_ptxn={started.session}&done=//evil.example&back=//evil.example"
    page = await rig.provider.answer(visited(started, query), NotingDesk())
    assert b"evil" not in page.body
    assert b'data-done="/_paywall/me"' in page.body


@pytest.mark.parametrize(
    ("mixed", "said"),
    [
        ({"test": False, "client_token": "live_fake"}, "api_key"),
        ({"client_token": "live_fake"}, "client_token"),
    ],
)
async def test_keys_of_two_modes_do_not_start(make: Make, mixed: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        await make(**mixed)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"api_base": "http://api.paddle.com"}, "no address of an API"),
        ({"api_key": "pdl_live_apikey_x"}, "Secret"),
        ({"client_token": "pdl_live_apikey_x"}, "pattern"),
        ({"webhook_secrets": []}, "at least 1"),
        ({"webhook_secrets": [SECRETS[0]]}, "Secret"),
        ({"prices": {"pro": "pro_01"}}, "pattern"),
        ({"tax_mode": "none"}, "account_setting"),
    ],
)
def test_settings_say_what_is_wrong(wrong: dict[str, Any], said: str) -> None:
    good = {"api_key": {"env": "KEY"}, "client_token": "live_a", "webhook_secrets": [{"env": "SECRET"}]}
    with pytest.raises(ValidationError, match=said):
        plugin.settings.model_validate({**good, **wrong})
