"""YooKassa for the contract suites: the plugin, and the fake that it is pointed at."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any
from urllib.parse import parse_qs, urlsplit

from gateway.core.money import Money
from gateway.ports.payment import PaymentProvider, ProviderRequest, Started
from gateway.testing.host import StandingHost
from gateway.testing.payment_rig import Trouble
from gateway_pay_yookassa import plugin
from gateway_pay_yookassa.provider import YooKassaProvider
from tests.plugins.pay.yookassa_fake import KEY, SHOP, Thing, YooKassaFake

TOKEN = "a-word-that-nobody-knows"
ENVIRONMENT = {"YOOKASSA_KEY": KEY, "YOOKASSA_TOKEN": TOKEN}


class YooKassaRig:
    """The ports `RefundingRig` and `HostedRig`."""

    secrets: Sequence[str] = (KEY, TOKEN)
    prices: Sequence[Money] = (Money(49_900, "RUB"), Money(1, "RUB"), Money(1_900, "USD"), Money(500, "JPY"))
    takes_days = False

    def __init__(self, **more: Any) -> None:
        self.host = StandingHost()
        self.fake = YooKassaFake(self.host, is_test_shop=more.pop("is_test_shop", False))
        self._settings = more
        self.provider: PaymentProvider
        self.refunder: YooKassaProvider

    async def start(self) -> None:
        await self.fake.start()
        told = {
            "shop_id": SHOP, "secret_key": {"env": "YOOKASSA_KEY"}, "webhook_token": {"env": "YOOKASSA_TOKEN"},
            "api_base": f"{self.fake.address}/v3", **self._settings,
        }  # fmt: skip
        self.provider = self.refunder = plugin.create(plugin.settings.model_validate(told), self.host)
        await self.provider.start()

    async def stop(self) -> None:
        await self.provider.stop()
        await self.fake.stop()

    async def pay(self, started: Started, charged: Money | None = None) -> list[ProviderRequest]:
        payment = self.fake.payments[opened(started)]
        return [notified(self.fake.pay(payment["id"], charged))] if payment["status"] == "pending" else []

    async def fail(self, started: Started) -> list[ProviderRequest]:
        return [notified(self.fake.cancel(opened(started)))]

    async def process(self, started: Started) -> list[ProviderRequest]:
        self.fake.choose(opened(started))
        return []

    async def refund(self, payment: str, amount: Money | None = None) -> list[ProviderRequest]:
        return [notified(self.fake.notice("refund.succeeded", self.fake.give_back(payment, amount)))]

    async def lose_dispute(self, payment: str) -> list[ProviderRequest]:
        return []

    def sent(self) -> list[ProviderRequest]:
        sent, self.fake.sent = self.fake.sent, []
        return [notified(notice) for notice in sent]

    def given_back(self, payment: str) -> Money:
        of = self.fake.payments[payment]
        back = sum(
            Money.parse(f"{each['amount']['value']} {each['amount']['currency']}").minor
            for each in self.fake.refunds.values()
            if each["payment_id"] == payment and each["status"] == "succeeded"
        )
        return Money(back, of["amount"]["currency"])

    def payable(self, reference: str) -> int:
        return sum(each["status"] == "pending" for each in self.fake.of_reference(reference))

    def trouble(self, kind: Trouble) -> AbstractAsyncContextManager[None]:
        return self.fake.trouble(kind, self.refunder._api)

    def forgeries(self, started: Started) -> Sequence[tuple[str, ProviderRequest]]:
        payment = self.fake.payments[opened(started)]
        paid = self.fake.notice("payment.succeeded", {**payment, "status": "succeeded", "paid": True})
        stranger = {**paid, "object": {**paid["object"], "id": "2f3b588d-000f-5000-8000-1d6e87c7fbde"}}
        elsewhere = {**paid, "object": {**paid["object"], "id": f"../payments/{payment['id']}"}}
        return [
            ("a payment that is not paid", notified(paid)),
            ("a payment that is not there", notified(stranger)),
            ("another path of the API", notified(elsewhere)),
            ("a refund that is a payment", notified({**paid, "event": "refund.succeeded"})),
            ("a payment that is not cancelled", notified({**paid, "event": "payment.canceled"})),
            ("an address without the word", notified(paid, token="")),
            ("an address with another word", notified(paid, token=TOKEN + "x")),
        ]


def opened(started: Started) -> str:
    """The payment that the page at this address is for."""
    return parse_qs(urlsplit(started.address).query)["orderId"][0]


def notified(notice: Thing, token: str = TOKEN) -> ProviderRequest:
    path = f"webhook/{token}" if token else "webhook"
    headers = [(b"content-type", b"application/json")]
    return ProviderRequest("POST", path, "", headers, json.dumps(notice).encode())
