"""Payments at providers with an API, through a real gateway: begun, paid, reported, or found out on return."""

from __future__ import annotations

import asyncio
import itertools
import os
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio

from gateway.ports.payment import Started
from tests.plugins.pay import midtrans_rig, paddle_rig, yookassa_rig

from .application import Application
from .conftest import CONFIG
from .service import COMMAND, NAVIGATION, Reply, Service, visible

pytestmark = pytest.mark.asyncio(loop_scope="module")

RIGS: dict[str, tuple[Callable[[], Any], dict[str, str], str, str]] = {
    "yookassa": (
        yookassa_rig.YooKassaRig, yookassa_rig.ENVIRONMENT, "499.00 RUB",
        '{{shop_id: "54401", secret_key: {{env: YOOKASSA_KEY}}, webhook_token: {{env: YOOKASSA_TOKEN}}, '
        "api_base: {address}/v3}}",
    ),
    "midtrans": (
        midtrans_rig.MidtransRig, midtrans_rig.ENVIRONMENT, "50000 IDR",
        "{{server_key: {{env: MIDTRANS_KEY}}, test: true, api_base: {address}}}",
    ),
    "paddle": (
        paddle_rig.PaddleRig, paddle_rig.ENVIRONMENT, "19.00 USD",
        "{{api_key: {{env: PADDLE_KEY}}, client_token: test_fake, webhook_secrets: [{{env: PADDLE_SECRET}}], "
        "test: true, api_base: {address}}}",
    ),
}  # fmt: skip
"""The provider's fake, its keys, a price in its currency, and its settings."""
_NUMBERS = itertools.count()


class Paying:
    """A gateway, the fake of a provider, and a person who pays."""

    def __init__(self, service: Service, rig: Any) -> None:
        self.service, self.rig, self.name = service, rig, f"payer-{next(_NUMBERS)}"

    async def ask(self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b"") -> Reply:
        return await asyncio.to_thread(
            self.service.request, method, path, {"x-user-id": self.name, **(headers or {})}, body
        )

    async def begin(self) -> Started:
        await asyncio.to_thread(self.service.expire, self.name)
        offer = await self.ask("GET", "/report.csv")
        assert offer.status == 402
        begun = await self.ask("POST", offer.json()["checkout"][0]["address"])
        assert begun.status == 303, begun.body
        self.checkout = begun.json()["checkout"]
        return Started(begun.header("location"))

    async def report(self, requests: list[Any], provider: str) -> list[int]:
        """What the provider sends, to where its settings say."""
        statuses = []
        for request in requests:
            headers = {name.decode(): value.decode() for name, value in request.headers}
            path = f"/_paywall/provider/{provider}/{request.path}"
            statuses.append((await self.ask("POST", path, headers, request.body)).status)
        return statuses

    async def ledger(self, kind: str) -> list[dict[str, Any]]:
        entries = await asyncio.to_thread(self.service.ledger, self.name)
        return [entry for entry in entries if entry["kind"] == kind]

    async def status(self) -> str:
        reply = await self.ask("GET", f"/_paywall/paid?checkout={self.checkout}")
        return str(reply.json()["status"])


@pytest_asyncio.fixture(params=RIGS, scope="module", loop_scope="module")
async def gateway_and_fake(
    request: pytest.FixtureRequest, application: Application, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Service, Any, str]]:
    make, environment, price, settings = RIGS[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    rig = make()
    rig.host.now_ms = time.time_ns() // 1_000_000  # the gateway's clock is a real one
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        await rig.start()
    text = CONFIG.format(upstream=application.url, data=folder)
    its = f"- {request.param}: {settings.format(address=rig.fake.address)}"
    text = text.replace("3.00 USD", price).replace("- sandbox: {}", its)
    others = ("id: five", "id: month", "sandbox: allowed", "4.50 USD")
    config = "\n".join(line for line in text.splitlines() if not any(other in line for other in others))
    service = Service(folder, f"{config}\npublic_url: https://app.example.com\n", environment=environment)
    await asyncio.to_thread(service.start)
    yield service, rig, request.param
    assert await asyncio.to_thread(service.stop) == 0
    await rig.stop()


@pytest.fixture
def paying(gateway_and_fake: tuple[Service, Any, str]) -> tuple[Paying, str]:
    """Somebody new, and the provider's name."""
    service, rig, provider = gateway_and_fake
    return Paying(service, rig), provider


async def test_what_is_reported_is_paid_once_and_the_result_is_released(paying: tuple[Paying, str]) -> None:
    person, provider = paying
    started = await person.begin()
    reports = await person.rig.pay(started)
    for _ in range(2):
        assert set(await person.report(reports, provider)) == {200}
    assert await person.status() == "paid"
    assert len(await person.ledger("payment")) == 1
    page = await person.ask("GET", f"/_paywall/paid?checkout={person.checkout}", NAVIGATION)
    assert "Thank you" in visible(page)


async def test_what_was_never_reported_is_found_on_return(paying: tuple[Paying, str]) -> None:
    person, _ = paying
    await person.rig.pay(await person.begin())
    assert await person.status() == "paid"


async def test_what_failed_is_followed_by_another_checkout(paying: tuple[Paying, str]) -> None:
    person, provider = paying
    first = await person.begin()
    await person.report(await person.rig.fail(first), provider)
    failed = person.checkout
    assert await person.status() == "failed"
    second = await person.begin()
    assert person.checkout != failed
    assert set(await person.report(await person.rig.pay(second), provider)) == {200}
    assert await person.status() == "paid"


async def test_money_that_went_back_takes_back_what_it_gave(paying: tuple[Paying, str]) -> None:
    person, provider = paying
    await person.report(await person.rig.pay(await person.begin()), provider)
    [paid] = await person.ledger("payment")
    assert set(await person.report(await person.rig.refund(paid["payment"]), provider)) == {200}
    assert [entry["payment"] for entry in await person.ledger("refund")] == [paid["payment"]]


async def test_a_stranger_s_report_is_refused(paying: tuple[Paying, str]) -> None:
    person, provider = paying
    started = await person.begin()
    for name, forged in person.rig.forgeries(started):
        assert (await person.report([forged], provider)) in ([400], [404]), name
    assert await person.status() in ("open", "unknown")


async def test_the_gateway_gives_money_back_by_command(paying: tuple[Paying, str]) -> None:
    person, provider = paying
    await person.report(await person.rig.pay(await person.begin()), provider)
    [paid] = await person.ledger("payment")
    command = [*COMMAND, "payments", "refund", str(person.service.config), f"person:{person.name}", paid["payment"]]
    environment = {**os.environ, **RIGS[provider][1]}
    done = await asyncio.to_thread(
        subprocess.run, command, cwd=person.service.folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    await person.report(person.rig.sent(), provider)
    assert person.rig.given_back(paid["payment"]).minor > 0
    assert [entry["payment"] for entry in await person.ledger("refund")] == [paid["payment"]]
