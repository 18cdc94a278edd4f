"""Paddle for the contract suites: the plugin, and the fake that it is pointed at."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

from gateway.core.money import Money
from gateway.ports.payment import PaymentProvider, ProviderRequest, Started
from gateway.testing.host import StandingHost
from gateway.testing.payment_rig import Trouble
from gateway_pay_paddle import plugin
from gateway_pay_paddle.provider import PaddleProvider
from tests.plugins.pay.paddle_fake import KEY, SECRETS, PaddleFake, signed

ENVIRONMENT = {"PADDLE_KEY": KEY, "PADDLE_SECRET": SECRETS[0], "PADDLE_FORMER_SECRET": SECRETS[1]}


class PaddleRig:
    """The ports `SignedRig`, `RefundingRig` and `RenewingRig`."""

    secrets: Sequence[str] = (KEY, *SECRETS)
    prices: Sequence[Money] = (Money(1_900, "USD"), Money(500, "JPY"), Money(1, "EUR"))
    takes_days = True
    signature_header = b"paddle-signature"
    webhook_secrets: Sequence[str] = SECRETS
    tolerance_ms = 300_000

    def __init__(self, **more: Any) -> None:
        self.host = StandingHost()
        self.fake = PaddleFake(self.host)
        self._settings = more
        self.provider: PaymentProvider
        self.paddle: PaddleProvider

    async def start(self) -> None:
        await self.fake.start()
        told = {
            "api_key": {"env": "PADDLE_KEY"}, "client_token": "test_fake", "test": True,
            "webhook_secrets": [{"env": "PADDLE_SECRET"}, {"env": "PADDLE_FORMER_SECRET"}],
            "api_base": self.fake.address, **self._settings,
        }  # fmt: skip
        self.provider = self.paddle = plugin.create(plugin.settings.model_validate(told), self.host)
        await self.provider.start()

    async def stop(self) -> None:
        await self.provider.stop()
        await self.fake.stop()

    async def pay(self, started: Started, charged: Money | None = None) -> list[ProviderRequest]:
        return self.fake.pay(opened(started), charged)

    async def fail(self, started: Started) -> list[ProviderRequest]:
        return self.fake.cancel(opened(started))

    async def process(self, started: Started) -> list[ProviderRequest]:
        self.fake.authorize(opened(started))
        return []

    async def refund(self, payment: str, amount: Money | None = None) -> list[ProviderRequest]:
        of = self.fake.transactions[payment]
        rest = int(of["details"]["totals"]["grand_total"]) - self.given_back(payment).minor
        made = self.fake.give_back(of, amount.minor if amount else rest, "refund", "asked for", "pending_approval")
        assert made is not None
        return [self.fake.event("adjustment.created", made), *self.fake.decide()]

    async def lose_dispute(self, payment: str) -> list[ProviderRequest]:
        of = self.fake.transactions[payment]
        whole = int(of["details"]["totals"]["grand_total"])
        made = self.fake.give_back(of, whole, "chargeback", "dispute", "approved")
        assert made is not None
        return [self.fake.event("adjustment.created", made)]

    async def renew(self, started: Started) -> list[ProviderRequest]:
        return self.fake.renew(self._subscription(started))

    async def fail_renewal(self, started: Started) -> list[ProviderRequest]:
        return self.fake.fail_renewal(self._subscription(started))

    async def end(self, started: Started) -> list[ProviderRequest]:
        return self.fake.end(self._subscription(started))

    def sent(self) -> list[ProviderRequest]:
        sent, self.fake.sent = [*self.fake.sent, *self.fake.decide()], []
        return sent

    def given_back(self, payment: str) -> Money:
        return Money(
            sum(
                int(each["totals"]["total"])
                for each in self.fake.adjustments.values()
                if each["transaction_id"] == payment and each["status"] == "approved"
            ),
            self.fake.transactions[payment]["currency_code"],
        )

    def payable(self, reference: str) -> int:
        return sum(
            (each["custom_data"] or {}).get("reference") == reference and each["status"] in ("draft", "ready")
            for each in self.fake.transactions.values()
        )

    def trouble(self, kind: Trouble) -> AbstractAsyncContextManager[None]:
        return self.fake.trouble(kind, self.paddle._api)

    def sign(self, request: ProviderRequest, body: bytes, secret: str = "", at: int = 0) -> ProviderRequest:
        return signed(body, secret or SECRETS[0], at or self.host.now())

    def unheard_of(self) -> ProviderRequest:
        return self.fake.event("customer.created", {"id": "ctm_01", "email": "ann@example.com"})

    def other_mode(self, request: ProviderRequest) -> ProviderRequest | None:
        return None

    def forgeries(self, started: Started) -> Sequence[tuple[str, ProviderRequest]]:
        of = self.fake.transactions[opened(started)]
        told = json.loads(self.fake.event("transaction.completed", {**of, "status": "completed"}).body)
        body, now = json.dumps(told).encode(), self.host.now()
        true = self.fake.event("customer.created", {"id": "ctm_01"})
        twice = signed(body, "guessed", now)
        return [
            ("no signature", replace(true, headers=[], body=body)),
            ("another's signature", signed(body, "guessed", now)),
            ("the signature of another report", replace(true, body=body)),
            ("signed with nothing", signed(body, "", now)),
            ("signed with the public token", signed(body, "test_fake", now)),
            ("two signatures", replace(twice, headers=[*twice.headers, *true.headers])),
            ("the page's address", replace(true, path="pay", body=body)),
            ("a payment that is not completed", self.fake.event("transaction.completed", of)),
        ]

    def _subscription(self, started: Started) -> str:
        found = self.fake.transactions[opened(started)]["subscription_id"]
        assert isinstance(found, str)
        return found


def opened(started: Started) -> str:
    """The transaction that the page at this address is for."""
    return parse_qs(urlsplit(started.address).query)["transaction"][0]
