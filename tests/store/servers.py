"""Servers of a test's own, with whatever is wrong with them, and a replica beside them."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis

from gateway.store.embedded.server_program import find_server
from gateway.store.embedded.server_socket import Health, ask

from .fleet import REDIS, wait_until

KEEPING = ("--appendonly", "yes", "--save", "")
"""As the documentation says."""


@dataclass(frozen=True)
class Server:
    """A server that runs."""

    folder: Path
    process: subprocess.Popen[bytes]

    @property
    def socket(self) -> Path:
        """Where it is reached."""
        return self.folder / "s"

    @property
    def url(self) -> str:
        """Its address, with time to answer on a busy machine."""
        return self.url_of("")

    def url_of(self, user: str) -> str:
        """Its address for a user, `NAME:PASSWORD`."""
        return f"unix://{user and user + '@'}{self.socket}?socket_timeout=20&socket_connect_timeout=20&timeout=20"

    def do(self, *command: object) -> Any:
        """Run one command there."""
        with contextlib.closing(redis.Redis(unix_socket_path=str(self.socket))) as client:
            return client.execute_command(*command)  # type: ignore[no-untyped-call]

    def info(self, section: str) -> dict[str, Any]:
        """A section of INFO."""
        with contextlib.closing(redis.Redis(unix_socket_path=str(self.socket))) as client:
            return dict(client.info(section))


@contextlib.contextmanager
def serving(name: str, folder: Path, *settings: str, health: Health = Health.READY) -> Iterator[Server]:
    """A `valkey`, or Debian's `redis`, that runs meanwhile."""
    program = str(find_server()) if name == "valkey" else REDIS
    if not shutil.which(program):
        pytest.skip(f"{program} is not installed")
    folder.mkdir(exist_ok=True)
    arguments = [program, "--port", "0", "--unixsocket", str(folder / "s"), "--dir", str(folder), *settings]
    with (folder / "log").open("ab") as log:
        server = Server(folder, subprocess.Popen(arguments, stdout=log))
    try:
        wait_until(lambda: ask(server.socket) is health, f"{name} is {health.value}")
        yield server
    finally:
        server.process.kill()
        server.process.wait(10)


def follow(replica: Server, port: int, primary: Server) -> None:
    """Make one a replica of the other, which listens on this port, and wait until it has caught up."""
    primary.do("CONFIG", "SET", "repl-diskless-sync-delay", 0)
    replica.do("REPLICAOF", "127.0.0.1", port)
    wait_until(lambda: replicas(primary) == 1, "the replica is connected")
    # It is called online up to a second before it is sent anything.
    with contextlib.closing(redis.Redis(unix_socket_path=str(primary.socket))) as client:
        client.set("followed", 1)
        assert client.wait(1, 10_000) == 1, "the replica follows"


def replicas(primary: Server) -> int:
    """How many follow it."""
    told = primary.info("replication")
    return sum(1 for name, value in told.items() if name.startswith("slave") and value["state"] == "online")
