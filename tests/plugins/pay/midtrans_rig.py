"""Midtrans for the contract suites: the plugin, and the fake that it is pointed at."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from gateway.core.money import Money
from gateway.ports.payment import PaymentProvider, ProviderRequest, Started
from gateway.testing.host import StandingHost
from gateway.testing.payment_rig import Trouble
from gateway_pay_midtrans import plugin
from gateway_pay_midtrans.provider import MidtransProvider
from tests.plugins.pay.midtrans_fake import FORMER_KEY, KEY, MidtransFake, Thing, signature

ENVIRONMENT = {"MIDTRANS_KEY": KEY, "MIDTRANS_FORMER_KEY": FORMER_KEY}


class MidtransRig:
    """The ports `SignedRig` and `RefundingRig`."""

    secrets: Sequence[str] = (KEY, FORMER_KEY)
    prices: Sequence[Money] = (Money(5_000_000, "IDR"), Money(100, "IDR"))
    takes_days = False
    signature_header = b""
    webhook_secrets: Sequence[str] = (KEY, FORMER_KEY)
    tolerance_ms = 0

    def __init__(self, **more: Any) -> None:
        self.host = StandingHost()
        self.fake = MidtransFake(self.host)
        self._settings = more
        self.provider: PaymentProvider
        self.refunder: MidtransProvider

    async def start(self) -> None:
        await self.fake.start()
        told = {
            "server_key": {"env": "MIDTRANS_KEY"}, "former_server_keys": [{"env": "MIDTRANS_FORMER_KEY"}],
            "test": True, "api_base": self.fake.address, **self._settings,
        }  # fmt: skip
        self.provider = self.refunder = plugin.create(plugin.settings.model_validate(told), self.host)
        await self.provider.start()

    async def stop(self) -> None:
        await self.provider.stop()
        await self.fake.stop()

    async def pay(self, started: Started, charged: Money | None = None) -> list[ProviderRequest]:
        chosen = self.fake.choose(token_of(started))
        if chosen is None:
            return []
        if charged is not None:
            amount, currency = str(charged).split()
            self.fake.orders[chosen["order_id"]].update(gross_amount=amount, currency=currency)
        return [notified(chosen), notified(self.fake.become(chosen["order_id"], "settlement"))]

    async def fail(self, started: Started) -> list[ProviderRequest]:
        chosen = self.fake.choose(token_of(started))
        assert chosen is not None
        return [notified(chosen), notified(self.fake.become(chosen["order_id"], "expire"))]

    async def process(self, started: Started) -> list[ProviderRequest]:
        chosen = self.fake.choose(token_of(started))
        return [notified(chosen)] if chosen else []

    async def refund(self, payment: str, amount: Money | None = None) -> list[ProviderRequest]:
        of = self._of(payment)
        gone = sum(int(each["refund_amount"][:-3]) for each in of.get("refunds", []))
        rest = int(of["gross_amount"][:-3]) - gone
        notice = self.fake.give_back(of["order_id"], amount.minor // 100 if amount else rest)
        assert notice is not None
        return [notified(notice)]

    async def lose_dispute(self, payment: str) -> list[ProviderRequest]:
        return [notified(self.fake.become(self._of(payment)["order_id"], "chargeback"))]

    def sent(self) -> list[ProviderRequest]:
        sent, self.fake.sent = self.fake.sent, []
        return [notified(notice) for notice in sent]

    def given_back(self, payment: str) -> Money:
        return Money(sum(int(each["refund_amount"][:-3]) * 100 for each in self._of(payment).get("refunds", [])), "IDR")

    def payable(self, reference: str) -> int:
        """Orders, not pages: whichever page it is paid at, the others of the order can't be paid any more."""
        orders = {
            page["transaction_details"]["order_id"]
            for page in self.fake.pages.values()
            if page["custom_field1"] == reference
        }
        return sum(self.fake.orders.get(order, {}).get("transaction_status") in (None, "pending") for order in orders)

    def trouble(self, kind: Trouble) -> AbstractAsyncContextManager[None]:
        return self.fake.trouble(kind, self.refunder._api)

    def sign(self, request: ProviderRequest, body: bytes, secret: str = "", at: int = 0) -> ProviderRequest:
        try:
            told = json.loads(body)
            order, code, amount = (str(told[name]) for name in ("order_id", "status_code", "gross_amount"))
            told["signature_key"] = signature(order, code, amount, secret or KEY)
            body = json.dumps(told).encode()
        except (ValueError, KeyError, TypeError, RecursionError):
            pass  # nothing that can be signed
        return ProviderRequest(request.method, request.path, request.query, list(request.headers), body)

    def unheard_of(self) -> ProviderRequest:
        self.fake.pages["a token"] = {
            "transaction_details": {"order_id": "somebody-else-s", "gross_amount": 100}, "custom_field1": "of another",
        }  # fmt: skip
        self.fake.choose("a token")
        return notified(self.fake.become("somebody-else-s", "authenticate"))

    def other_mode(self, request: ProviderRequest) -> ProviderRequest | None:
        return None

    def forgeries(self, started: Started) -> Sequence[tuple[str, ProviderRequest]]:
        page = self.fake.pages[token_of(started)]
        order = page["transaction_details"]["order_id"]
        amount = f"{page['transaction_details']['gross_amount']}.00"
        paid = {
            "order_id": order, "status_code": "200", "gross_amount": amount, "transaction_status": "settlement",
            "transaction_id": "57d5293c-e65f-4a29-95e4-5959c3fa335b", "custom_field1": page["custom_field1"],
            "payment_type": "qris", "currency": "IDR",
        }  # fmt: skip
        unsigned = signature(order, "200", amount, "")
        stolen = {**paid, "signature_key": signature(order, "200", amount, KEY)}
        elsewhere = {**paid, "order_id": "../../x", "signature_key": signature("../../x", "200", amount, KEY)}
        return [
            ("no signature", notified(paid)),
            ("signed with nothing", notified({**paid, "signature_key": unsigned})),
            ("an empty signature", notified({**paid, "signature_key": ""})),
            ("a signature of another amount", notified({**stolen, "gross_amount": "1.00"})),
            ("a true signature, and a payment that was never made", notified(stolen)),
            ("another path of the API", notified(elsewhere)),
        ]

    def _of(self, payment: str) -> Thing:
        return next(each for each in self.fake.orders.values() if each["transaction_id"] == payment)


def token_of(started: Started) -> str:
    """The page that this address is of."""
    return started.address.rpartition("/")[2]


def notified(notice: Thing) -> ProviderRequest:
    headers = [(b"content-type", b"application/json"), (b"user-agent", b"Veritrans")]
    return ProviderRequest("POST", "webhook", "", headers, json.dumps(notice).encode())
