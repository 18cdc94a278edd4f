"""A held result is paid for by the scheme "Payment", by the reference client, over the same ledger."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import mpp
import pytest
from mpp.client.transport import PaymentTransport
from mpp.methods.evm import client as evm
from mpp.runtime import CredentialParams

from tests.flow.application import CSV
from tests.flow.service import Reply, Service

from .chain import Chain
from .conftest import PRICE, SELLER, TOKEN
from .facilitator import FacilitatorServer
from .test_x402_release import Headers, bought, hold, ledger
from .wallet import Wallet


def challenges(reply: Reply) -> list[mpp.Challenge]:
    lines = [value for name, value in reply.headers if name.lower() == "www-authenticate"]
    return [mpp.Challenge.from_www_authenticate(line) for line in lines]


def method(wallet: Wallet) -> Any:
    return evm.charge(
        currency=TOKEN, account=wallet.account, chain_id=84532, decimals=6,
        authorization={"name": "USDC", "version": "2"},
    )  # fmt: skip


async def answered(wallet: Wallet, reply: Reply) -> Headers:
    """The headers that pay for what a 402 asks for."""
    [challenge] = challenges(reply)
    credential = await method(wallet).create_credential(CredentialParams(challenge=challenge))
    return {"authorization": credential}


async def test_the_reference_client_buys_without_signing_in(
    service: Service, person: Headers, wallet: Wallet, chain: Chain, facilitator: FacilitatorServer
) -> None:
    release = hold(service, person)
    transport = PaymentTransport(methods=[method(wallet)])
    async with httpx.AsyncClient(transport=transport, base_url=service.address, headers=person) as http:
        reply = await http.get(release)
    assert (reply.status_code, reply.content) == (200, CSV)
    receipt = mpp.Receipt.from_payment_receipt(reply.headers["payment-receipt"])
    [entry] = await asyncio.to_thread(ledger, service, person)
    assert (receipt.status, receipt.reference) == ("success", entry["payment"])
    assert chain.transfers[-1] == (wallet.address.lower(), SELLER.lower(), PRICE)
    assert "private" in reply.headers["cache-control"]
    assert dict(facilitator.asked) == {"verify": 1, "settle": 1}


async def test_the_same_credential_again_has_the_same_result(
    service: Service, person: Headers, wallet: Wallet, facilitator: FacilitatorServer
) -> None:
    release = hold(service, person)
    headers = await answered(wallet, service.request("GET", release, person))
    first, again = service.request("GET", release, headers), service.request("GET", release, headers)
    assert bought(first) and bought(again) and again.header("payment-receipt")
    assert facilitator.asked["settle"] == 1


async def test_a_challenge_is_of_one_result(service: Service, person: Headers, wallet: Wallet) -> None:
    first, second = hold(service, person), hold(service, person, "/reports/private")
    headers = await answered(wallet, service.request("GET", first, person))
    reply = service.request("GET", second, {**person, **headers})
    assert (reply.status, reply.reason) == (402, "payment-invalid")
    assert bought(service.request("GET", first, headers))


async def test_a_challenge_of_somebody_else_is_malformed(service: Service, person: Headers, wallet: Wallet) -> None:
    release = hold(service, person)
    reply = service.request("GET", release, person)
    [challenge] = challenges(reply)
    forged = mpp.Challenge.create(
        secret_key="guessed", realm=challenge.realm, method="evm", intent="charge", expires=challenge.expires,
        request={**challenge.request, "amount": "1"}, meta=challenge.opaque,
    )  # fmt: skip
    params = CredentialParams(challenge=forged)
    credential = await method(wallet).create_credential(params)
    answer = service.request("GET", release, {**person, "authorization": credential})
    assert (answer.status, answer.reason) == (400, "payment-malformed")


async def test_an_empty_wallet_is_asked_again(
    service: Service, person: Headers, facilitator: FacilitatorServer
) -> None:
    release = hold(service, person)
    headers = await answered(Wallet(), service.request("GET", release, person))
    reply = service.request("GET", release, {**person, **headers})
    assert (reply.status, reply.reason) == (402, "payment-invalid")
    assert challenges(reply) and not reply.header("payment-receipt")
    assert facilitator.asked["settle"] == 0


@pytest.mark.parametrize("path", ["/report.csv", "/blocked/x"])
async def test_nothing_is_offered_so_where_a_result_is_made(service: Service, person: Headers, path: str) -> None:
    assert not challenges(service.request("POST", path, person))


@pytest.mark.parametrize("value", ["Payment", "Payment x", "Payment e30", "payment " + "A" * 20000])
def test_what_can_not_be_read_is_told_so(service: Service, person: Headers, value: str) -> None:
    release = hold(service, person)
    reply = service.request("GET", release, {**person, "authorization": value})
    expected = (402, "hold-unpaid") if value == "Payment" else (400, "payment-malformed")
    assert (reply.status, reply.reason) == expected
