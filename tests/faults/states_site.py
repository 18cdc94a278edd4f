"""A gateway in front of its application, with everybody who is going to ask it for something."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from gateway.access.proof import Proofs
from gateway.core.keyring import Keyring
from gateway.core.quantity import DAY, MINUTE
from gateway.core.standing import SubjectState
from gateway.core.subject import Subject, SubjectKind
from gateway.store.connection import Store, open_store
from gateway.wiring.assemble import wall_clock
from tests.faults.states_load import Plan
from tests.faults.states_plants import DATA, Plant
from tests.faults.states_record import EXPIRED, KNOWN, OPEN, PROOF
from tests.flow.service import Service, wait_until
from tests.free_port import free_port

SECRET = "a secret for nothing but these tests"
AT_ONCE = 8
RATES = {OPEN: 200.0, EXPIRED: 30.0, PROOF: 15.0, KNOWN: 15.0}
"""Requests a second."""
_CONFIG = """\
upstream: {{url: "http://127.0.0.1:{upstream}"}}
store: {store}
data: "{data}"
secret: {{env: FAULTS_SECRET}}
sandbox: allowed
trusted_proxies: [127.0.0.1/32]
identity:
  - header: {{name: x-user-id}}
trial: {{length: 14d, starts: first-visit}}
results_after_trial: {{mode: hold, grace: 0}}
plans:
  - {{id: month, name: Thirty days, price: 19.00 USD, gives: 30d}}
payments:
  - sandbox: {{}}
routes:
  - {{path: "/report/**", class: result, mode: block, name: report{more}}}
  - {{path: "/kept/**", class: result, name: kept{more}}}
  - {{path: "/**", class: open}}
"""


@dataclass(frozen=True)
class Crowd:
    """How many of each there are."""

    expired: int = 60
    proofs: int = 400
    known: int = 60
    paying: int = 60


@dataclass(frozen=True)
class Site:
    """A gateway that runs."""

    plant: Plant
    service: Service
    plan: Plan


@contextmanager
def site(plant: Plant, crowd: Crowd, more: str = "", beforehand: str = "") -> Iterator[Site]:
    """Everything but the clients. `more` goes into the config of the result routes, `beforehand` is for twins."""
    with _application() as upstream:
        data = plant.folder / DATA
        config = _CONFIG.format(upstream=upstream, store=plant.address, data=data, more=more)
        home = plant.folder / "gateway"
        home.mkdir()
        service = Service(home, config, environment={"FAULTS_SECRET": SECRET}, beforehand=beforehand)
        try:
            service.start()
            yield Site(plant, service, _prepare(plant, service, crowd))
        finally:
            service.stop()


@contextmanager
def _application() -> Iterator[int]:
    port = free_port()
    root = Path(__file__).parents[2]
    # Not for Ctrl-C to end: whoever started it does.
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.application", str(port), "0"], cwd=root, start_new_session=True
    )
    try:
        wait_until(lambda: _listens(port), "the application listens")
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def with_plant(plant: Plant, work: Callable[[Store], Awaitable[None]]) -> None:
    """Do this with the store, past the gateway."""

    async def run() -> None:
        store = open_store(plant.direct)
        await store.start()
        try:
            await work(store)
        finally:
            await store.stop()

    asyncio.run(run())


async def each(people: Iterable[str], work: Callable[[Subject], Awaitable[object]]) -> None:
    """Do this for all of them, a few at a time."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(person: str) -> None:
        async with turns:
            await work(Subject(SubjectKind.PERSON, person))

    await asyncio.gather(*map(one, people))


def _prepare(plant: Plant, service: Service, crowd: Crowd) -> Plan:
    expired = [f"expired-{number}" for number in range(crowd.expired)]
    proofs = [f"bearer-{number}" for number in range(crowd.proofs)]
    known = [f"known-{number}" for number in range(crowd.known)]
    paying = [f"payer-{number}" for number in range(crowd.paying)]

    async def prepare(store: Store) -> None:
        await each([*expired, *paying], store.operations.expire)
        await each([*proofs, *known], lambda subject: store.operations.grant(subject, "month", 30 * DAY, 0))

    with_plant(plant, prepare)
    for person in [*known, *known]:  # the first asks the store, and what it answers is remembered
        assert service.request("GET", "/report/7", {"x-user-id": person}).status == 200
    return Plan(
        port=service.port,
        rates=RATES,
        expired=expired,
        proofs=[(person, _proof(person)) for person in proofs],
        known=known,
        paying=[(person, _checkout(person, service)) for person in paying],
    )


def _proof(person: str) -> str:
    """The cookie that this gateway would give them."""
    proofs, now = Proofs(Keyring(SECRET.encode()).key("rights")), wall_clock()
    state = SubjectState(entitled_until=now + 30 * DAY)
    subject = Subject(SubjectKind.PERSON, person)
    made = proofs.renewed(subject, state, [(b"cookie", b"a=1")], secure=False, now=now - MINUTE)
    return made.partition(b";")[0].decode()


def _checkout(person: str, service: Service) -> str:
    begun = service.request("POST", "/_paywall/checkout?plan=month&route=report", {"x-user-id": person})
    assert begun.status == 303, begun.body
    return begun.header("location")
