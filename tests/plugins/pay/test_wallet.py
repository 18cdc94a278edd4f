"""Paying out of the wallet: the page says what is left, and nothing is taken that is not there."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.core.money import Money
from gateway.core.quantity import DAY
from gateway.ports.cashbook import CheckoutStatus, SettleOutcome
from gateway.ports.payment import KnownCheckout, Pending, Progress, Refunding, RefundRefused, WebhookRejected
from gateway.testing.desk import NotingDesk
from gateway.testing.payment_promises import REFERENCE, a_checkout
from gateway.testing.payment_provider import PaymentProviderContract
from gateway_pay_wallet import plugin
from tests.plugins.pay.pages import OwnPageRig, leads_to, text

PRICE = OwnPageRig.prices[0]


@pytest.fixture
async def rig() -> OwnPageRig:
    return OwnPageRig(plugin, {}, "pay")


class TestContract(PaymentProviderContract):
    @pytest.fixture
    def rig(self) -> Any:
        return OwnPageRig(plugin, {}, "pay")


async def test_the_page_says_what_is_there_and_what_is_left(rig: OwnPageRig) -> None:
    started = await rig.provider.begin(a_checkout(rig, title="Pro <b>"))
    page = text(await rig.provider.answer(rig.asked(started), NotingDesk(balance=Money(5_000, "EUR"))))
    for said in ("Pro &lt;b&gt;", "19.00 EUR", "50.00 EUR", "31.00 EUR", 'value="pay"'):
        assert said in page


@pytest.mark.parametrize(("minor", "missing"), [(1_899, "0.01 EUR"), (0, "19.00 EUR")])
async def test_too_little_is_said_before_and_there_is_nothing_to_press(
    rig: OwnPageRig, minor: int, missing: str
) -> None:
    started = await rig.provider.begin(a_checkout(rig))
    page = text(await rig.provider.answer(rig.asked(started), NotingDesk(balance=Money(minor, "EUR"))))
    assert f"{missing} too little" in page and "/_paywall/offer?route=a" in page
    assert "<button" not in page and "Left after it" not in page


async def test_exactly_enough_is_enough(rig: OwnPageRig) -> None:
    started = await rig.provider.begin(a_checkout(rig))
    page = text(await rig.provider.answer(rig.asked(started), NotingDesk(balance=PRICE)))
    assert "<button" in page and "0.00 EUR" in page


async def test_it_is_taken_out_of_the_wallet_under_one_id(rig: OwnPageRig) -> None:
    started, desk = await rig.provider.begin(a_checkout(rig)), NotingDesk(balance=PRICE)
    for request in await rig.pay(started) * 2:
        assert leads_to(await rig.provider.answer(request, desk)) == "/_paywall/paid?checkout=1"
    first, again = desk.payments
    assert first == again and first.settlement.from_wallet and first.settlement.amount == PRICE


async def test_a_wallet_that_was_emptied_meanwhile_is_told_of(rig: OwnPageRig) -> None:
    started = await rig.provider.begin(a_checkout(rig))
    desk = NotingDesk(SettleOutcome.INSUFFICIENT, Money(400, "EUR"))
    (request,) = await rig.pay(started)
    answer = await rig.provider.answer(request, desk)
    assert answer.status == 409 and "15.00 EUR too little for this. Nothing was taken." in text(answer)


@pytest.mark.parametrize("outcome", SettleOutcome)
async def test_whatever_comes_of_it_leads_somewhere(rig: OwnPageRig, outcome: SettleOutcome) -> None:
    started = await rig.provider.begin(a_checkout(rig))
    (request,) = await rig.pay(started)
    answer = await rig.provider.answer(request, NotingDesk(outcome))
    assert leads_to(answer) or (answer.status == 409 and "/_paywall/offer?route=a" in text(answer))


async def test_what_is_paid_is_not_asked_for_again(rig: OwnPageRig) -> None:
    started, desk = await rig.provider.begin(a_checkout(rig)), NotingDesk(balance=PRICE)
    desk.known = KnownCheckout(CheckoutStatus.PAID, PRICE)
    page = text(await rig.provider.answer(rig.asked(started), desk))
    assert "It is paid." in page and "<button" not in page


async def test_a_checkout_that_is_gone_is_said_to_be_gone(rig: OwnPageRig) -> None:
    started = await rig.provider.begin(a_checkout(rig))
    answer = await rig.provider.answer(rig.asked(started), NotingDesk(balance=None))
    assert answer.status == 409 and "Nothing was taken." in text(answer)


async def test_an_old_address_shows_no_balance_and_spends_nothing(rig: OwnPageRig) -> None:
    started, desk = await rig.provider.begin(a_checkout(rig)), NotingDesk(balance=PRICE)
    rig.host.pass_time(DAY)
    assert (await rig.provider.answer(rig.asked(started), desk)).status == 200
    rig.host.pass_time(1)
    for request in (rig.asked(started), *await rig.pay(started)):
        answer = await rig.provider.answer(request, desk)
        assert answer.status == 410 and "In your wallet" not in text(answer)
    assert not desk.reports
    again = await rig.provider.begin(a_checkout(rig))
    assert (await rig.provider.answer(rig.asked(again), desk)).status == 200


@pytest.mark.parametrize("body", [b"", b"choice=", b"choice=pay&choice=pay", b"choice=refuse", b"\xff"])
async def test_only_its_button_pays(rig: OwnPageRig, body: bytes) -> None:
    started, desk = await rig.provider.begin(a_checkout(rig)), NotingDesk(balance=PRICE)
    with pytest.raises(WebhookRejected):
        await rig.provider.answer(rig.pressed(rig.asked(started).query, body), desk)
    assert not desk.reports


async def test_money_goes_back_whole_or_in_part_and_never_more(rig: OwnPageRig) -> None:
    desk = NotingDesk(balance=PRICE)
    (request,) = await rig.pay(await rig.provider.begin(a_checkout(rig)))
    await rig.provider.answer(request, desk)
    payment = desk.payments[0].settlement.payment
    assert isinstance(rig.provider, Refunding)
    for minor, whole in ((1_900, True), (900, False)):
        report = await rig.provider.refund(REFERENCE, payment, Money(minor, "EUR"), f"operation {minor}")
        assert report == await rig.provider.refund(REFERENCE, payment, Money(minor, "EUR"), f"operation {minor}")
        assert report is not None
        assert (report.payment, report.amount.minor, report.is_whole) == (payment, minor, whole)
    for named, minor in ((payment, 1_901), ("never-paid", 1)):
        with pytest.raises(RefundRefused):
            await rig.provider.refund(REFERENCE, named, Money(minor, "EUR"), "operation")


async def test_nothing_is_ever_on_its_way(rig: OwnPageRig) -> None:
    assert await rig.provider.look(Pending(REFERENCE, "", PRICE, 0), NotingDesk()) is Progress.OPEN
