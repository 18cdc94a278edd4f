"""The sandbox keeps what every payment provider promises."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

import pytest

from gateway.core.money import Money
from gateway.ports.payment import PaymentProvider, ProviderRequest, Started
from gateway.testing.host import StandingHost
from gateway.testing.payment_provider import PaymentProviderContract
from gateway_pay_sandbox import plugin


class SandboxRig:
    """Presses the buttons of the sandbox's page."""

    secrets: Sequence[str] = ()
    prices: Sequence[Money] = (Money(1_900, "USD"), Money(500, "JPY"), Money(1_500, "KWD"))

    def __init__(self) -> None:
        self.host = StandingHost()
        self.provider: PaymentProvider = plugin.create(plugin.settings(), self.host)

    async def pay(self, started: Started, charged: Money | None = None) -> list[ProviderRequest]:
        return [self._pressed(urlsplit(started.address).query)]

    def forgeries(self, started: Started) -> Sequence[tuple[str, ProviderRequest]]:
        query = urlsplit(started.address).query
        order, _, tag = query.partition("&tag=")
        return [
            ("no tag", self._pressed(order)),
            ("an empty tag", self._pressed(f"{order}&tag=")),
            ("a tag of another order", self._pressed(f"order=eyJhbW91bnQiOiAxfQ%3D%3D&tag={tag}")),
            ("a tag that is no text", self._pressed(f"{order}&tag=%FF%FE")),
            ("another order before it", self._pressed(f"order=eyJhbW91bnQiOiAxfQ%3D%3D&{query}")),
            ("an altered order", self._pressed(query.replace("order=e", "order=f"))),
        ]

    def _pressed(self, query: str) -> ProviderRequest:
        headers = [(b"content-type", b"application/x-www-form-urlencoded")]
        return ProviderRequest("POST", "pay", query, headers, b"choice=pay")


class TestSandbox(PaymentProviderContract):
    @pytest.fixture
    async def rig(self) -> SandboxRig:
        rig = SandboxRig()
        await rig.provider.start()
        return rig
