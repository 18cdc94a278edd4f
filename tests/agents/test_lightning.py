"""A held result is paid for over the Lightning network, by L402."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

import pytest

from gateway.protocols.l402 import Token
from tests.flow.application import Application
from tests.flow.service import NAVIGATION, Administered, Reply, Service, wait_until

from .commands import command
from .conftest import CONFIG, SELLER
from .node import MACAROON, LightningNode
from .test_x402_release import Headers, bought, hold, ledger

DEPLOYED = re.compile(r'(LSAT|L402) macaroon="(.*?)", invoice="(.*?)"')
"""What the reference client finds a challenge by."""
PRICES = """lightning:
  lnd: "{node}"
  macaroon: {{env: LND_MACAROON}}
  price: 500
  prices: {{private: 900}}
"""


@pytest.fixture(scope="module")
def node() -> Iterator[LightningNode]:
    running = LightningNode().start()
    yield running
    running.close()


@pytest.fixture(scope="module")
def service(
    application: Application, node: LightningNode, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Administered]:
    """A gateway that is paid over the Lightning network, and not by x402."""
    folder = tmp_path_factory.mktemp("gateway")
    config = CONFIG.format(upstream=application.url, data=folder, facilitator="http://127.0.0.1:9", seller=SELLER)
    before, _, rest = config.partition("x402:\n")
    config = before + PRICES.format(node=node.url) + rest[rest.index("log: ") :]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LND_MACAROON", MACAROON)
        running = Administered(folder, config)
        running.start()
        yield running
        command(running, "ledger", "verify")
        assert running.stop() == 0


def challenge(reply: Reply) -> tuple[str, str]:
    """Token and invoice, as deployed clients find them."""
    found = DEPLOYED.search(reply.header("www-authenticate"))
    assert found is not None, reply.headers
    return found[2], found[3]


def paid(node: LightningNode, reply: Reply, scheme: str = "L402") -> Headers:
    token, invoice = challenge(reply)
    return {"authorization": f"{scheme} {token}:{node.pay(invoice)}"}


@pytest.mark.parametrize("scheme", ["L402", "LSAT"])
def test_a_paid_invoice_opens_the_result_without_signing_in(
    service: Service, person: Headers, node: LightningNode, scheme: str
) -> None:
    release = hold(service, person)
    asked = service.request("GET", release, person)
    assert (asked.status, asked.reason) == (402, "hold-unpaid") and not asked.header("payment-required")
    headers = paid(node, asked, scheme)
    assert bought(service.request("GET", release, headers))
    [entry] = ledger(service, person)
    assert (entry["provider"], entry["amount"], entry["currency"], entry["took_hold"]) == ("l402", 500, "SATS", True)
    assert bought(service.request("GET", release, headers)), "a token is good for its result as often as it comes"
    assert len(ledger(service, person)) == 1
    assert bought(service.request("GET", release, person)), "and it is theirs who asked for it"


def test_prices_are_those_of_the_route(service: Service, person: Headers, node: LightningNode) -> None:
    for path, price in (("/report.csv", "500"), ("/reports/private", "900")):
        service.request("GET", hold(service, person, path), person)
        assert node.asked[-1]["value"] == price


def test_who_asks_again_gets_the_same_invoice(service: Service, person: Headers, node: LightningNode) -> None:
    release, before = hold(service, person), len(node.asked)
    challenges = {
        challenge(service.request("GET", release, headers)) for headers in 3 * [person, {**person, **NAVIGATION}]
    }
    assert len(challenges) == 1 and len(node.asked) == before + 1


def test_a_token_opens_its_own_result_alone(service: Service, person: Headers, node: LightningNode) -> None:
    first, second = hold(service, person), hold(service, person, "/reports/private")
    headers = paid(node, service.request("GET", first, person))
    reply = service.request("GET", second, {**person, **headers})
    assert (reply.status, reply.reason) == (402, "payment-invalid")
    assert not ledger(service, person)
    assert bought(service.request("GET", first, headers))


def test_without_the_preimage_nothing_opens(service: Service, person: Headers, node: LightningNode) -> None:
    release = hold(service, person)
    token, _ = challenge(service.request("GET", release, person))
    reply = service.request("GET", release, {**person, "authorization": f"L402 {token}:{'00' * 32}"})
    assert (reply.status, reply.reason) == (402, "payment-invalid")
    assert challenge(reply)[0] == token, "and it is told again how to pay"
    assert not ledger(service, person)


@pytest.mark.parametrize("value", ["L402", "L402 x", "L402 x:y", f"L402 AgEA:{'0' * 64}", "LSAT " + "A" * 20000])
def test_what_can_not_be_read_is_told_so(service: Service, person: Headers, value: str) -> None:
    reply = service.request("GET", hold(service, person), {**person, "authorization": value})
    assert (reply.status, reply.reason) == (400, "payment-malformed")


def test_a_token_of_somebody_elses_making_opens_nothing(service: Service, person: Headers, node: LightningNode) -> None:
    release, preimage = hold(service, person), b"p" * 32
    own = Token.make(b"guessed" * 5, hashlib.sha256(preimage).digest(), b"i" * 32, "any", 1, 2**40)
    reply = service.request("GET", release, {**person, "authorization": f"L402 {own.text}:{preimage.hex()}"})
    assert (reply.status, reply.reason) == (402, "payment-invalid")


@pytest.mark.parametrize("instead", [{}, {"r_hash": "AA==", "payment_request": 5}, [], {"r_hash": 1}])
def test_a_node_that_makes_no_invoice_leaves_the_other_ways_to_pay(
    service: Administered, person: Headers, node: LightningNode, instead: object
) -> None:
    node.instead = instead
    try:
        reply = service.request("GET", hold(service, person), person)
    finally:
        node.instead = None
    assert reply.status == 402 and reply.json()["checkout"]
    assert not reply.header("www-authenticate")
    wait_until(lambda: service.said("without an invoice"), "an operator is told")


def test_nothing_is_offered_so_where_a_result_is_made(service: Service, person: Headers) -> None:
    assert not service.request("POST", "/report.csv", person).header("www-authenticate")
