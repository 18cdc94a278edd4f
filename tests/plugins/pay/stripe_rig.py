"""The plugin `stripe` and a fake Stripe, for the contract suite and for tests of its own."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from gateway.core.money import Money
from gateway.ports.payment import PaymentProvider, ProviderRequest, Started
from gateway.testing.host import StandingHost
from gateway.testing.malformed import with_header
from gateway.testing.payment_rig import Trouble
from gateway_pay_stripe import plugin
from gateway_pay_stripe.amounts import digits, from_stripe, to_stripe
from gateway_pay_stripe.session import REFERENCE
from tests.plugins.pay.fake_stripe.objects import Json
from tests.plugins.pay.fake_stripe.server import FakeStripe, signature

KEY = "sk_test_51TheKeyThatNobodyMaySee"
SECRETS = ("whsec_theSecretInUse", "whsec_theOneBefore")


class StripeRig:
    """Plays payer, bank, Stripe and stranger."""

    secrets: Sequence[str] = (KEY, *SECRETS)
    webhook_secrets: Sequence[str] = SECRETS
    prices: Sequence[Money] = tuple(
        Money.parse(text)
        for text in ("19.00 USD", "500 JPY", "1.500 KWD", "700 ISK", "2000 UGX", "900.00 HUF", "25.00 MGA")
    )
    signature_header = b"stripe-signature"
    tolerance_ms = 300_000
    takes_days = True

    def __init__(self, host: StandingHost, provider: PaymentProvider, fake: FakeStripe) -> None:
        self.host, self.provider, self.fake = host, provider, fake
        self.account = fake.account

    # ---- any provider

    async def pay(self, started: Started, charged: Money | None = None) -> list[ProviderRequest]:
        session = self.session(started)
        if session["status"] == "open":
            price = charged or from_stripe(session["amount_subtotal"], session["currency"])
            self.account.pay(session, to_stripe(price), price.currency.lower())
        return self.sent()

    def forgeries(self, started: Started) -> Sequence[tuple[str, ProviderRequest]]:
        session = self.session(started)
        paid = {**session, "status": "complete", "payment_status": "paid", "payment_intent": "pi_1"}
        event = {
            "id": "evt_1", "object": "event", "type": "checkout.session.completed", "livemode": False,
            "created": self.host.now() // 1_000, "data": {"object": paid},
        }  # fmt: skip
        true = self.told(event)
        old = dict(true.headers)[b"stripe-signature"]
        return [
            ("no signature", with_header(true, b"stripe-signature")),
            ("signed with nothing", self.sign(true, true.body, secret="\0")),
            ("signed with the reference", self.sign(true, true.body, secret=session["client_reference_id"])),
            ("scheme v0", with_header(true, b"stripe-signature", old.replace(b"v1=", b"v0="))),
            ("another's signature beside it", with_header(true, b"stripe-signature", old, old)),
            ("two instants", with_header(true, b"stripe-signature", b"t=1," + old)),
        ]

    # ---- a provider elsewhere

    @asynccontextmanager
    async def trouble(self, kind: Trouble) -> AsyncIterator[None]:
        api: Any = self.provider.__dict__["_api"]
        seconds, base = api.seconds, dict(api._client._requestor._options.base_addresses)
        if kind is Trouble.SLOW:
            api.seconds = 0.3
        if kind is Trouble.AWAY:
            api._client._requestor._options.base_addresses["api"] = "http://127.0.0.1:9"
        self.fake.trouble = kind
        try:
            yield
        finally:
            self.fake.trouble, api.seconds = None, seconds
            api._client._requestor._options.base_addresses.update(base)

    def payable(self, reference: str) -> int:
        sessions = self.account.of_kind("checkout.session")
        return sum(each["metadata"].get(REFERENCE) == reference and each["status"] == "open" for each in sessions)

    async def fail(self, started: Started) -> list[ProviderRequest]:
        self.account.expire(self.session(started))
        return self.sent()

    async def process(self, started: Started) -> list[ProviderRequest]:
        self.account.pay_later(self.session(started))
        return self.sent()

    # ---- a provider that signs

    def sign(self, request: ProviderRequest, body: bytes, secret: str = "", at: int = 0) -> ProviderRequest:
        header = signature(body, secret or SECRETS[0], (at or self.host.now()) // 1_000)
        headers = [(b"content-type", b"application/json; charset=utf-8"), (b"stripe-signature", header.encode())]
        return ProviderRequest("POST", request.path, "", headers, body)

    def unheard_of(self) -> ProviderRequest:
        self.account.tell("crypto.onramp_session.updated", {"id": "cos_1", "object": "crypto.onramp_session"})
        return self.sent()[0]

    def other_mode(self, request: ProviderRequest) -> ProviderRequest | None:
        return self.sign(request, json.dumps({**json.loads(request.body), "livemode": True}).encode())

    # ---- a provider that gives money back

    async def refund(self, payment: str, amount: Money | None = None) -> list[ProviderRequest]:
        charge = self.charge(payment)
        left = charge["amount"] - charge["amount_refunded"]
        self.account.give_back(charge, to_stripe(amount) if amount else left, {})
        return self.sent()

    async def lose_dispute(self, payment: str) -> list[ProviderRequest]:
        self.account.lose_dispute(self.charge(payment))
        return self.sent()

    def given_back(self, payment: str) -> Money:
        charge = self.charge(payment)
        return from_stripe(charge["amount_refunded"], charge["currency"])

    def charge(self, payment: str) -> Json:
        """The charge of a payment by the name that the plugin gives it."""
        if payment.startswith("in_"):
            (how,) = [each for each in self.account.of_kind("invoice_payment") if each["invoice"] == payment]
            payment = how["payment"]["payment_intent"]
        return self.account.get(self.account.get(payment)["latest_charge"])

    # ---- a provider of subscriptions

    async def renew(self, started: Started) -> list[ProviderRequest]:
        self._turn_to_next_period(started)
        self.account.renew(self.subscription(started))
        return self.sent()

    async def fail_renewal(self, started: Started) -> list[ProviderRequest]:
        self._turn_to_next_period(started)
        self.account.renew(self.subscription(started), is_paid=False)
        return self.sent()

    async def end(self, started: Started) -> list[ProviderRequest]:
        self.account.end(self.subscription(started))
        return self.sent()

    def _turn_to_next_period(self, started: Started) -> None:
        ends = self.subscription(started)["items"]["data"][0]["current_period_end"]
        self.host.pass_time(ends * 1_000 - self.host.now())

    # ---- all of them

    def session(self, started: Started) -> Json:
        """The session that was begun."""
        return self.account.get(started.session)

    def subscription(self, started: Started) -> Json:
        """The subscription that a session has begun."""
        return self.account.get(self.session(started)["subscription"])

    def sent(self) -> list[ProviderRequest]:
        return [self.told(event) for event in self.account.take_events()]

    def told(self, event: Json) -> ProviderRequest:
        """An event as it comes in."""
        return self.sign(ProviderRequest("POST", "webhook", "", [], b""), json.dumps(event, indent=2).encode())


@asynccontextmanager
async def stripe_rig(monkeypatch: pytest.MonkeyPatch, key: str = KEY, **settings: Any) -> AsyncIterator[StripeRig]:
    """A plugin that is started, and a fake that serves."""
    import stripe

    monkeypatch.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0.01)
    monkeypatch.setenv("STRIPE_KEY", key)
    for number, secret in enumerate(SECRETS):
        monkeypatch.setenv(f"STRIPE_WEBHOOK_{number}", secret)
    host = StandingHost()
    async with FakeStripe(key, SECRETS[0], lambda: host.now() // 1_000).serving() as fake:
        told = {
            "secret_key": {"env": "STRIPE_KEY"},
            "webhook_secrets": [{"env": "STRIPE_WEBHOOK_0"}, {"env": "STRIPE_WEBHOOK_1"}],
            "api_base": fake.address, "checkout_origin": fake.address, "timeout": "30s", **settings,
        }  # fmt: skip
        provider = plugin.create(plugin.settings.model_validate(told), host)
        await provider.start()
        try:
            yield StripeRig(host, provider, fake)
        finally:
            await provider.stop()


__all__ = ["KEY", "SECRETS", "StripeRig", "digits", "stripe_rig"]
