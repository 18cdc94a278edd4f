"""Gateways on one store before one application, alone or behind HAProxy, and what an operator does to them."""

from __future__ import annotations

import contextlib
import csv
import os
import random
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from gateway.core.quantity import DAY
from gateway.core.subject import Subject, SubjectKind
from gateway.store.connection import open_store
from tests.flow.service import Administered, wait_until
from tests.hostile.rig import OWN_CODE, program, running
from tests.store.servers import KEEPING, serving

from .users import GRACE, HOLDER

CONFIG = """\
data: "{data}"
store: "{store}"
secret: {{env: RESTARTS_SECRET}}
upstream: {{url: "{upstream}"}}
trusted_proxies: [127.0.0.1/32]
identity:
  - header: {{name: x-user-id}}
  - visitor: {{}}
trial: {{length: 0s}}
plans:
  - {{id: month, name: Thirty days, price: 19.00 USD, gives: 30d}}
routes:
  - {{path: "/metered/**", class: result, mode: block, grace: {grace} per 30d, name: metered}}
  - {{path: "/results/**", class: result, mode: block, name: results}}
  - {{path: "/**", class: open}}
"""
VALID, INVALID = "# changed {number} times\n", "routes_of_nobody: {number}\n"
_BALANCER = """\
global
    stats socket {folder}/stats
defaults
    mode http
    timeout connect 5s
    timeout client 90s
    timeout server 90s
    timeout tunnel 90s
    timeout check 5s
    option redispatch
frontend all
    bind 127.0.0.1:{port}
    default_backend gateways
backend gateways
    option httpchk GET /_paywall/health/ready
    default-server check inter 200ms fall 3 rise 1
{servers}
"""


@dataclass
class Done:
    """What was done to the gateways meanwhile."""

    accepted: int = 0
    refused: int = 0
    replaced: int = 0
    """All workers of a gateway, one after the other."""
    stopped: int = 0
    """A worker, or a gateway, that was told to stop alone."""

    @property
    def total(self) -> int:
        """All of it."""
        return self.accepted + self.refused + self.replaced + self.stopped


class Gateway(Administered):
    """One of them, which can be given configs, and be started again at its address."""

    changes = 0

    def reconfigure(self, done: Done) -> None:
        """Give it another config, a bad one in between; both are answered, and the bad one changes nothing."""
        whole = self.config.read_text()
        self.changes += 1
        digest = self.status()["config"]["digest"]
        self._write(whole + INVALID.format(number=self.changes), "was not taken; the old one goes on")
        assert self.status()["config"]["digest"] == digest, "a bad config was put in force"
        done.refused += 1
        self._write(whole + VALID.format(number=self.changes), "the new config is in force")
        assert self.status()["config"]["digest"] != digest, "a good config was not put in force"
        done.accepted += 1

    def _write(self, text: str, answer: str) -> None:
        told = self._times(answer)
        draft = self.folder / "draft.yaml"
        draft.write_text(text)
        draft.replace(self.config)
        self._signal(signal.SIGHUP)
        wait_until(lambda: self._times(answer) > told, answer, 60)

    def replace_workers(self, done: Done) -> None:
        """All of them, one after the other."""
        words = "all workers have been replaced"
        told, before = self._times(words), set(self.pids())
        self._signal(signal.SIGUSR1)
        wait_until(lambda: self._times(words) > told, words, 60)
        assert not before & set(self.pids()), "a worker was left"
        done.replaced += 1

    def stop_one_worker(self, done: Done, dice: random.Random) -> None:
        """Whichever; another takes its place."""
        pid = dice.choice(self.pids())
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: pid not in self.pids() and len(self.pids()) == 2, "another worker takes its place", 60)
        done.stopped += 1

    def restart(self, done: Done) -> None:
        """Stop it as a service manager does, and start it again."""
        assert self.stop() == 0, self.messages[-5:]
        self.messages.clear()
        self.start()
        done.stopped += 1

    def pids(self) -> list[int]:
        """Of the workers that serve."""
        return [worker["pid"] for worker in self.status()["workers"] if worker["answers"]]

    def _signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def _times(self, words: str) -> int:
        return sum(words in line for line in list(self.messages))


@dataclass
class Rig:
    """What runs."""

    port: int
    """Where clients come in."""
    store: str
    gateways: list[Gateway]
    balancer: Path | None = None
    """HAProxy's socket for operators."""
    done: Done = field(default_factory=Done)

    def steps(self, dice: random.Random) -> list[Callable[[Gateway], None]]:
        """What is done to each gateway, in this order."""
        if self.balancer is not None:
            return [lambda gateway: gateway.reconfigure(self.done), lambda gateway: gateway.restart(self.done)]
        return [
            lambda gateway: gateway.reconfigure(self.done),
            lambda gateway: gateway.replace_workers(self.done),
            lambda gateway: gateway.stop_one_worker(self.done, dice),
        ]

    def is_up(self, gateway: Gateway) -> bool:
        """Whether the balancer sends requests there."""
        assert self.balancer is not None
        with socket.socket(socket.AF_UNIX) as asking, asking.makefile("r") as answer:
            try:
                asking.connect(str(self.balancer))
            except OSError:
                return False  # it has just begun
            asking.sendall(b"show stat\n")
            rows = list(csv.DictReader(answer))
        return any(row["svname"] == f"g{gateway.port}" and row["status"] == "UP" for row in rows)

    async def grant(self) -> None:
        """Give the holder the right."""
        store = open_store(self.store)
        try:
            await store.operations.grant(Subject(SubjectKind.PERSON, HOLDER), "restarts", period_ms=DAY)
        finally:
            await store.stop()

    async def used(self, people: list[str]) -> dict[str, int]:
        """Results of grace that the store has them have had."""
        store = open_store(self.store)
        found = {}
        try:
            for person in people:
                exported = await store.operations.export(Subject(SubjectKind.PERSON, person))
                grace = exported["grace"]
                assert isinstance(grace, dict)
                found[person] = len(grace.get("metered", {}))
        finally:
            await store.stop()
        return found


@contextlib.contextmanager
def one_gateway(folder: Path, beforehand: str = "") -> Iterator[Rig]:
    """A gateway with two workers."""
    with store_and_application(folder, __package__ or "") as (store, upstream):
        gateway = _gateway(folder / "gateway", store, upstream, "workers: 2\n", beforehand)
        with started([gateway]):
            yield Rig(gateway.port, store, [gateway])


@contextlib.contextmanager
def two_gateways(folder: Path, beforehand: str = "") -> Iterator[Rig]:
    """Two of them behind HAProxy, which sends again only what was never sent. Raises `Absent`."""
    haproxy = program("haproxy")
    with store_and_application(folder, __package__ or "") as (store, upstream):
        gateways = [_gateway(folder / name, store, upstream, "", beforehand) for name in ("one", "two")]
        servers = "\n".join(f"    server g{each.port} 127.0.0.1:{each.port}" for each in gateways)

        def command(port: int, folder: Path) -> list[str]:
            file = folder / "haproxy.cfg"
            file.write_text(_BALANCER.format(folder=folder, port=port, servers=servers))
            return [haproxy, "-db", "-f", str(file)]

        with started(gateways), running("haproxy", command, folder) as balancer:
            rig = Rig(balancer.port, store, gateways, folder / "stats")
            wait_until(lambda: all(map(rig.is_up, gateways)), "both take requests")
            yield rig


@contextlib.contextmanager
def store_and_application(folder: Path, package: str) -> Iterator[tuple[str, str]]:
    """Their addresses; the application is the one of this package."""

    def command(port: int, _: Path) -> list[str]:
        return [sys.executable, "-m", f"{package}.application", str(port)]

    with (
        serving("valkey", folder / "store", *KEEPING) as store,
        running("application", command, folder, OWN_CODE) as application,
    ):
        yield store.url, f"http://127.0.0.1:{application.port}"


def _gateway(folder: Path, store: str, upstream: str, more: str, beforehand: str) -> Gateway:
    folder.mkdir()
    config = more + CONFIG.format(data=folder / "data", store=store, upstream=upstream, grace=GRACE)
    return Gateway(folder, config, beforehand, {"RESTARTS_SECRET": "s" * 40})


@contextlib.contextmanager
def started(gateways: list[Gateway]) -> Iterator[None]:
    """They run meanwhile."""
    try:
        for gateway in gateways:
            gateway.start()
        yield
    finally:
        for gateway in gateways:
            gateway.stop()
