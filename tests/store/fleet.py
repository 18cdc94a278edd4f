"""Several real servers together: a cluster of three primaries, and a primary with replica and sentinels."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.free_port import free_port

REDIS = "/usr/bin/redis-server"
COMMAND = "/usr/bin/redis-cli"
HOST = "127.0.0.1"
CLUSTERED = ("--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--cluster-port")
"""For a node; its second port comes behind."""


def require(program: str = REDIS) -> None:
    """Skip, but not where everything must be there."""
    if not shutil.which(program):
        if os.environ.get("CI"):
            pytest.fail(f"{program} is missing: install Debian's redis-server")
        pytest.skip(f"{program} is not installed")


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.01)


@dataclass
class Server:
    """One redis-server."""

    port: int
    process: subprocess.Popen[bytes]
    command: list[str]

    def ask(self, *command: str) -> str:
        """What redis-cli prints; empty while nobody answers."""
        asked = [COMMAND, "-p", str(self.port), *command]
        return subprocess.run(asked, capture_output=True, text=True, timeout=20, check=False).stdout.strip()

    def is_copied(self) -> bool:
        """Whether a replica has all that was written here."""
        told = dict(line.split(":", 1) for line in self.ask("INFO", "replication").splitlines() if ":" in line)
        return f",offset={told['master_repl_offset'].strip()}," in told.get("slave0", "")

    def kill(self) -> None:
        """As a machine dies."""
        self.process.kill()
        self.process.wait(10)

    def hang(self) -> None:
        """Its connections stay open and nothing is answered."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """After `hang`."""
        self.process.send_signal(signal.SIGCONT)


@dataclass
class Fleet:
    """Servers that are ended together."""

    folder: Path
    servers: list[Server] = field(default_factory=list)

    def start(self, *arguments: str, sentinel: str = "") -> Server:
        """One more; `sentinel` is the config of one."""
        port = free_port()
        own = self.folder / str(port)
        own.mkdir()
        config = own / "redis.conf"
        config.write_text(sentinel)
        kind = ["--sentinel"] if sentinel else ["--save", "", "--appendonly", "yes", "--appendfsync", "always"]
        command = [REDIS, str(config), "--port", str(port), "--bind", HOST, "--dir", str(own), *kind, *arguments]
        server = Server(port, self._run(port, command), command)
        self.servers.append(server)
        wait_until(lambda: server.ask("PING") == "PONG", f"the server at {port} answers: {own / 'log'}")
        return server

    def restart(self, server: Server, *arguments: str) -> None:
        """Start one again that has died, with what it had on its disk; does not wait until it answers."""
        server.process = self._run(server.port, [*server.command, *arguments])

    def _run(self, port: int, command: list[str]) -> subprocess.Popen[bytes]:
        with (self.folder / str(port) / "log").open("ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log)

    def end(self) -> None:
        for server in self.servers:
            with contextlib.suppress(ProcessLookupError):
                server.go_on()
                server.process.kill()
        for server in self.servers:
            server.process.wait(10)


@contextlib.contextmanager
def fleet(folder: Path) -> Iterator[Fleet]:
    """None yet; all are ended at the end."""
    require()
    servers = Fleet(folder)
    try:
        yield servers
    finally:
        servers.end()


def start_cluster(servers: Fleet, primaries: int = 3, replicas: int = 0) -> list[Server]:
    """A cluster that is ready: the primaries first."""
    nodes = [servers.start(*CLUSTERED, str(free_port())) for _ in range(primaries * (1 + replicas))]
    addresses = [f"{HOST}:{node.port}" for node in nodes]
    subprocess.run(
        [COMMAND, "--cluster", "create", *addresses, "--cluster-replicas", str(replicas), "--cluster-yes"],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    for node in nodes:
        wait_until(lambda node=node: "cluster_state:ok" in node.ask("CLUSTER", "INFO"), "the cluster is whole")  # type: ignore[misc]
    if replicas:
        for node in nodes[:primaries]:
            wait_until(lambda node=node: "state=online" in node.ask("INFO", "replication"), "it has a replica")  # type: ignore[misc]
    return nodes


def cluster_address(nodes: list[Server]) -> str:
    return "redis+cluster://" + ",".join(f"{HOST}:{node.port}" for node in nodes)


def start_sentinels(servers: Fleet, primary: Server, count: int = 3) -> list[Server]:
    """Sentinels that watch this primary under the name `main`, and have met."""
    config = (
        f"sentinel monitor main {HOST} {primary.port} 2\nsentinel down-after-milliseconds main 500\n"
        "sentinel failover-timeout main 3000\n"
    )
    sentinels = [servers.start(sentinel=config) for _ in range(count)]
    for sentinel in sentinels:
        for name in ("info-period", "publish-period", "ping-period", "ask-period"):  # else it takes ten seconds
            assert sentinel.ask("SENTINEL", "DEBUG", name, "200") == "OK"
    for sentinel in sentinels:
        wait_until(
            lambda sentinel=sentinel: f"sentinels={count}" in sentinel.ask("INFO", "sentinel"),  # type: ignore[misc]
            "the sentinels have met",
        )
    return sentinels
