"""What Stripe is asked for, and what becomes of it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import stripe
from pydantic import ValidationError

from gateway.core.money import Money
from gateway.core.quantity import DAY, HOUR
from gateway.core.rule import PeriodUnit, Renewal
from gateway.ports.payment import CheckoutEnded, Pending, Progress, ProviderUnavailable, RefundRefused, Started
from gateway.testing.desk import NotingDesk
from gateway.testing.host import StandingHost
from gateway.testing.payment_promises import REFERENCE, a_checkout, deliver, only_payment, pending
from gateway.testing.payment_rig import Trouble
from gateway_pay_stripe import plugin
from gateway_pay_stripe.amounts import from_stripe, to_stripe
from gateway_pay_stripe.session import locale_of, title_of
from tests.plugins.pay.fake_stripe import objects
from tests.plugins.pay.fake_stripe.server import signature
from tests.plugins.pay.stripe_rig import KEY, StripeRig, stripe_rig

ROOT = Path(__file__).parents[3]
MARK = {"paywall_reference": REFERENCE}
NEEDED: dict[str, Any] = {"secret_key": {"env": "STRIPE_KEY"}, "webhook_secrets": [{"env": "STRIPE_WEBHOOK_0"}]}


@pytest.fixture
async def rig(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[StripeRig]:
    async with stripe_rig(monkeypatch) as rig:
        yield rig


async def test_what_a_single_payment_is_asked_for_with(rig: StripeRig) -> None:
    request = a_checkout(rig, title="  A\nreport ", locale="pt-BR", mail="ann@example.com")
    started = await rig.provider.begin(request)
    assert rig.account.asked[started.session] == {
        "mode": "payment", "client_reference_id": REFERENCE, "metadata": MARK,
        "payment_intent_data": {"metadata": MARK},
        "line_items": [{
            "quantity": "1",
            "price_data": {"currency": "usd", "unit_amount": "1900", "product_data": {"name": "A report"}},
        }],
        "success_url": request.success, "cancel_url": request.cancel, "locale": "pt-BR",
        "customer_email": "ann@example.com",
    }  # fmt: skip


async def test_what_a_subscription_is_asked_for_with(monkeypatch: pytest.MonkeyPatch) -> None:
    settings: dict[str, Any] = {"promotion_codes": True, "automatic_tax": True, "expires": "90m"}
    async with stripe_rig(monkeypatch, **settings) as rig:
        started = await rig.provider.begin(a_checkout(rig, renews=Renewal(PeriodUnit.MONTH, 3)))
        asked = rig.account.asked[started.session]
        assert (asked["mode"], asked["subscription_data"]) == ("subscription", {"metadata": MARK})
        assert asked["line_items"][0]["price_data"]["recurring"] == {"interval": "month", "interval_count": "3"}
        assert "payment_intent_data" not in asked and "customer_email" not in asked
        assert (asked["allow_promotion_codes"], asked["automatic_tax"]) == ("true", {"enabled": "true"})
        assert 80 * 60 <= int(asked["expires_at"]) - rig.host.now() // 1_000 <= 90 * 60


async def test_a_mail_that_stripe_does_not_take_keeps_nobody_from_paying(rig: StripeRig) -> None:
    for number, mail in enumerate(("refused@example.com", "no mail", "a@b", "ann@пример.рф")):
        started = await rig.provider.begin(a_checkout(rig, reference=f"mail-{number}", mail=mail))
        assert "customer_email" not in rig.account.asked[started.session]


async def test_a_price_kept_at_stripe_is_used_and_a_wrong_one_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    async with stripe_rig(
        monkeypatch, prices={"pro": "price_right", "other": "price_wrong", "gone": "price_gone"}
    ) as rig:
        rig.account.prices["price_right"] = objects.price({"currency": "usd", "unit_amount": "1900"})
        rig.account.prices["price_wrong"] = objects.price({"currency": "usd", "unit_amount": "190"})
        started = await rig.provider.begin(a_checkout(rig, plan="pro"))
        assert rig.account.asked[started.session]["line_items"] == [{"quantity": "1", "price": "price_right"}]
        with pytest.raises(ProviderUnavailable, match=r"another amount than 19\.00 USD: see `prices` of plan 'other'"):
            await rig.provider.begin(a_checkout(rig, reference="other", plan="other"))
        with pytest.raises(ProviderUnavailable, match="No such price"):
            await rig.provider.begin(a_checkout(rig, reference="gone", plan="gone"))
        assert [line for line in rig.host.lines if "see `prices` of plan 'other'" in line]


async def test_pages_elsewhere_than_said_are_not_led_to(monkeypatch: pytest.MonkeyPatch) -> None:
    async with stripe_rig(monkeypatch, checkout_origin="https://pay.example.com") as rig:
        with pytest.raises(ProviderUnavailable, match="not under `checkout_origin`"):
            await rig.provider.begin(a_checkout(rig))


@pytest.mark.parametrize(
    ("money", "amount"),
    [("19.00 USD", 1_900), ("500 JPY", 500), ("1.500 KWD", 1_500), ("700 ISK", 70_000), ("2000 UGX", 200_000),
     ("25.00 MGA", 25), ("900.00 HUF", 90_000), ("10.00 TWD", 1_000)],
)  # fmt: skip
def test_amounts_are_written_as_stripe_writes_them(money: str, amount: int) -> None:
    assert to_stripe(Money.parse(money)) == amount
    assert from_stripe(amount, money[-3:].lower()) == Money.parse(money)


@pytest.mark.parametrize("money", ["1.505 KWD", "25.50 MGA", "0.00 USD", "1000000.00 USD"])
async def test_what_stripe_can_not_charge_is_said(rig: StripeRig, money: str) -> None:
    with pytest.raises(ProviderUnavailable, match="Stripe"):
        await rig.provider.begin(a_checkout(rig, Money.parse(money)))
    assert [line for line in rig.host.lines if money in line]


@pytest.mark.parametrize(
    ("tag", "locale"),
    [("en", "en"), ("de-AT", "de"), ("en-GB", "en-GB"), ("en-US", "en"), ("pt-br", "pt-BR"), ("zh-Hant-TW", "zh-TW"),
     ("nn-NO", "nb"), ("es-419", "es-419"), ("es-MX", "es"), ("ar", "auto"), ("", "auto"), ("id_ID", "id")],
)  # fmt: skip
def test_the_nearest_language_is_taken(tag: str, locale: str) -> None:
    assert locale_of(tag) == locale


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("a\n b", "a b"),
        ("", "Access"),
        ("\x00\u202e", "Access"),
        ("\u06cc\u200c\u0627 👨\u200d👧", "\u06cc\u200c\u0627 👨\u200d👧"),
        ("x" * 251, "x" * 249 + "…"),
    ],
)
def test_a_title_is_one_line_of_a_length_that_stripe_takes(title: str, name: str) -> None:
    assert title_of(title) == name


async def test_a_promotion_code_and_tax_change_what_is_paid_and_not_the_price(rig: StripeRig) -> None:
    sums = {"off": (400, 0, 1_500), "tax": (0, 380, 2_280), "both": (400, 300, 1_800)}
    for reference, (off, tax, paid) in sums.items():
        started = await rig.provider.begin(a_checkout(rig, reference=reference))
        rig.account.pay(rig.session(started), 1_900, "usd", off, tax)
        desk = NotingDesk()
        await deliver(rig, rig.sent(), desk)
        settlement = only_payment(desk).settlement
        assert (settlement.amount, settlement.charged) == (Money(1_900, "USD"), Money(paid, "USD"))


async def test_what_a_code_makes_free_is_paid_and_can_not_be_given_back(rig: StripeRig) -> None:
    request = a_checkout(rig)
    started = await rig.provider.begin(request)
    rig.account.pay(rig.session(started), 1_900, "usd", off=1_900)
    told, asked = NotingDesk(), NotingDesk()
    await deliver(rig, rig.sent(), told)
    assert await rig.provider.look(pending(rig, started, request), asked) is Progress.CLOSED
    for desk in (told, asked):
        settlement = only_payment(desk).settlement
        assert (settlement.payment, settlement.amount) == (started.session, Money(1_900, "USD"))
        assert settlement.charged == Money(0, "USD")
    with pytest.raises(RefundRefused, match="nothing was paid"):
        await rig.provider.refund(REFERENCE, started.session, request.amount, "one")  # type: ignore[attr-defined]


@pytest.mark.parametrize("succeeds", [True, False])
async def test_a_payment_that_took_days_is_told_of_when_it_is_decided(rig: StripeRig, succeeds: bool) -> None:
    request = a_checkout(rig)
    started = await rig.provider.begin(request)
    early, late, asked = NotingDesk(), NotingDesk(), NotingDesk()
    await deliver(rig, await rig.process(started), early)
    assert not early.reports
    assert await rig.provider.begin(a_checkout(rig, session=started.session)) == Started(
        request.success, started.session
    )
    rig.account.end_late_payment(rig.session(started), succeeds)
    await deliver(rig, rig.sent(), late)
    assert await rig.provider.look(pending(rig, started, request), asked) is Progress.CLOSED
    for desk in (late, asked):
        assert (len(desk.payments), len(desk.failures)) == ((1, 0) if succeeds else (0, 1))


async def test_what_is_sold_beside_the_gateway_is_none_of_its_business(rig: StripeRig) -> None:
    started = await rig.provider.begin(a_checkout(rig, renews=Renewal(PeriodUnit.MONTH)))
    session, desk = rig.session(started), NotingDesk()
    for marked in (session, rig.account.asked[session["id"]]["subscription_data"]):
        marked["metadata"] = {"order": "7"}
    await deliver(rig, await rig.pay(started), desk)
    await deliver(rig, await rig.renew(started), desk)
    await deliver(rig, await rig.fail_renewal(started), desk)
    await deliver(rig, await rig.end(started), desk)
    await deliver(rig, await rig.refund(session["invoice"]), desk)
    await deliver(rig, await rig.lose_dispute(session["invoice"]), desk)
    assert not desk.reports


async def test_an_expired_checkout_is_said_and_leads_nowhere(rig: StripeRig) -> None:
    request, desk = a_checkout(rig), NotingDesk()
    started = await rig.provider.begin(request)
    rig.host.pass_time(DAY)
    with pytest.raises(CheckoutEnded, match="expired"):
        await rig.provider.begin(a_checkout(rig, session=started.session))
    with pytest.raises(CheckoutEnded, match="expired"):
        await rig.provider.begin(request)
    assert await rig.provider.look(pending(rig, started, request), desk) is Progress.CLOSED
    assert desk.failures


async def test_what_stripe_was_never_asked_for_is_open(rig: StripeRig) -> None:
    """Otherwise nobody could pay any more who set out to while Stripe was away."""
    request, desk = a_checkout(rig), NotingDesk()
    async with rig.trouble(Trouble.AWAY):
        with pytest.raises(ProviderUnavailable):
            await rig.provider.begin(request)
    assert await rig.provider.look(pending(rig, None, request), desk) is Progress.OPEN
    assert not desk.reports


async def test_what_test_mode_left_behind_is_over_in_live_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    async with stripe_rig(monkeypatch, key="sk_live_secret") as rig:
        request, desk = a_checkout(rig), NotingDesk()
        left = Started("", "cs_test_a1b2c3")
        assert await rig.provider.look(pending(rig, left, request), desk) is Progress.CLOSED
        assert [report.reference for report in desk.failures] == [REFERENCE]
        assert (await rig.provider.begin(a_checkout(rig, session=left.session))).session.startswith("cs_live_")
    async with stripe_rig(monkeypatch) as rig:
        desk = NotingDesk()
        assert await rig.provider.look(pending(rig, Started("", "cs_live_a1"), request), desk) is Progress.PROCESSING
        assert not desk.reports


async def test_a_session_is_found_without_its_name_unless_there_are_too_many(rig: StripeRig) -> None:
    request, desk = a_checkout(rig), NotingDesk()
    started = await rig.provider.begin(request)
    unnamed = Pending(REFERENCE, "", request.amount, rig.host.now())
    for number in range(250):
        rig.account.answer("POST", "/v1/checkout/sessions", {
            "mode": "payment", "metadata": {}, "success_url": "https://a.example/", "line_items": [
                {"quantity": "1", "price_data": {"currency": "usd", "unit_amount": str(number + 1)}}],
        })  # fmt: skip
    assert await rig.provider.look(unnamed, desk) is Progress.OPEN
    await rig.pay(started)
    assert await rig.provider.look(unnamed, desk) is Progress.CLOSED
    assert only_payment(desk)
    for session in list(rig.account.of_kind("checkout.session")) * 2:
        copy = {**session, "id": objects.new_id("cs_test"), "metadata": {}}
        rig.account.all[copy["id"]] = copy
    with pytest.raises(ProviderUnavailable, match="too many"):
        await rig.provider.look(unnamed, desk)


async def test_a_refund_on_its_way_is_told_of_when_it_has_arrived(
    rig: StripeRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = NotingDesk()
    await deliver(rig, await rig.pay(await rig.provider.begin(a_checkout(rig))), desk)
    payment = only_payment(desk).settlement.payment
    charge, real = rig.charge(payment), rig.account.give_back

    def on_its_way(of: Any, amount: int, marks: Any) -> Any:
        return real(of, amount, marks, "pending")

    monkeypatch.setattr(rig.account, "give_back", on_its_way)
    provider: Any = rig.provider
    for _ in range(2):
        assert await provider.refund(REFERENCE, payment, Money(1_900, "USD"), "one") is None
    await deliver(rig, rig.sent(), desk)
    assert not desk.refunds
    (refund,) = rig.account.of_kind("refund")
    refund["status"] = "succeeded"
    rig.account.tell("refund.updated", refund)
    await deliver(rig, rig.sent(), desk)
    (report,) = desk.refunds
    assert report.is_whole and report == await provider.refund(REFERENCE, payment, Money(1_900, "USD"), "one")
    refund["status"], charge["amount_refunded"] = "failed", 0
    with pytest.raises(RefundRefused, match="did not take it"):
        await provider.refund(REFERENCE, payment, Money(1_900, "USD"), "one")


async def test_an_operation_is_found_again_when_its_key_is_forgotten(rig: StripeRig) -> None:
    """Stripe keeps idempotency keys for a day; somebody may ask again after a week."""
    desk, provider = NotingDesk(), rig.provider
    await deliver(rig, await rig.pay(await provider.begin(a_checkout(rig))), desk)
    payment, part = only_payment(desk).settlement.payment, Money(500, "USD")
    first = await provider.refund(REFERENCE, payment, part, "one")  # type: ignore[attr-defined]
    rig.fake._kept.clear()
    assert await provider.refund(REFERENCE, payment, part, "one") == first  # type: ignore[attr-defined]
    assert rig.given_back(payment) == part


async def test_a_payment_of_a_subscription_goes_back_under_its_invoice(rig: StripeRig) -> None:
    desk, provider = NotingDesk(), rig.provider
    started = await provider.begin(a_checkout(rig, renews=Renewal(PeriodUnit.YEAR)))
    await deliver(rig, await rig.pay(started), desk)
    invoice = only_payment(desk).settlement.payment
    assert invoice.startswith("in_") and only_payment(desk).settlement.paid_until == rig.host.now() + 365 * DAY + DAY
    await deliver(rig, await rig.refund(invoice, Money(900, "USD")), desk)
    report = await provider.refund(REFERENCE, invoice, Money(1_000, "USD"), "rest")  # type: ignore[attr-defined]
    assert {(each.payment, each.amount.minor, each.is_whole) for each in [*desk.refunds, report]} == {
        (invoice, 900, False), (invoice, 1_000, True),
    }  # fmt: skip


async def test_a_dearer_plan_begins_at_once_for_less_than_its_price(rig: StripeRig) -> None:
    desk, provider = NotingDesk(), rig.provider
    monthly = Renewal(PeriodUnit.MONTH)
    started = await provider.begin(a_checkout(rig, renews=monthly))
    await deliver(rig, await rig.pay(started), desk)
    name = only_payment(desk).settlement.subscription
    rig.host.pass_time(15 * DAY)
    other = a_checkout(rig, Money(4_000, "USD"), "another-checkout", renews=monthly, plan="max", title="Max")
    after = NotingDesk()
    await provider.change(REFERENCE, name, other)  # type: ignore[attr-defined]
    await deliver(rig, rig.sent(), after)
    report = only_payment(after)
    assert report.reference == "another-checkout"
    assert (report.settlement.amount.minor, report.settlement.charged) == (4_000, Money(3_050, "USD"))
    assert report.settlement.paid_until - rig.host.now() > 29 * DAY


async def test_two_clicks_on_another_plan_are_one_change(rig: StripeRig) -> None:
    desk, provider, monthly = NotingDesk(), rig.provider, Renewal(PeriodUnit.MONTH)
    started = await provider.begin(a_checkout(rig, renews=monthly))
    await deliver(rig, await rig.pay(started), desk)
    name = only_payment(desk).settlement.subscription
    other = a_checkout(rig, Money(4_000, "USD"), "another-checkout", renews=monthly, plan="max", title="Max")
    await asyncio.gather(*(provider.change(REFERENCE, name, other) for _ in range(4)))  # type: ignore[attr-defined]
    assert (
        len([each for each in rig.account.of_kind("invoice") if each["billing_reason"] == "subscription_update"]) == 1
    )


async def test_a_cheaper_plan_of_another_period_begins_after_what_is_paid(rig: StripeRig) -> None:
    desk, provider = NotingDesk(), rig.provider
    started = await provider.begin(a_checkout(rig, renews=Renewal(PeriodUnit.MONTH)))
    await deliver(rig, await rig.pay(started), desk)
    name = only_payment(desk).settlement.subscription
    ends = rig.subscription(started)["items"]["data"][0]["current_period_end"]
    weekly = a_checkout(rig, Money(600, "USD"), "weekly", renews=Renewal(PeriodUnit.WEEK), plan="week")
    await provider.change(REFERENCE, name, weekly)  # type: ignore[attr-defined]
    after = NotingDesk()
    await deliver(rig, rig.sent(), after)
    assert not after.payments
    assert rig.subscription(started)["trial_end"] == ends


@pytest.mark.parametrize("kind", ["checkout.session.completed", "invoice.paid"])
async def test_webhooks_of_an_older_version_of_the_api_are_understood(rig: StripeRig, kind: str) -> None:
    """A webhook has the version that the account or its endpoint is set to, not that of the library."""
    started = await rig.provider.begin(a_checkout(rig, renews=Renewal(PeriodUnit.MONTH)))
    (event,) = [json.loads(each.body) for each in await rig.pay(started) if kind.encode() in each.body]
    if kind == "invoice.paid":
        details = event["data"]["object"].pop("parent")["subscription_details"]
        event["data"]["object"] |= {
            "subscription": details["subscription"], "subscription_details": {"metadata": details["metadata"]},
        }  # fmt: skip
    desk = NotingDesk()
    await deliver(rig, [rig.told(event)], desk)
    report = only_payment(desk)
    assert (report.reference, report.settlement.subscription) == (REFERENCE, rig.session(started)["subscription"])


async def test_the_signature_is_that_of_stripes_own_library(rig: StripeRig) -> None:
    seconds, body = rig.host.now() // 1_000, '{"object": "event", "id": "evt_1", "livemode": false, "type": "naïve"}'
    header = stripe.WebhookSignature.generate_signature_header(body, rig.webhook_secrets[0], seconds)
    assert header == signature(body.encode(), rig.webhook_secrets[0], seconds)
    request = rig.sign((await rig.pay(await rig.provider.begin(a_checkout(rig))))[0], body.encode())
    rolled = stripe.WebhookSignature.generate_signature_header(body, "whsec_another", seconds)
    both = (rolled + "," + header.partition(",")[2]).encode()
    request.headers[:] = [(b"Stripe-Signature", both)]
    assert (await rig.provider.answer(request, NotingDesk())).status == 200


async def test_test_mode_is_said_and_live_mode_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    async with stripe_rig(monkeypatch) as rig:
        assert rig.host.lines == ["payments go to Stripe's test mode: no money moves"]
    async with stripe_rig(monkeypatch, key="rk_live_secret") as rig:
        assert rig.host.lines == []
        desk = NotingDesk()
        await deliver(rig, await rig.pay(await rig.provider.begin(a_checkout(rig))), desk)
        assert only_payment(desk)


@pytest.mark.parametrize("key", ["pk_live_abc", "whsec_abc", "sk_other_abc", "nonsense"])
async def test_what_is_no_secret_key_is_refused_at_the_start_and_not_told(
    monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("STRIPE_KEY", key)
    monkeypatch.setenv("STRIPE_WEBHOOK_0", "whsec_1")
    provider = plugin.create(plugin.settings.model_validate(NEEDED), StandingHost())
    with pytest.raises(ValueError, match="no secret key of Stripe's") as caught:
        await provider.start()
    assert key not in str(caught.value)
    await provider.stop()


async def test_what_is_missing_is_named_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIPE_KEY", KEY)
    monkeypatch.delenv("STRIPE_WEBHOOK_0", raising=False)
    provider = plugin.create(plugin.settings.model_validate(NEEDED), StandingHost())
    with pytest.raises(ValueError, match="STRIPE_WEBHOOK_0 is not set"):
        await provider.start()


def test_a_missing_library_is_said_at_the_start_with_the_mend() -> None:
    program = f"""
import asyncio, os, sys
sys.modules["stripe"] = None
os.environ |= {{"STRIPE_KEY": "sk_test_1", "STRIPE_WEBHOOK_0": "whsec_1"}}
from gateway_pay_stripe import plugin
provider = plugin.create(plugin.settings.model_validate({NEEDED!r}), None)
try:
    asyncio.run(provider.start())
except RuntimeError as error:
    print(error)
"""
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert "pip install 'paywall-gateway[stripe]'" in told.stdout


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"api_base": "http://api.stripe.com"}, "in the clear"),
        ({"api_base": "https://api.stripe.com/v1"}, "no origin"),
        ({"checkout_origin": "https://user@pay.example.com"}, "no origin"),
        ({"expires": "30m"}, "at most 24h"),
        ({"expires": "2d"}, "at most 24h"),
        ({"timeout": "5m"}, "1s to 60s"),
        ({"prices": {"pro": "prod_1"}}, "no price of Stripe's"),
        ({"webhook_secrets": []}, "at least 1 item"),
        ({"secret_key": "sk_live_1"}, "secret_key"),
    ],
)
def test_settings_that_can_not_be_are_refused_with_the_reason(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        plugin.settings.model_validate(NEEDED | settings)


def test_the_shortest_expiry_is_one_that_stripe_takes() -> None:
    assert plugin.settings.model_validate(NEEDED | {"expires": "1h"}).expires == HOUR
