"""A program pays with the request that asks for a result: it is made first, and settled only where it was made."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from x402 import x402Client
from x402.http.clients.httpx import x402HttpxClient
from x402.mechanisms.evm.exact import ExactEvmClientScheme

from tests.flow.application import Application
from tests.flow.service import Reply, Service, wait_until

from .facilitator import FacilitatorServer
from .test_x402_release import Headers, bought, ledger
from .wallet import Wallet, offered, settled


def ask(service: Service, person: Headers, path: str = "/report.csv", method: str = "POST") -> Reply:
    """A first request, which is answered with the price."""
    reply = service.request(method, path, person)
    assert reply.status == 402
    return reply


def test_the_held_result_is_sold_and_not_made_twice(
    service: Service, application: Application, person: Headers, wallet: Wallet, facilitator: FacilitatorServer
) -> None:
    asked = ask(service, person)
    assert asked.reason == "result-held"
    made = application.executed["/report.csv"]
    reply = service.request("POST", "/report.csv", {**person, **wallet.sign(asked)})
    assert bought(reply) and settled(reply)["success"]
    assert application.executed["/report.csv"] == made
    assert dict(facilitator.asked) == {"verify": 1, "settle": 1}
    assert [entry["kind"] for entry in ledger(service, person)] == ["payment"]


@pytest.mark.parametrize("path", ["/blocked/report", "/files/page"])
def test_what_was_not_made_is_made_after_it_is_verified_and_before_it_is_settled(
    service: Service,
    application: Application,
    person: Headers,
    wallet: Wallet,
    facilitator: FacilitatorServer,
    path: str,
) -> None:
    asked = ask(service, person, path)
    made = application.executed[path]
    reply = service.request("POST", path, {**person, **wallet.sign(asked)})
    assert reply.status == 200 and settled(reply)["success"], reply.body
    assert application.executed[path] <= made + 1
    again = service.request("POST", path, {**person, **wallet.sign(asked)})
    assert again.status == 200
    assert facilitator.asked["settle"] == 2, "another signature is another payment"


def test_the_same_signature_again_makes_nothing_and_settles_nothing(
    service: Service, application: Application, person: Headers, wallet: Wallet, facilitator: FacilitatorServer
) -> None:
    signed = wallet.sign(ask(service, person, "/blocked/report"))
    first = service.request("POST", "/blocked/report", {**person, **signed})
    made = application.executed["/blocked/report"]
    again = service.request("POST", "/blocked/report", {**person, **signed})
    assert (first.status, again.status) == (200, 200) and first.body == again.body
    assert settled(first) == settled(again)
    assert application.executed["/blocked/report"] == made
    assert dict(facilitator.asked) == {"verify": 1, "settle": 1}


def test_fifty_at_once_are_made_once_and_settled_once(
    service: Service, application: Application, person: Headers, wallet: Wallet, facilitator: FacilitatorServer
) -> None:
    signed = wallet.sign(ask(service, person, "/blocked/many"))

    def take(_: int) -> Reply:
        return service.request("POST", "/blocked/many", {**person, **signed})

    with ThreadPoolExecutor(50) as pool:
        replies = list(pool.map(take, range(50)))
    assert {reply.status for reply in replies} <= {200, 503}
    assert any(reply.status == 200 for reply in replies)
    assert application.executed["/blocked/many"] == 1
    assert dict(facilitator.asked) == {"verify": 1, "settle": 1}


@pytest.mark.parametrize(
    ("path", "status"), [("/fails", 500), ("/missing", 404), ("/not-a-result", 200), ("/cut", 502)]
)
def test_what_the_application_does_not_give_costs_nothing(
    service: Service, application: Application, wallet: Wallet, facilitator: FacilitatorServer, person: Headers,
    path: str, status: int,
) -> None:  # fmt: skip
    signed = wallet.sign(ask(service, person, "/blocked/any"))
    reply = service.request("POST", path, {**person, **signed})
    assert reply.status == status and not reply.header("payment-response")
    assert facilitator.asked["settle"] == 0 and not ledger(service, person)
    reply = service.request("POST", "/blocked/any", {**person, **signed})
    assert reply.status == 200, "the same signature is still good"


def test_what_is_too_large_to_be_kept_costs_nothing(
    service: Service, person: Headers, wallet: Wallet, facilitator: FacilitatorServer
) -> None:
    signed = wallet.sign(ask(service, person, "/blocked/any"))
    reply = service.request("POST", "/large?length=1", {**person, **signed})
    assert (reply.status, reply.reason) == (402, "hold-too-large")
    assert facilitator.asked["settle"] == 0


def test_a_bad_signature_does_not_reach_the_application(
    service: Service, application: Application, person: Headers, facilitator: FacilitatorServer
) -> None:
    signed = Wallet().sign(ask(service, person, "/blocked/poor"))
    reply = service.request("POST", "/blocked/poor", {**person, **signed})
    assert (reply.status, reply.reason) == (402, "payment-invalid")
    assert offered(reply)["accepts"] and application.executed["/blocked/poor"] == 0


def test_the_payment_stays_here_and_the_body_goes_on(
    service: Service, application: Application, person: Headers, wallet: Wallet, facilitator: FacilitatorServer
) -> None:
    signed = wallet.sign(ask(service, person, "/echo"))
    reply = service.request("POST", "/echo", {**person, **signed}, b"what is asked for")
    assert reply.status == 200
    path, headers = application.seen[-1]
    assert path.startswith("/echo") and not [name for name, _ in headers if name.lower() == b"payment-signature"]


def test_somebody_without_an_account_or_a_cookie_pays_and_comes_again(
    service: Service, application: Application, wallet: Wallet, facilitator: FacilitatorServer
) -> None:
    asked = ask(service, {}, "/blocked/stranger")
    assert asked.reason == "payment-required"
    signed = wallet.sign(asked)
    first = service.request("POST", "/blocked/stranger", signed)
    again = service.request("POST", "/blocked/stranger", signed)
    assert (first.status, again.status) == (200, 200) and first.body == again.body
    assert application.executed["/blocked/stranger"] == 1
    assert dict(facilitator.asked) == {"verify": 1, "settle": 1}


def test_a_client_that_leaves_while_it_is_settled_finds_the_result(
    service: Service, person: Headers, wallet: Wallet, facilitator: FacilitatorServer
) -> None:
    signed = wallet.sign(ask(service, person))
    facilitator.hold_back("settle")
    connection = service.connect()
    lines = [f"{name}: {value}" for name, value in {**person, **signed, "host": "a"}.items()]
    connection.sendall(("\r\n".join(["GET /report.csv HTTP/1.1", *lines]) + "\r\n\r\n").encode())
    wait_until(lambda: facilitator.asked["settle"] == 1, "it is being settled")
    connection.close()
    facilitator.let_go()
    reply = wait_until(lambda: _bought(service, person, signed), "it is settled all the same")
    assert settled(reply)["success"] and facilitator.asked["settle"] == 1


def _bought(service: Service, person: Headers, signed: Headers) -> Reply | None:
    reply = service.request("GET", "/report.csv", {**person, **signed})
    return reply if bought(reply) else None


async def test_the_reference_client_buys(service: Service, person: Headers, wallet: Wallet) -> None:
    client = x402Client()
    client.register("eip155:*", ExactEvmClientScheme(wallet.account))
    async with x402HttpxClient(client, base_url=service.address, headers=person) as http:
        reply = await http.post("/cheap/report.csv", json={"month": 3})
    assert reply.status_code == 200 and reply.headers["payment-response"]


def test_prices_are_those_of_the_route(service: Service, person: Headers) -> None:
    prices = {"/cheap/x": "5000", "/blocked/x": "3000000"}
    for path, amount in prices.items():
        [accepted] = offered(ask(service, person, path))["accepts"]
        assert accepted["amount"] == amount


def test_what_is_open_is_not_sold(
    service: Service, person: Headers, wallet: Wallet, facilitator: FacilitatorServer
) -> None:
    signed = wallet.sign(ask(service, person, "/blocked/any"))
    reply = service.request("GET", "/somewhere", {**person, **signed})
    assert reply.status == 200 and not facilitator.asked


def test_where_no_more_can_be_kept_what_is_kept_is_sold(
    service: Service, person: Headers, wallet: Wallet, facilitator: FacilitatorServer
) -> None:
    asked = ask(service, person, "/report.csv")
    for _ in range(19):
        ask(service, person, "/cheap/report")
    full = service.request("POST", "/report.csv", person)
    assert (full.status, full.reason) == (402, "hold-limit-reached") and not full.header("payment-required")
    reply = service.request("POST", "/report.csv", {**person, **wallet.sign(asked)})
    assert bought(reply) and facilitator.asked["settle"] == 1
