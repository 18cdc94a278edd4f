"""YooKassa, beyond what every provider promises: cancelled payments, forgotten keys, receipts, and notifications that
prove nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from gateway.core.money import Money
from gateway.ports.payment import (
    CheckoutRequest,
    Pending,
    Progress,
    ProviderUnavailable,
    RefundRefused,
    WebhookRejected,
)
from gateway.testing.desk import NotingDesk
from gateway.testing.payment_provider import HostedContract
from gateway.testing.payment_refunds import RefundingContract
from gateway_pay_yookassa import plugin
from tests.plugins.pay.yookassa_fake import DAY_MS, SHOP
from tests.plugins.pay.yookassa_rig import ENVIRONMENT, YooKassaRig, notified

Make = Callable[..., Awaitable[YooKassaRig]]

ASKED = CheckoutRequest(
    reference="abc-123.DEF_456",
    amount=Money(49_900, "RUB"),
    title="Отчёт за год",
    success="https://example.com/paid?checkout=1",
    cancel="https://example.com/offer",
    locale="ru-RU",
)


class TestYooKassa(HostedContract, RefundingContract):
    @pytest.fixture
    async def rig(self, make: Make) -> YooKassaRig:
        return await make()


@pytest.fixture
async def make(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Make]:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    made: list[YooKassaRig] = []

    async def start(**more: Any) -> YooKassaRig:
        rig = YooKassaRig(**more)
        made.append(rig)
        await rig.start()
        return rig

    yield start
    for rig in made:
        await rig.stop()


def pending(rig: YooKassaRig, session: str = "") -> Pending:
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
    made = rig.fake.payments[started.session]
    assert made["amount"] == {"value": "499.00", "currency": "RUB"}
    assert made["metadata"] == {"reference": ASKED.reference}
    assert made["description"] == "Отчёт за год"
    assert started.address.startswith(rig.provider.form_origins[-1])


async def test_a_cancelled_payment_is_not_followed_by_another_of_the_same_checkout(make: Make) -> None:
    """The gateway is sent to ask what became of it, hears that it failed, and opens another checkout."""
    rig = await make()
    first = await rig.provider.begin(ASKED)
    await rig.fail(first)
    for session in ("", first.session):
        again = await rig.provider.begin(replace(ASKED, session=session))
        assert again == replace(first, address=ASKED.success)
    assert rig.payable(ASKED.reference) == 0


async def test_whoever_says_to_have_paid_is_not_asked_again(make: Make) -> None:
    rig = await make()
    started = await rig.provider.begin(ASKED)
    returned = replace(pending(rig, started.session), returned=True)
    assert await rig.provider.look(returned, NotingDesk()) is Progress.OPEN, "no way to pay was chosen"
    await rig.process(started)
    assert await rig.provider.look(returned, NotingDesk()) is Progress.PROCESSING
    assert await rig.provider.look(pending(rig, started.session), NotingDesk()) is Progress.OPEN
    assert await rig.provider.begin(ASKED) == started


async def test_money_that_is_only_reserved_is_being_paid(make: Make) -> None:
    rig = await make()
    started = await rig.provider.begin(ASKED)
    rig.fake.payments[started.session]["status"] = "waiting_for_capture"
    assert await rig.provider.look(pending(rig, started.session), NotingDesk()) is Progress.PROCESSING


async def test_the_session_is_known_longer_than_the_idempotence_key(make: Make) -> None:
    rig = await make()
    first = await rig.provider.begin(ASKED)
    rig.host.pass_time(2 * DAY_MS)
    assert await rig.provider.begin(replace(ASKED, session=first.session)) == first
    assert rig.payable(ASKED.reference) == 1


async def test_a_session_of_another_shop_is_no_obstacle(make: Make) -> None:
    rig = await make()
    started = await rig.provider.begin(replace(ASKED, session="2f3b588d-000f-5000-8000-1d6e87c7fbde"))
    assert rig.payable(ASKED.reference) == 1
    assert started.session in rig.fake.payments


async def test_another_language_leads_to_the_same_payment(make: Make) -> None:
    """YooKassa refuses a key that comes again with another content."""
    rig = await make()
    first = await rig.provider.begin(ASKED)
    assert await rig.provider.begin(replace(ASKED, locale="en")) == first
    assert rig.payable(ASKED.reference) == 1


async def test_whoever_has_paid_is_not_sent_to_pay(make: Make) -> None:
    rig = await make()
    await rig.pay(await rig.provider.begin(ASKED))
    assert (await rig.provider.begin(ASKED)).address == ASKED.success


async def test_play_money_does_not_pay(make: Make) -> None:
    rig = await make(is_test_shop=True)
    with pytest.raises(ProviderUnavailable, match="play money"):
        await rig.provider.begin(ASKED)
    made = rig.fake.of_reference(ASKED.reference)[0]
    desk = NotingDesk()
    with pytest.raises(WebhookRejected, match="play money"):
        await rig.provider.answer(notified(rig.fake.pay(made["id"])), desk)
    with pytest.raises(ProviderUnavailable, match="play money"):
        await rig.provider.look(pending(rig, made["id"]), desk)
    assert not desk.reports


async def test_a_test_shop_takes_nothing_else_but_play_money(make: Make) -> None:
    rig = await make(test=True)
    with pytest.raises(ProviderUnavailable, match="real money"):
        await rig.provider.begin(ASKED)
    play = await make(test=True, is_test_shop=True)
    desk = NotingDesk()
    for request in await play.pay(await play.provider.begin(ASKED)):
        await play.provider.answer(request, desk)
    assert len(desk.payments) == 1


async def test_a_payment_of_another_system_is_left_alone(make: Make) -> None:
    rig = await make()
    started = await rig.provider.begin(ASKED)
    rig.fake.payments[started.session]["metadata"] = {"order": "17"}
    desk = NotingDesk()
    for request in await rig.pay(started) + await rig.refund(started.session):
        assert (await rig.provider.answer(request, desk)).status == 200
    assert not desk.reports


async def test_what_the_notification_says_of_the_payment_is_not_believed(make: Make) -> None:
    rig = await make()
    [request] = await rig.pay(await rig.provider.begin(ASKED))
    dearer = request.body.replace(b"499.00", b"9.00").replace(ASKED.reference.encode(), b"somebody-else")
    assert dearer != request.body
    desk = NotingDesk()
    await rig.provider.answer(replace(request, body=dearer), desk)
    assert desk.payments[0].reference == ASKED.reference
    assert desk.payments[0].settlement.amount == ASKED.amount


async def test_without_a_word_strangers_may_ask_but_not_lie(make: Make) -> None:
    rig = await make(webhook_token=None)
    started = await rig.provider.begin(ASKED)
    desk = NotingDesk()
    open_one = rig.fake.notice("payment.succeeded", rig.fake.payments[started.session])
    with pytest.raises(WebhookRejected, match="pending"):
        await rig.provider.answer(notified(open_one, token=""), desk)
    await rig.provider.answer(notified(rig.fake.pay(started.session), token=""), desk)
    assert len(desk.payments) == 1


@pytest.mark.parametrize("others", [0, 250])
async def test_a_checkout_whose_session_was_lost_is_found(make: Make, others: int) -> None:
    rig = await make()
    started = await rig.provider.begin(ASKED)
    for number in range(others):
        rig.fake.payments[f"other-{number}"] = {
            **rig.fake.payments[started.session], "id": f"other-{number}", "metadata": {},
        }  # fmt: skip
    desk = NotingDesk()
    assert await rig.provider.look(pending(rig), desk) is Progress.OPEN
    await rig.pay(started)
    assert await rig.provider.look(pending(rig), desk) is Progress.CLOSED
    assert [report.reference for report in desk.payments] == [ASKED.reference]


async def test_a_checkout_that_never_reached_yookassa_is_open(make: Make) -> None:
    rig = await make()
    assert await rig.provider.look(pending(rig), NotingDesk()) is Progress.OPEN


async def test_looking_tells_of_refunds_too(make: Make) -> None:
    rig = await make()
    started = await rig.provider.begin(ASKED)
    await rig.pay(started)
    await rig.refund(started.session, Money(9_900, "RUB"))
    await rig.refund(started.session)
    desk = NotingDesk()
    assert await rig.provider.look(pending(rig, started.session), desk) is Progress.CLOSED
    assert sorted(refund.amount.minor for refund in desk.refunds) == [9_900, 40_000]
    assert all(refund.is_whole for refund in desk.refunds)


async def test_a_refund_is_made_once_though_its_key_was_forgotten(make: Make) -> None:
    rig = await make()
    started = await rig.provider.begin(ASKED)
    await rig.pay(started)
    part = Money(9_900, "RUB")
    first = await rig.refunder.refund(ASKED.reference, started.session, part, "claim-1")
    rig.host.pass_time(2 * DAY_MS)
    again = await rig.refunder.refund(ASKED.reference, started.session, part, "claim-1")
    assert first is not None
    assert again == first
    assert rig.given_back(started.session) == part
    other = await rig.refunder.refund(ASKED.reference, started.session, part, "claim-2")
    assert other is not None
    assert other.refund != first.refund


async def test_a_refund_on_its_way_is_reported_later(make: Make) -> None:
    rig = await make()
    started = await rig.provider.begin(ASKED)
    await rig.pay(started)
    rig.fake.refund_ends = "pending"
    assert await rig.refunder.refund(ASKED.reference, started.session, ASKED.amount, "claim-1") is None
    [made] = rig.fake.refunds
    desk = NotingDesk()
    with pytest.raises(WebhookRejected, match="pending"):
        await rig.provider.answer(notified(rig.fake.notice("refund.succeeded", rig.fake.refunds[made])), desk)
    await rig.provider.answer(notified(rig.fake.finish_refund(made)), desk)
    assert [(refund.refund, refund.is_whole) for refund in desk.refunds] == [(made, True)]


async def test_a_refund_that_failed_can_be_tried_again(make: Make) -> None:
    rig = await make()
    started = await rig.provider.begin(ASKED)
    await rig.pay(started)
    rig.fake.refund_ends = "canceled"
    with pytest.raises(RefundRefused, match="insufficient_funds"):
        await rig.refunder.refund(ASKED.reference, started.session, ASKED.amount, "claim-1")
    rig.fake.refund_ends = "succeeded"
    reports = [await rig.refunder.refund(ASKED.reference, started.session, ASKED.amount, "claim-1") for _ in range(2)]
    assert reports[0] is not None
    assert reports[0].is_whole
    assert reports[1] == reports[0]
    assert rig.given_back(started.session) == ASKED.amount


RECEIPT = {"mail": "receipts@example.com", "vat_code": 4, "tax_system_code": 2}


async def test_receipts_are_asked_for_where_they_are_set_up(make: Make) -> None:
    rig = await make(receipt=RECEIPT)
    asked = rig.fake.asked
    started = await rig.provider.begin(replace(ASKED, mail="payer@example.com", title="П" * 200))
    assert asked[-1]["receipt"] == {
        "customer": {"email": "payer@example.com"},
        "tax_system_code": 2,
        "items": [
            {
                "description": "П" * 127 + "…", "quantity": "1.00", "amount": {"value": "499.00", "currency": "RUB"},
                "vat_code": 4, "payment_subject": "service", "payment_mode": "full_payment",
            }
        ],
    }  # fmt: skip
    await rig.pay(started)
    await rig.refunder.refund(ASKED.reference, started.session, Money(100, "RUB"), "a part")
    assert asked[-1]["receipt"]["customer"] == {"email": "receipts@example.com"}
    await rig.provider.begin(replace(ASKED, reference="another"))
    assert asked[-1]["receipt"]["customer"] == {"email": "receipts@example.com"}


async def test_no_receipt_is_asked_for_elsewhere(make: Make) -> None:
    rig = await make()
    await rig.provider.begin(ASKED)
    assert "receipt" not in rig.fake.asked[-1]


async def test_what_is_refused_is_told_to_the_operator(make: Make) -> None:
    rig = await make(receipt=RECEIPT)
    rig.fake.complaint = "Receipts are not set up for this shop"
    with pytest.raises(ProviderUnavailable):
        await rig.provider.begin(ASKED)
    assert "Receipts are not set up" in rig.host.lines[-1]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"api_base": "http://api.yookassa.ru/v3"}, "no address of an API"),
        ({"shop_id": "shop"}, "pattern"),
        ({"secret_key": "live_abc"}, "Secret"),
        ({"receipt": {"vat_code": 1}}, "mail"),
        ({"receipt": {"mail": "a@example.com", "vat_code": 13}}, "less than or equal to 12"),
    ],
)
def test_settings_say_what_is_wrong(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        plugin.settings.model_validate({"shop_id": SHOP, "secret_key": {"env": "KEY"}, **wrong})
