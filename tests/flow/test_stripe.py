"""Trial, expiry, withheld result, offer, checkout at Stripe, result: over a real gateway, whatever comes first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.plugins.pay.fake_stripe.thread import StripeThread

from .application import CSV, Application
from .service import FORM, NAVIGATION, Service, visible, wait_until
from .stripe import command, pay_at, selling

Shop = tuple[Service, StripeThread]


@pytest.fixture(scope="module")
def shop(application: Application, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with selling(tmp_path_factory.mktemp("stripe"), application.url) as shop:
        yield shop


@pytest.fixture(autouse=True)
def hears(shop: Shop) -> None:
    shop[1].fake.is_mute = False


def as_person(person: str) -> dict[str, str]:
    return {"x-user-id": person}


def wants(service: Service, person: str) -> Any:
    """The trial is over, and somebody wants a result: what they are told."""
    assert service.request("GET", "/report.csv", as_person(person)).body == CSV
    service.expire(person)
    withheld = service.request("GET", "/report.csv", as_person(person))
    assert withheld.status == 402
    return withheld.json()


def checkout(service: Service, person: str, told: Any, plan: str = "single") -> str:
    """The address of Stripe's page for a plan."""
    (offered,) = [each for each in told["checkout"] if each["plan"] == plan]
    begun = service.request("POST", offered["address"], as_person(person))
    assert begun.status == 303, begun.body
    return begun.header("location")


def returned(service: Service, person: str, success: str) -> str:
    """What somebody reads who comes back from Stripe."""
    assert success.startswith(service.address)
    parts = urlsplit(success)
    return visible(service.request("GET", f"{parts.path}?{parts.query}", {**as_person(person), **NAVIGATION}))


def payments(service: Service, person: str) -> list[Any]:
    return [entry for entry in service.ledger(person) if entry["kind"] == "payment"]


def test_with_the_webhook_lost_whoever_comes_back_gets_the_result(shop: Shop, person: str) -> None:
    service, stripe = shop
    stripe.fake.is_mute = True
    told = wants(service, person)
    success = pay_at(checkout(service, person, told))
    assert service.request("GET", told["hold"]["release"], as_person(person)).status == 402
    assert "Thank you" in returned(service, person, success)
    assert service.request("GET", told["hold"]["release"], as_person(person)).body == CSV
    (entry,) = payments(service, person)
    assert (entry["provider"], entry["amount"], entry["plan"]) == ("stripe", 300, "single")
    assert entry["payment"] == stripe.newest("payment_intent")["id"]


def test_with_the_webhook_first_the_result_is_there_before_anybody_comes_back(shop: Shop, person: str) -> None:
    service, stripe = shop
    told = wants(service, person)
    success = pay_at(checkout(service, person, told))
    assert service.request("GET", told["hold"]["release"], as_person(person)).body == CSV
    assert "Thank you" in returned(service, person, success)
    # Late, and again: the same payment.
    session = stripe.newest("checkout.session")
    assert stripe.sends(lambda: stripe.fake.account.tell("checkout.session.completed", session)) == [200]
    assert len(payments(service, person)) == 1


def test_a_forged_webhook_is_rejected_and_gives_nothing(
    shop: Shop, person: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, stripe = shop
    told = wants(service, person)
    checkout(service, person, told)
    session = {**stripe.newest("checkout.session"), "status": "complete", "payment_status": "paid"}
    with monkeypatch.context() as patch:
        patch.setattr(stripe.fake, "secret", "whsec_guessed")
        assert stripe.sends(lambda: stripe.fake.account.tell("checkout.session.completed", session)) == [400]
    assert service.request("GET", told["hold"]["release"], as_person(person)).status == 402
    assert payments(service, person) == []


def test_a_second_click_leads_to_the_same_page_and_a_bank_debit_is_waited_for(shop: Shop, person: str) -> None:
    service, stripe = shop
    told = wants(service, person)
    first, second = checkout(service, person, told), checkout(service, person, told)
    assert first == second
    success = pay_at(second, "later")
    assert "need not pay again" in returned(service, person, success)
    again = service.request("POST", told["checkout"][0]["address"], as_person(person))
    assert (again.status, again.json()["outcome"]) == (303, "checking")
    session = stripe.newest("checkout.session")
    assert stripe.sends(lambda: stripe.fake.account.end_late_payment(session, True)) == [200]
    assert "Thank you" in returned(service, person, success)
    assert service.request("GET", told["hold"]["release"], as_person(person)).body == CSV


def test_a_dearer_plan_begins_at_once_and_a_cheaper_one_with_the_next_period(shop: Shop, person: str) -> None:
    service, stripe = shop
    pay_at(checkout(service, person, wants(service, person), "pro"))
    subscription = stripe.newest("subscription")
    for plan in ("max", "max", "lite", "lite"):
        body = f"do=change&subscription={subscription['id']}&plan={plan}".encode()
        changed = service.request("POST", "/_paywall/subscription", {**as_person(person), **FORM}, body)
        assert changed.status in (204, 422), changed.body
        assert set(stripe.sends()) <= {200}
    stripe.sends(lambda: stripe.fake.account.renew(subscription))
    assert [(entry["plan"], entry["amount"], entry.get("charged")) for entry in payments(service, person)] == [
        ("pro", 1_900, None), ("max", 4_900, 3_950), ("lite", 900, None),
    ]  # fmt: skip
    assert [
        entry["kind"] for entry in service.ledger(person) if entry["kind"] in ("mismatch", "unknown-checkout")
    ] == []
    assert service.request("GET", "/report.csv", as_person(person)).body == CSV


def test_a_checkout_that_has_expired_unheard_is_followed_by_another(shop: Shop, person: str) -> None:
    service, stripe = shop
    stripe.fake.is_mute = True
    told = wants(service, person)
    first = checkout(service, person, told)
    stripe.sends(lambda: stripe.fake.account.expire(stripe.newest("checkout.session")))
    second = checkout(service, person, told)
    assert second != first
    assert "Thank you" in returned(service, person, pay_at(second))
    assert service.request("GET", told["hold"]["release"], as_person(person)).body == CSV
    assert len(payments(service, person)) == 1


def test_stripe_being_away_costs_nobody_anything(shop: Shop, person: str, monkeypatch: pytest.MonkeyPatch) -> None:
    service, stripe = shop
    told = wants(service, person)
    address = told["checkout"][0]["address"]
    with monkeypatch.context() as patch:
        patch.setattr(stripe.fake, "key", "sk_test_another")
        refused = service.request("POST", address, as_person(person))
    assert (refused.status, refused.reason) == (503, "provider-unavailable")
    said = "Stripe does not know the key: see `secret_key`"
    wait_until(lambda: any(said in line for line in list(service.messages)), said)
    # However it is asked about meanwhile, it stays one that can be paid.
    assert "unknown" not in command(service, "reconcile")
    pay_at(checkout(service, person, told))
    assert service.request("GET", told["hold"]["release"], as_person(person)).body == CSV


def test_money_goes_back_by_command_and_at_stripes_dashboard(shop: Shop, person: str) -> None:
    service, stripe = shop
    pay_at(checkout(service, person, wants(service, person)))
    payment = stripe.newest("payment_intent")["id"]
    command(service, "refund", f"person:{person}", payment, "--amount", "1.00 USD")
    stripe.sends()
    charge = stripe.newest("charge")
    assert charge["amount_refunded"] == 100
    assert set(stripe.sends(lambda: stripe.fake.account.give_back(charge, 200, {}))) == {200}
    refunds = [entry for entry in service.ledger(person) if entry["kind"] == "refund"]
    assert [(entry["amount"], entry.get("whole", False)) for entry in refunds] == [(100, False), (200, True)]


def test_a_subscription_renews_is_cancelled_and_ends(shop: Shop, person: str) -> None:
    service, stripe = shop
    success = pay_at(checkout(service, person, wants(service, person), "pro"))
    assert "Thank you" in returned(service, person, success)
    assert len(payments(service, person)) == 1, "invoice and session are one payment"
    assert service.request("GET", "/report.csv", as_person(person)).body == CSV
    second = service.request("POST", "/_paywall/checkout?plan=pro", as_person(person))
    assert second.status == 409 and "You have a subscription already" in second.json()["detail"]
    seen = visible(service.request("GET", "/_paywall/offer", as_person(person) | NAVIGATION))
    assert "Your subscription:" in seen and "This is the plan that you have." in seen and "Cancel it" in seen
    subscription = stripe.newest("subscription")
    until = payments(service, person)[0]["paid_until"]
    assert until == subscription["items"]["data"][0]["current_period_end"] * 1_000

    assert set(stripe.sends(lambda: stripe.fake.account.renew(subscription))) == {200}
    assert len(payments(service, person)) == 2 and payments(service, person)[1]["paid_until"] > until
    assert set(stripe.sends(lambda: stripe.fake.account.renew(subscription, is_paid=False))) == {200}
    command(service, "cancel", f"person:{person}", subscription["id"])
    assert subscription["cancel_at_period_end"]
    stripe.sends(lambda: stripe.fake.account.renew(subscription))
    statuses = [entry["status"] for entry in service.ledger(person) if entry["kind"] == "subscription"]
    assert statuses[-1] == "ended" and "past-due" in statuses
    assert len(payments(service, person)) == 2
