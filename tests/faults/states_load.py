"""The clients, in a process of their own: open loop, over connections that are kept.

Requests fall due whatever became of those before, and are timed from when they were due. What to ask comes as JSON on
standard input; the clients go on until it ends, and their records are written to standard output then.
"""

from __future__ import annotations

import asyncio
import gc
import json
import random
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, astuple, dataclass, replace
from pathlib import Path

from tests.faults.states_record import EXPIRED, KNOWN, OPEN, PAID, PAYING, PROOF, Record

ANSWER_SECONDS = 10.0
_SEED = 3
_NAVIGATION = "sec-fetch-mode: navigate\r\nsec-fetch-site: none\r\naccept: text/html\r\n"
PAYING_SECONDS = 0.5
"""Between two tries to pay, of the same person and of one and the next."""


@dataclass(frozen=True)
class Plan:
    """Who asks for what, and how often a second."""

    port: int
    rates: dict[str, float]
    expired: list[str]
    proofs: list[tuple[str, str]]
    """Who, and the cookie; each is used once, as long as there are enough."""
    known: list[str]
    paying: list[tuple[str, str]]
    """Who, and the address of the provider's page."""

    def share(self, number: int, shares: int) -> Plan:
        """The same with a share of those whom a gateway meets once."""
        return replace(self, proofs=self.proofs[number::shares], paying=self.paying[number::shares])


class Clients:
    """That process, while it runs."""

    def __init__(self, plan: Plan) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.states_load"], cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asdict(plan)) + "\n")
        self._process.stdin.flush()

    def finish(self) -> list[Record]:
        """Stop asking; what they saw."""
        written, _ = self._process.communicate(timeout=60)
        assert self._process.returncode == 0, "the clients ended before their time"
        return [Record(*each) for each in json.loads(written)]

    def __enter__(self) -> Clients:
        return self

    def __exit__(self, *error: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()


class _Connections:
    """Kept ones, of which one is taken for each request."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._free: deque[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = deque()

    async def ask(self, request: bytes) -> tuple[int, bool]:
        """Status, and whether the answer is the gateway's own. Raises OSError or `IncompleteReadError`."""
        reader, writer = self._free.pop() if self._free else await asyncio.open_connection("127.0.0.1", self._port)
        try:
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            if length := _value(head, b"content-length"):
                await reader.readexactly(int(length))
            elif _value(head, b"transfer-encoding"):
                await _read_chunks(reader)
        except BaseException:
            writer.transport.abort()
            raise
        if _value(head, b"connection") == b"close":
            writer.close()
        else:
            self._free.append((reader, writer))
        return int(head.split(b" ", 2)[1]), bool(_value(head, b"paywall-reason"))


async def _read_chunks(reader: asyncio.StreamReader) -> None:
    while size := int(await reader.readline(), 16):
        await reader.readexactly(size + 2)
    await reader.readline()


def _value(head: bytes, name: bytes) -> bytes:
    _, found, rest = head.partition(b"\r\n" + name + b":")
    return rest.partition(b"\r\n")[0].strip() if found else b""


class _Load:
    """All clients of one plan."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._connections = _Connections(plan.port)
        self._records: list[Record] = []
        self._tasks: set[asyncio.Task[int]] = set()
        self._stopped = asyncio.Event()

    async def run(self) -> list[Record]:
        """Until standard input ends."""
        loop = asyncio.get_running_loop()
        ended = loop.run_in_executor(None, sys.stdin.read)
        plan = self._plan
        kinds: dict[str, Callable[[int], tuple[str, bytes]]] = {
            OPEN: self._open, EXPIRED: self._expired, PROOF: self._proof, KNOWN: self._known,
        }  # fmt: skip
        going = [loop.create_task(self._keep_asking(kind, kinds[kind], rate)) for kind, rate in plan.rates.items()]
        going += [loop.create_task(self._pay(number, who, page)) for number, (who, page) in enumerate(plan.paying)]
        await ended
        self._stopped.set()
        await asyncio.gather(*going)
        await asyncio.gather(*self._tasks)
        return self._records

    async def _keep_asking(self, kind: str, make: Callable[[int], tuple[str, bytes]], rate: float) -> None:
        for number, due in enumerate(_instants(kind, rate)):
            if await self._sleeps_until(due):
                return
            task = asyncio.create_task(self._ask(kind, *make(number), due))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _sleeps_until(self, due: float) -> bool:
        """Whether it was interrupted, because all is over."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopped.wait(), max(due - time.monotonic(), 0))
        return self._stopped.is_set()

    async def _ask(self, kind: str, who: str, request: bytes, due: float) -> int:
        status, by_gateway = 0, True
        with suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
            status, by_gateway = await asyncio.wait_for(self._connections.ask(request), ANSWER_SECONDS)
        self._records.append(Record(kind, who, due, (time.monotonic() - due) * 1000, status, by_gateway))
        return status

    async def _pay(self, number: int, who: str, page: str) -> None:
        """Press "Pay" until the provider's page says that it is paid: a provider, too, reports again and again."""
        due = time.monotonic() + (number + 1) * PAYING_SECONDS
        while not await self._sleeps_until(due):
            body = "content-type: application/x-www-form-urlencoded\r\ncontent-length: 10\r\n\r\nchoice=pay"
            if await self._ask(PAYING, who, _request("POST", page, who, body), due) == PAID:
                return
            due = time.monotonic() + PAYING_SECONDS

    # Requests

    def _open(self, number: int) -> tuple[str, bytes]:
        who = f"reader-{number % 500}"
        return who, _request("GET", f"/page/{number % 50}", who, (_NAVIGATION if number % 2 else "") + "\r\n")

    def _expired(self, number: int) -> tuple[str, bytes]:
        who = self._plan.expired[number % len(self._plan.expired)]
        return who, _request("GET", ("/report/7", "/report/7", "/kept/7")[number % 3], who)

    def _proof(self, number: int) -> tuple[str, bytes]:
        who, cookie = self._plan.proofs[number % len(self._plan.proofs)]
        return who, _request("GET", "/report/7", who, f"cookie: {cookie}\r\n\r\n")

    def _known(self, number: int) -> tuple[str, bytes]:
        who = self._plan.known[number % len(self._plan.known)]
        return who, _request("GET", "/report/7", who)


def _request(method: str, target: str, who: str, rest: str = "\r\n") -> bytes:
    return f"{method} {target} HTTP/1.1\r\nhost: a.example\r\nx-user-id: {who}\r\n{rest}".encode()


def _instants(kind: str, rate: float) -> Iterator[float]:
    """When requests fall due, as independent visitors come (a Poisson process)."""
    chance = random.Random(f"{_SEED} {kind}")
    at = time.monotonic()
    while True:
        at += chance.expovariate(rate)
        yield at


if __name__ == "__main__":
    asked = Plan(**json.loads(sys.stdin.readline()))
    # A collection of this process would look like a pause of the gateway.
    gc.disable()
    json.dump([astuple(record) for record in asyncio.run(_Load(asked).run())], sys.stdout)
