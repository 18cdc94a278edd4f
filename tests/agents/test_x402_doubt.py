"""Where it is not known whether money came, nobody is asked for it again, and it is found out."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from tests.flow.application import Application
from tests.flow.service import COMMAND, Administered, Reply, Service, wait_until

from .chain import Chain
from .commands import command
from .conftest import CONFIG, SELLER
from .facilitator import Answer, FacilitatorServer
from .test_x402_release import Headers, bought, hold, ledger
from .wallet import Wallet, settled

IMPATIENT = """
import gateway.payments.settling as settling, gateway.store.attempts as attempts
import gateway.payments.reconcile as reconcile
settling.PAUSE_MS = attempts.PAUSE_MS = 0
reconcile._FRESH_MS = 0
"""


@pytest.fixture(scope="module")
def service(
    application: Application, facilitator_server: FacilitatorServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """A gateway that asks again at once about what is in doubt."""
    folder = tmp_path_factory.mktemp("gateway")
    config = CONFIG.format(upstream=application.url, data=folder, facilitator=facilitator_server.url, seller=SELLER)
    running = Administered(folder, config.replace("settle_timeout: 2s", "settle_timeout: 700ms"), beforehand=IMPATIENT)
    running.start()
    yield running
    command(running, "ledger", "verify")
    assert running.stop() == 0


def in_doubt(reply: Reply) -> bool:
    """It is told that nothing is known, and not that money is wanted."""
    told = (reply.status, reply.reason) == (503, "payment-unknown")
    assert not told or "Do not pay again" in reply.json()["detail"]
    assert not told or reply.header("retry-after")
    return told and not reply.header("payment-required")


PENDING: Answer = (
    200,
    {"success": False, "errorReason": "settlement_pending", "transaction": "0x" + "1" * 64, "network": "eip155:84532"},
)
REPEATED = [
    lambda: PENDING,
    lambda: (200, b"<html>not json"),
    lambda: (500, {"error": "internal"}),
    lambda: (200, {"success": True, "transaction": "", "network": "eip155:84532"}),
    lambda: (200, {"success": False, "errorReason": "unexpected_settle_error", "transaction": "", "network": "x"}),
    lambda: (200, b"x" * 100_000),
]


@pytest.mark.parametrize("answer", REPEATED, ids=["pending", "rubbish", "500", "no transaction", "unexpected", "long"])
def test_an_answer_that_says_nothing_for_certain_leaves_it_in_doubt(
    service: Service, person: Headers, wallet: Wallet, facilitator: FacilitatorServer, answer: Any
) -> None:
    release = hold(service, person)
    signed = wallet.sign(service.request("GET", release, person))
    facilitator.instead["settle"] = answer
    assert in_doubt(service.request("GET", release, {**person, **signed}))
    assert in_doubt(service.request("GET", release, person)), "nor is anybody who comes without it asked to pay"
    other = service.request("POST", "/blocked/other", person)
    assert other.status == 402 and not other.header("payment-required")
    assert not ledger(service, person)


def test_a_settlement_without_an_answer_is_found_out_by_the_same_signature(
    service: Service, person: Headers, wallet: Wallet, facilitator: FacilitatorServer, chain: Chain
) -> None:
    release, before = hold(service, person), len(chain.transfers)
    signed = wallet.sign(service.request("GET", release, person))
    facilitator.instead["settle"] = facilitator.silent
    assert in_doubt(service.request("GET", release, {**person, **signed}))
    facilitator.instead.clear()
    reply = service.request("GET", release, {**person, **signed})
    assert bought(reply) and settled(reply)["success"]
    assert len(chain.transfers) == before + 1 and len(ledger(service, person)) == 1
    assert service.request("POST", "/blocked/other", person).header("payment-required"), "and may be asked again"


def test_another_signature_is_not_taken_meanwhile(
    service: Service, person: Headers, wallet: Wallet, facilitator: FacilitatorServer
) -> None:
    release = hold(service, person)
    asked = service.request("GET", release, person)
    first, second = wallet.sign(asked), wallet.sign(asked)
    facilitator.instead["settle"] = lambda: PENDING
    assert in_doubt(service.request("GET", release, {**person, **first}))
    settlements = facilitator.asked["settle"]
    assert in_doubt(service.request("GET", release, {**person, **second}))
    assert in_doubt(service.request("POST", "/report.csv", {**person, **second}))
    assert facilitator.asked["settle"] == settlements


def test_it_is_found_out_by_itself(
    service: Service, person: Headers, wallet: Wallet, facilitator: FacilitatorServer
) -> None:
    release = hold(service, person)
    signed = wallet.sign(service.request("GET", release, person))
    facilitator.instead["settle"] = lambda: PENDING
    assert in_doubt(service.request("GET", release, {**person, **signed}))
    facilitator.instead.clear()
    told = command(service, "payments", "reconcile")
    assert "paid" in told and "x402" in told
    assert bought(service.request("GET", release, person)), "without paying, and without the signature"


@pytest.mark.parametrize("came", [True, False])
def test_what_only_the_network_knows_is_for_an_operator_to_say(
    service: Administered, person: Headers, wallet: Wallet, facilitator: FacilitatorServer, came: bool
) -> None:
    facilitator.remembers = False
    release = hold(service, person)
    signed = wallet.sign(service.request("GET", release, person))
    facilitator.instead["settle"] = facilitator.silent
    assert in_doubt(service.request("GET", release, {**person, **signed}))
    facilitator.instead.clear()
    assert in_doubt(service.request("GET", release, {**person, **signed})), "a nonce that is used proves nothing"
    line = [line for line in service.messages if "it is not known whether" in line][-1]
    reference = line.partition("decide FILE ")[2].strip().rstrip("`")
    choice = ["--transaction", "0xfound"] if came else ["--not-paid"]
    assert decide(service, reference, *choice) == 0
    assert decide(service, reference, *choice) == 1, "it is decided"
    reply = service.request("GET", release, person)
    assert bought(reply) == came
    assert bool(reply.header("payment-required")) != came
    assert [entry["payment"] for entry in ledger(service, person)] == (["0xfound"] if came else [])


def decide(service: Service, reference: str, *choice: str) -> int:
    words = ["payments", "decide", str(service.config), reference, *choice]
    return subprocess.run([*COMMAND, *words], cwd=service.folder, capture_output=True).returncode


def test_another_way_to_pay_waits_too(
    service: Service, person: Headers, wallet: Wallet, facilitator: FacilitatorServer
) -> None:
    release = hold(service, person)
    asked = service.request("GET", release, person)
    facilitator.instead["settle"] = lambda: PENDING
    assert in_doubt(service.request("GET", release, {**person, **wallet.sign(asked)}))
    begun = service.request("POST", asked.json()["checkout"][0]["address"], person)
    assert begun.json()["outcome"] == "checking"


def test_a_facilitator_that_is_away_leaves_nothing_in_doubt(
    service: Service, person: Headers, wallet: Wallet, facilitator: FacilitatorServer
) -> None:
    release = hold(service, person)
    signed = wallet.sign(service.request("GET", release, person))
    facilitator.stop()
    try:
        reply = service.request("GET", release, {**person, **signed})
    finally:
        facilitator.restart()
    assert (reply.status, reply.reason) == (503, "provider-unavailable")
    assert bought(service.request("GET", release, {**person, **signed}))


def test_a_facilitator_that_can_not_verify_takes_nothing(
    service: Service, person: Headers, wallet: Wallet, facilitator: FacilitatorServer
) -> None:
    release = hold(service, person)
    signed = wallet.sign(service.request("GET", release, person))
    answers: list[Answer] = [(200, b"nonsense"), (500, {}), (200, {"isValid": "yes"})]
    for answer in answers:
        facilitator.instead["verify"] = partial(tuple[int, Any], answer)
        reply = service.request("GET", release, {**person, **signed})
        assert (reply.status, reply.reason) == (502, "provider-unavailable")
    assert facilitator.asked["settle"] == 0
    facilitator.instead.clear()
    assert bought(service.request("GET", release, {**person, **signed}))


def test_what_failed_for_certain_says_so_and_another_signature_pays(
    service: Service, person: Headers, wallet: Wallet, facilitator: FacilitatorServer
) -> None:
    release = hold(service, person)
    asked = service.request("GET", release, person)
    refused = {"success": False, "errorReason": "insufficient_funds", "transaction": "", "network": "eip155:84532"}
    facilitator.instead["settle"] = lambda: (200, refused)
    signed = wallet.sign(asked)
    reply = service.request("GET", release, {**person, **signed})
    assert (reply.status, reply.reason) == (402, "payment-failed")
    assert settled(reply)["errorReason"] == "insufficient_funds" and reply.header("payment-required")
    facilitator.instead.clear()
    again = service.request("GET", release, {**person, **signed})
    assert (again.status, again.reason) == (402, "payment-failed"), "one attempt for one signature"
    assert bought(service.request("GET", release, {**person, **wallet.sign(again)}))


def test_an_operator_is_told(
    service: Administered, person: Headers, wallet: Wallet, facilitator: FacilitatorServer
) -> None:
    release = hold(service, person)
    facilitator.instead["settle"] = lambda: PENDING
    assert in_doubt(service.request("GET", release, {**person, **wallet.sign(service.request("GET", release, person))}))
    wait_until(lambda: service.said("it is not known whether 3.000000 USDC came: settlement_pending"), "it is told")


def test_a_gateway_that_is_killed_while_it_settles_finds_it_out(
    application: Application, facilitator: FacilitatorServer, wallet: Wallet, chain: Chain, tmp_path: Any
) -> None:
    config = CONFIG.format(upstream=application.url, data=tmp_path, facilitator=facilitator.url, seller=SELLER)
    lease = "import gateway.wiring.signing as signing; signing._MARGIN_MS = 0\n"
    person, before = {"x-user-id": "somebody"}, len(chain.transfers)
    service = Administered(tmp_path, config.replace("settle_timeout: 2s", "settle_timeout: 500ms"), IMPATIENT + lease)
    service.start()
    release = hold(service, person)
    signed = wallet.sign(service.request("GET", release, person))
    facilitator.instead["settle"] = facilitator.silent
    connection = service.connect()
    lines = [f"{name}: {value}" for name, value in {**person, **signed, "host": "a"}.items()]
    connection.sendall(("\r\n".join([f"GET {release} HTTP/1.1", *lines]) + "\r\n\r\n").encode())
    wait_until(lambda: len(chain.transfers) == before + 1, "the money has moved")
    assert service.process is not None
    service.process.kill()
    service.process.wait(20)
    service.stop()
    connection.close()
    service.messages.clear()
    facilitator.instead.clear()
    service.start()
    try:
        assert not service.request("GET", release, person).header("payment-response")
        reply = wait_until(lambda: _found(service, release, {**person, **signed}), "it is found out")
        assert bought(reply) and len(chain.transfers) == before + 1
        assert [entry["kind"] for entry in ledger(service, person)] == ["payment"]
    finally:
        service.stop()


def _found(service: Service, release: str, headers: Headers) -> Reply | None:
    reply = service.request("GET", release, headers)
    assert reply.status in (200, 503)
    return reply if reply.status == 200 else None
