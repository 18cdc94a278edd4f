"""A gateway that sells by x402, the application behind it, a facilitator and a network; wallets of one's own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from tests.flow.application import Application
from tests.flow.service import Administered

from .chain import Chain
from .commands import command
from .facilitator import FacilitatorServer
from .wallet import Wallet

TOKEN = "0x036CbD53842c5426634e7929541eC2318f3dCF7e"
SELLER = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C"
PRICE = 3_000_000
CONFIG = """
data: {data}
upstream: {{url: "{upstream}", read_timeout: 3s}}
sandbox: allowed
trusted_proxies: [127.0.0.1/32]
identity:
  - header: {{name: x-user-id}}
  - visitor: {{}}
trial: {{length: 0s}}
results_after_trial: {{mode: hold}}
holds: {{max_size: 2MiB, max_wait: 10s, reuse: 0s}}
plans:
  - {{id: single, name: This result, price: 3.00 USD, gives: 1 result}}
  - {{id: month, name: Thirty days, price: 19.00 USD, gives: 30d}}
payments:
  - sandbox: {{}}
x402:
  facilitator: "{facilitator}"
  pay_to: "{seller}"
  network: eip155:84532
  settle_timeout: 2s
  verify_timeout: 2s
  mpp: true
  prices: {{cheap: 0.005}}
log: {{format: json}}
routes:
  - {{path: "/report.csv", class: result, name: report}}
  - {{path: "/cheap/**", class: result, name: cheap}}
  - {{path: "/blocked/**", class: result, mode: block, name: blocked}}
  - {{path: "/fails", class: result, name: fails}}
  - {{path: "/missing", class: result, name: missing}}
  - {{path: "/reports/private", class: result, name: private}}
  - {{path: "/waits", class: result, name: waits}}
  - {{path: "/not-a-result", class: result, name: no-result}}
  - {{path: "/cut", class: result, name: cut}}
  - {{path: "/large", class: result, name: large}}
  - {{path: "/files/**", answer: {{media_type: [text/html]}}, class: result, name: documents}}
  - {{path: "/echo", class: result, name: echo}}
  - {{path: "/**", class: open}}
"""

_people = itertools.count()


@pytest.fixture(scope="session")
def application() -> Iterator[Application]:
    running = Application().start()
    yield running
    running.close()


@pytest.fixture(scope="session")
def chain() -> Chain:
    return Chain(TOKEN, 84532)


@pytest.fixture(scope="session")
def facilitator_server(chain: Chain) -> Iterator[FacilitatorServer]:
    running = FacilitatorServer(chain).start()
    yield running
    running.close()


@pytest.fixture
def facilitator(facilitator_server: FacilitatorServer) -> Iterator[FacilitatorServer]:
    """The facilitator, honest again after the test, and counting from nothing."""
    facilitator_server.asked.clear()
    facilitator_server.bodies.clear()
    yield facilitator_server
    facilitator_server.instead.clear()
    facilitator_server.remembers = True
    facilitator_server.let_go()


@pytest.fixture(scope="session")
def service(
    application: Application, facilitator_server: FacilitatorServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Administered]:
    folder = tmp_path_factory.mktemp("gateway")
    config = CONFIG.format(upstream=application.url, data=folder, facilitator=facilitator_server.url, seller=SELLER)
    running = Administered(folder, config)
    running.start()
    yield running
    command(running, "ledger", "verify")  # whatever the tests did: it agrees
    assert running.stop() == 0


@pytest.fixture
def person() -> dict[str, str]:
    """The headers of somebody nobody has seen yet."""
    return {"x-user-id": f"agent-{next(_people)}"}


@pytest.fixture
def wallet(chain: Chain) -> Wallet:
    """A wallet with money in it."""
    made = Wallet()
    chain.give(made.address, 100_000_000)
    return made
