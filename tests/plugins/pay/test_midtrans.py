"""Midtrans, beyond what every provider promises: orders that are taken once, signatures that cover little, rupiah."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from gateway.core.money import Money
from gateway.ports.payment import CheckoutRequest, Pending, Progress, ProviderUnavailable, RefundRefused
from gateway.testing.desk import NotingDesk
from gateway.testing.payment_promises import deliver, rejected
from gateway.testing.payment_provider import HostedContract, SignedContract
from gateway.testing.payment_refunds import RefundingContract
from gateway.testing.payment_rig import SignedRig
from gateway_pay_midtrans import plugin
from tests.plugins.pay.midtrans_fake import KEY, signature
from tests.plugins.pay.midtrans_rig import ENVIRONMENT, MidtransRig, notified, token_of

Make = Callable[..., Awaitable[MidtransRig]]

ASKED = CheckoutRequest(
    reference="abc-123.DEF_456",
    amount=Money(5_000_000, "IDR"),
    title="Laporan | tahunan",
    success="https://example.com/paid?checkout=1",
    cancel="https://example.com/offer",
    mail="budi@example.com",
)


@pytest.fixture
async def make(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Make]:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    made: list[MidtransRig] = []

    async def start(**more: Any) -> MidtransRig:
        rig = MidtransRig(**more)
        made.append(rig)
        await rig.start()
        return rig

    yield start
    for rig in made:
        await rig.stop()


class TestMidtrans(HostedContract, SignedContract, RefundingContract):
    @pytest.fixture
    async def rig(self, make: Make) -> MidtransRig:
        return await make()

    async def test_an_altered_body_is_rejected(self, rig: SignedRig) -> None:
        """The signature covers three fields. The others may say what they like: Midtrans is asked."""
        true = await self._report(rig)
        told = json.loads(true.body)
        for name in ("order_id", "status_code", "gross_amount", "signature_key"):
            for other in (told[name][:-1], told[name] + "0", "", told[name].swapcase() + "x"):
                await rejected(rig, replace(true, body=json.dumps({**told, name: other}).encode()), f"another {name}")
        for cut in (0, 1, len(true.body) // 2, len(true.body) - 1):
            await rejected(rig, replace(true, body=true.body[:cut]), f"cut after {cut} bytes")
        lies = {"transaction_id": "another", "transaction_status": "refund", "custom_field1": "x", "refunds": [{}]}
        desk, honest = NotingDesk(), NotingDesk()
        await deliver(rig, [true], honest)
        for name, lie in lies.items():
            await deliver(rig, [replace(true, body=json.dumps({**told, name: lie}).encode())], desk)
        assert set(desk.reports) == set(honest.reports)


async def chosen(rig: MidtransRig, way: str, status: str, **more: Any) -> dict[str, Any]:
    """The notification of an order that was begun, and paid in this way, and is so now."""
    notice = rig.fake.choose(token_of(await rig.provider.begin(ASKED)), way)
    assert notice is not None
    rig.fake.orders[notice["order_id"]].update(more)
    return rig.fake.become(notice["order_id"], status)


def pending(rig: MidtransRig, session: str = "") -> Pending:
    return Pending(ASKED.reference, session, ASKED.amount, rig.host.now())


async def test_once_stopped_it_is_unavailable(make: Make) -> None:
    """A new config has taken its place, and a last request comes to the old one."""
    rig = await make()
    await rig.provider.stop()
    with pytest.raises(ProviderUnavailable):
        await rig.provider.begin(ASKED)


async def test_what_is_asked_for(make: Make) -> None:
    rig = await make()
    started = await rig.provider.begin(ASKED)
    [asked] = rig.fake.asked
    assert asked["transaction_details"]["gross_amount"] == 50_000
    assert asked["item_details"] == [{"id": "plan", "price": 50_000, "quantity": 1, "name": "Laporan / tahunan"}]
    assert asked["custom_field1"] == ASKED.reference
    assert asked["callbacks"] == {"finish": ASKED.success}
    assert asked["customer_details"] == {"email": "budi@example.com"}
    assert ASKED.reference not in started.session


@pytest.mark.parametrize("status", ["expire", "cancel", "failure", "deny"])
async def test_an_order_that_ended_is_not_followed_by_another_of_the_same_checkout(make: Make, status: str) -> None:
    """The gateway is sent to ask what became of it, hears that it failed, and opens another checkout."""
    rig = await make()
    await chosen(rig, "qris", status)
    assert (await rig.provider.begin(ASKED)).address == ASKED.success
    desk = NotingDesk()
    assert await rig.provider.look(pending(rig), desk) is Progress.CLOSED
    assert [report.reference for report in desk.failures] == [ASKED.reference]
    assert len(desk.reports) == 1
    assert rig.payable(ASKED.reference) == 0


async def test_an_order_that_waits_for_its_money_is_shown_again(make: Make) -> None:
    rig = await make()
    first = await rig.provider.begin(ASKED)
    await rig.process(first)
    assert await rig.provider.begin(replace(ASKED, session=first.session)) == first
    assert (await rig.provider.begin(ASKED)).address == ASKED.success, "its page is not known"
    assert rig.payable(ASKED.reference) == 1


async def test_whoever_says_to_have_paid_is_not_asked_again(make: Make) -> None:
    rig = await make()
    await rig.process(await rig.provider.begin(ASKED))
    returned = replace(pending(rig), returned=True)
    assert await rig.provider.look(returned, NotingDesk()) is Progress.PROCESSING
    assert await rig.provider.look(pending(rig), NotingDesk()) is Progress.OPEN


async def test_where_an_order_gets_one_page_alone_it_is_shown_again(make: Make) -> None:
    """Should Snap take an order for taken as soon as it has a page."""
    rig = await make()
    first = await rig.provider.begin(ASKED)
    rig.fake.complaint = "transaction_details.order_id has already been taken"
    assert await rig.provider.begin(replace(ASKED, session=first.session)) == first
    with pytest.raises(ProviderUnavailable):
        await rig.provider.begin(ASKED)


async def test_whoever_has_paid_is_not_sent_to_pay(make: Make) -> None:
    rig = await make()
    await rig.pay(await rig.provider.begin(ASKED))
    assert (await rig.provider.begin(ASKED)).address == ASKED.success


async def test_a_refused_card_may_be_followed_by_another_on_the_same_page(make: Make) -> None:
    rig = await make()
    desk = NotingDesk()
    started = await rig.provider.begin(ASKED)
    notice = rig.fake.choose(token_of(started), "credit_card")
    assert notice is not None
    await deliver(rig, [notified(rig.fake.become(notice["order_id"], "deny"))], desk)
    assert not desk.reports
    await deliver(rig, await rig.pay(started), desk)
    assert len(set(desk.payments)) == 1
    looked = NotingDesk()
    assert await rig.provider.look(pending(rig), looked) is Progress.CLOSED
    assert looked.payments == desk.payments[:1]


async def test_a_card_s_payment_that_may_be_fraud_has_to_wait(make: Make) -> None:
    rig = await make()
    desk = NotingDesk()
    notice = await chosen(rig, "credit_card", "capture", fraud_status="challenge")
    await deliver(rig, [notified(notice)], desk)
    assert await rig.provider.look(pending(rig), desk) is Progress.PROCESSING
    assert not desk.reports
    rig.fake.orders[notice["order_id"]]["fraud_status"] = "accept"
    await deliver(rig, [notified(rig.fake.notice(notice["order_id"]))], desk)
    assert len(desk.payments) == 1


async def test_the_dashboard_s_button_to_try_it_out_succeeds(make: Make) -> None:
    rig = await make()
    desk = NotingDesk()
    order = "payment_notif_test_G141532850_7d69bcb8"
    told = {"order_id": order, "status_code": "200", "gross_amount": "105000.00", "transaction_status": "settlement"}
    tried = {**told, "signature_key": signature(order, "200", "105000.00", KEY)}
    assert (await rig.provider.answer(notified(tried), desk)).status == 200
    await rejected(rig, notified({**tried, "order_id": order + "x"}), "not signed")
    assert not desk.reports


async def test_captured_and_settled_is_one_payment(make: Make) -> None:
    rig = await make()
    desk = NotingDesk()
    notice = await chosen(rig, "credit_card", "capture")
    await deliver(rig, [notified(notice)], desk)
    await deliver(rig, [notified(rig.fake.become(notice["order_id"], "settlement"))], desk)
    assert desk.payments[0] == desk.payments[1]


@pytest.mark.parametrize(("way", "status"), [("credit_card", "cancel"), ("echannel", "deny")])
async def test_a_payment_that_was_undone_has_gone_back(make: Make, way: str, status: str) -> None:
    """A card's before it was settled; a bank's that was reversed minutes later."""
    rig = await make()
    desk = NotingDesk()
    notice = await chosen(rig, way, "settlement")
    await deliver(rig, [notified(notice)], desk)
    await deliver(rig, [notified(rig.fake.become(notice["order_id"], status))], desk)
    [back] = desk.refunds
    assert back.payment == desk.payments[0].settlement.payment
    assert back.is_whole
    assert back.amount == ASKED.amount


async def test_before_it_is_settled_a_card_s_payment_goes_back_as_a_whole(make: Make) -> None:
    rig = await make()
    notice = await chosen(rig, "credit_card", "capture")
    payment = notice["transaction_id"]
    with pytest.raises(RefundRefused):
        await rig.refunder.refund(ASKED.reference, payment, Money(100, "IDR"), "a part")
    report = await rig.refunder.refund(ASKED.reference, payment, ASKED.amount, "all")
    assert report is not None
    assert report.is_whole
    assert await rig.refunder.refund(ASKED.reference, payment, ASKED.amount, "all") == report


async def test_a_reference_that_does_not_come_back_is_no_loss(make: Make) -> None:
    """Not every way to pay tells `custom_field1` when it is asked; the notification's is checked by the order's id."""
    rig = await make()
    rig.fake.forgets_custom_fields = True
    started = await rig.provider.begin(ASKED)
    *_, request = await rig.pay(started)
    told = json.loads(request.body)
    desk = NotingDesk()
    await rig.provider.answer(replace(request, body=json.dumps({**told, "custom_field1": "another"}).encode()), desk)
    assert not desk.reports
    told["custom_field1"] = ASKED.reference
    await rig.provider.answer(replace(request, body=json.dumps(told).encode()), desk)
    assert desk.payments[0].reference == ASKED.reference


@pytest.mark.parametrize("price", [Money(5_000_050, "IDR"), Money(1_900, "USD")])
async def test_what_are_no_whole_rupiah_is_told_to_the_operator(make: Make, price: Money) -> None:
    rig = await make()
    with pytest.raises(ProviderUnavailable):
        await rig.provider.begin(replace(ASKED, amount=price))
    assert str(price) in rig.host.lines[-1]
    with pytest.raises(RefundRefused, match="rupiah"):
        await rig.refunder.refund(ASKED.reference, "a-payment", price, "operation")
    assert not rig.fake.asked


async def test_what_is_refused_is_told_to_the_operator(make: Make) -> None:
    rig = await make()
    rig.fake.complaint = "No payment channels are active"
    with pytest.raises(ProviderUnavailable):
        await rig.provider.begin(ASKED)
    assert "No payment channels are active" in rig.host.lines[-1]


async def test_a_part_that_the_bank_took_is_told_to_the_operator(make: Make) -> None:
    rig = await make()
    desk = NotingDesk()
    notice = await chosen(rig, "credit_card", "partial_chargeback")
    await deliver(rig, [notified(notice)], desk)
    assert notice["order_id"] in rig.host.lines[-1]
    assert len(desk.reports) == 1


async def test_a_key_of_the_sandbox_is_not_taken_for_a_real_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIDTRANS_KEY", KEY)
    rig = MidtransRig(test=False, former_server_keys=[])
    try:
        with pytest.raises(ValueError, match="test: true"):
            await rig.start()
    finally:
        await rig.stop()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"api_base": "http://api.midtrans.com"}, "no address of an API"),
        ({"server_key": "Mid-server-abc"}, "Secret"),
        ({"former_server_keys": ["Mid-server-abc"]}, "Secret"),
    ],
)
def test_settings_say_what_is_wrong(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        plugin.settings.model_validate({"server_key": {"env": "KEY"}, **wrong})
