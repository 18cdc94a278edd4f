"""A held result is paid for by x402: with real signatures, once, and delivered with a receipt."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.flow.application import CSV
from tests.flow.service import NAVIGATION, Reply, Service, pay, wait_until

from .chain import Chain
from .conftest import PRICE, SELLER, TOKEN
from .facilitator import FacilitatorServer
from .wallet import Wallet, altered, offered, opened, settled

Headers = dict[str, str]


def hold(service: Service, person: Headers, path: str = "/report.csv") -> str:
    """Where a result of this person waits."""

    def ask() -> Reply | None:
        asked = service.request("GET", path, person)
        return asked if asked.reason != "store-unavailable" else None  # on a busy machine it may be slow at first

    reply: Reply = wait_until(ask, "the store answers")
    assert (reply.status, reply.reason) == (402, "result-held")
    return str(reply.json()["hold"]["release"])


def bought(reply: Reply) -> bool:
    return reply.status == 200 and reply.body == CSV


def ledger(service: Service, person: Headers) -> list[Any]:
    return service.ledger(person["x-user-id"])


def test_an_offer_says_how_to_pay(service: Service, person: Headers) -> None:
    release = hold(service, person)
    for headers in (person, {**person, **NAVIGATION}):
        reply = service.request("GET", release, headers)
        assert reply.status == 402
        told = offered(reply)
        assert told["x402Version"] == 2 and told["resource"]["url"].endswith(release)
        [accepted] = told["accepts"]
        assert (accepted["amount"], accepted["payTo"], accepted["asset"]) == (str(PRICE), SELLER, TOKEN)
        assert "PAYMENT-REQUIRED" in reply.header("access-control-expose-headers")
        assert "no-store" in reply.header("cache-control")
        assert len(reply.header("payment-required")) < 1500, "proxies in between refuse more"


def test_a_payment_delivers_the_result_with_a_receipt(
    service: Service, person: Headers, wallet: Wallet, chain: Chain, facilitator: FacilitatorServer
) -> None:
    release = hold(service, person)
    signed = wallet.sign(service.request("GET", release, person))
    reply = service.request("GET", release, {**person, **signed})
    assert bought(reply) and reply.reason == ""
    told = settled(reply)
    assert told["success"] is True and told["network"] == "eip155:84532" and told["payer"] == wallet.address
    assert chain.transfers[-1] == (wallet.address.lower(), SELLER.lower(), PRICE)
    [entry] = ledger(service, person)
    assert (entry["kind"], entry["provider"], entry["amount"], entry["currency"]) == ("payment", "x402", PRICE, "USDC")
    assert entry["payment"] == told["transaction"] and entry["took_hold"]
    assert dict(facilitator.asked) == {"verify": 1, "settle": 1}


def test_the_facilitator_is_told_our_terms_and_no_ticket(
    service: Service, person: Headers, wallet: Wallet, facilitator: FacilitatorServer
) -> None:
    release = hold(service, person)
    signed = wallet.sign(service.request("GET", release, person))
    ticket = opened(signed)["accepted"]["extra"]["ticket"]
    cheap = {**opened(signed)["accepted"], "maxTimeoutSeconds": 5, "evil": True}
    assert bought(service.request("GET", release, {**person, **altered(signed, accepted=cheap)}))
    for body in facilitator.bodies:
        assert body["paymentRequirements"]["maxTimeoutSeconds"] == 300
        assert ticket not in str(body)


def test_fifty_at_once_make_one_settlement_and_one_delivery(
    service: Service, person: Headers, wallet: Wallet, chain: Chain, facilitator: FacilitatorServer
) -> None:
    release = hold(service, person)
    signed = wallet.sign(service.request("GET", release, person))
    before = len(chain.transfers)

    def take(_: int) -> Reply:
        return service.request("GET", release, {**person, **signed})

    with ThreadPoolExecutor(50) as pool:
        replies = list(pool.map(take, range(50)))
    for reply in replies:
        busy = (reply.status, reply.reason) == (503, "payment-in-progress")
        assert bought(reply) or (busy and reply.header("retry-after"))
        assert not reply.header("payment-required"), "nobody is asked to pay again meanwhile"
    assert any(map(bought, replies))
    assert dict(facilitator.asked) == {"verify": 1, "settle": 1}
    assert len(chain.transfers) == before + 1
    assert len(ledger(service, person)) == 1
    assert bought(take(0)) and dict(facilitator.asked) == {"verify": 1, "settle": 1}


def test_the_same_signature_again_has_the_same_result_and_receipt(
    service: Service, person: Headers, wallet: Wallet, facilitator: FacilitatorServer
) -> None:
    release = hold(service, person)
    headers = {**person, **wallet.sign(service.request("GET", release, person))}
    first, again = service.request("GET", release, headers), service.request("GET", release, headers)
    assert bought(first) and bought(again)
    assert settled(first) == settled(again)
    assert facilitator.asked["settle"] == 1


def test_the_ticket_stands_for_the_payer_and_what_was_signed_does_not(
    service: Service, person: Headers, wallet: Wallet
) -> None:
    release = hold(service, person)
    signed = wallet.sign(service.request("GET", release, person))
    assert bought(service.request("GET", release, signed)), "without signing in"
    assert bought(service.request("GET", release, signed))
    accepted = opened(signed)["accepted"]
    public = altered(signed, accepted={**accepted, "extra": {"name": "USDC", "version": "2"}})
    thief = service.request("GET", release, {**public, "x-user-id": "thief"})
    assert thief.status == 403, "what was signed is on the network for everybody to read"


def test_one_payment_is_good_for_one_result(
    service: Service, person: Headers, wallet: Wallet, facilitator: FacilitatorServer
) -> None:
    first, second = hold(service, person), hold(service, person, "/reports/private")
    signed = wallet.sign(service.request("GET", first, person))
    assert bought(service.request("GET", first, {**person, **signed}))
    reply = service.request("GET", second, {**person, **signed})
    assert (reply.status, reply.reason) == (402, "payment-invalid")
    assert offered(reply)["accepts"] and facilitator.asked["settle"] == 1


def test_a_payment_with_other_words_around_it_is_anothers(
    service: Service, person: Headers, wallet: Wallet, facilitator: FacilitatorServer
) -> None:
    first, second = hold(service, person), hold(service, person, "/reports/private")
    signed = wallet.sign(service.request("GET", first, person))
    assert bought(service.request("GET", first, {**person, **signed}))
    other = altered(signed, resource={"url": "https://elsewhere.example/"})
    reply = service.request("GET", second, {**person, **other})
    assert (reply.status, reply.reason) == (402, "payment-invalid")
    assert facilitator.asked["settle"] == 1


@pytest.mark.parametrize("what", ["signature", "value", "to", "nonce"])
def test_a_forged_payment_buys_nothing(
    service: Service, person: Headers, wallet: Wallet, facilitator: FacilitatorServer, chain: Chain, what: str
) -> None:
    release, before = hold(service, person), len(chain.transfers)
    signed = wallet.sign(service.request("GET", release, person))
    payload = opened(signed)["payload"]
    if what == "signature":
        payload["signature"] = "0x" + "11" * 64 + "1b"
    else:
        wrong = {"value": "1", "to": "0x" + "22" * 20, "nonce": "0x" + "33" * 32}
        payload["authorization"][what] = wrong[what]
    reply = service.request("GET", release, {**person, **altered(signed, payload=payload)})
    assert (reply.status, reply.reason) == (402, "payment-invalid")
    assert offered(reply)["error"].startswith("Nothing was taken")
    assert facilitator.asked["settle"] == 0 and len(chain.transfers) == before
    assert bought(service.request("GET", release, {**person, **signed})), "the true one is not spoilt by it"


def test_a_price_that_the_client_names_does_not_count(
    service: Service, person: Headers, wallet: Wallet, facilitator: FacilitatorServer
) -> None:
    release, cheap = hold(service, person), hold(service, person, "/cheap/report.csv")
    signed = wallet.sign(service.request("GET", cheap, person))
    assert offered(service.request("GET", cheap, person))["accepts"][0]["amount"] == "5000"
    reply = service.request("GET", release, {**person, **signed})
    assert (reply.status, reply.reason) == (402, "payment-invalid")
    assert not facilitator.asked


def test_an_empty_wallet_buys_nothing(service: Service, person: Headers, facilitator: FacilitatorServer) -> None:
    release = hold(service, person)
    reply = service.request("GET", release, {**person, **Wallet().sign(service.request("GET", release, person))})
    assert (reply.status, reply.reason) == (402, "payment-invalid")
    assert "balance" in reply.json()["detail"] or "funds" in reply.json()["detail"]
    assert facilitator.asked["settle"] == 0


@pytest.mark.parametrize("value", ["", "x", "e30=", "A" * 20000, "eyJ4NDAyVmVyc2lvbiI6MX0="])
def test_what_can_not_be_read_is_told_so(service: Service, person: Headers, value: str) -> None:
    release = hold(service, person)
    reply = service.request("GET", release, {**person, "payment-signature": value})
    expected = {"": (402, "hold-unpaid"), "A" * 20000: (400, "payment-malformed")}
    assert (reply.status, reply.reason) == expected.get(value, (400, "payment-malformed"))


def test_whoever_has_paid_otherwise_is_not_charged(
    service: Service, person: Headers, wallet: Wallet, facilitator: FacilitatorServer
) -> None:
    release = hold(service, person)
    asked = service.request("GET", release, person)
    signed = wallet.sign(asked)
    month = next(each["address"] for each in asked.json()["checkout"] if each["plan"] == "month")
    pay(service, person["x-user-id"], month)
    reply = service.request("GET", release, {**person, **signed})
    assert bought(reply) and not reply.header("payment-response")
    assert not facilitator.asked


def test_a_look_costs_nothing(
    service: Service, person: Headers, wallet: Wallet, facilitator: FacilitatorServer
) -> None:
    release = hold(service, person)
    signed = wallet.sign(service.request("GET", release, person))
    assert service.request("HEAD", release, {**person, **signed}).status == 402
    assert not facilitator.asked


def test_a_result_of_somebody_else_is_not_sold(service: Service, person: Headers, wallet: Wallet) -> None:
    release, own = hold(service, person), hold(service, {"x-user-id": "somebody else"})
    signed = wallet.sign(service.request("GET", own, {"x-user-id": "somebody else"}))
    assert service.request("GET", release, {"x-user-id": "somebody else", **signed}).status == 403
