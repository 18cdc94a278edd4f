"""The gateway behind each server that it is tested with, as a process of its own."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.flow.service import DEADLINE, START_SECONDS, wait_until
from tests.free_port import free_port

FACTORY = "gateway.asgi:create_app"
PROTOCOL = "gateway.wire.protocol:GatewayProtocol"
RUN, OURS, UVICORN, GRANIAN = "paywall run", "uvicorn with our protocol", "uvicorn", "granian"
FRONTS = (RUN, OURS, UVICORN, GRANIAN)


def command(front: str, port: int, config: Path) -> list[str]:
    """How it is started, as docs/operations.md says."""
    if front == RUN:
        address = f"127.0.0.1:{port}"
        return [sys.executable, "-m", "gateway.cli.main", "run", "--config", str(config), "--listen", address]
    if front == GRANIAN:
        options = ["--interface", "asgi", "--http", "1"]
    else:
        options = ["--no-proxy-headers", "--no-server-header", "--no-date-header", "--no-access-log"]
    if front == OURS:
        options += ["--http", PROTOCOL]
    return [
        sys.executable,
        "-m",
        front.partition(" ")[0],
        "--factory",
        FACTORY,
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        *options,
    ]


class Front:
    """A server with the gateway in it."""

    def __init__(self, kind: str, port: int) -> None:
        self.kind, self.port = kind, port

    def connect(self) -> socket.socket:
        """A connection to it, for exact bytes."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE)

    def ask(self, payload: bytes) -> bytes:
        """Everything that comes back, until it closes; each payload is to have it close."""
        received = b""
        with self.connect() as connection, contextlib.suppress(ConnectionError):
            connection.sendall(payload)
            while piece := connection.recv(65536):
                received += piece
        return received


@contextlib.contextmanager
def running(kind: str, config: Path) -> Iterator[Front]:
    """The gateway behind this server meanwhile."""
    port = free_port()
    environment = {**os.environ, "PAYWALL_CONFIG": str(config), "PYTHONUNBUFFERED": "1"}
    log = config.with_suffix(".log")
    with log.open("wb") as output:
        process = subprocess.Popen(
            command(kind, port, config), cwd=config.parent, env=environment,
            stdin=subprocess.DEVNULL, stdout=output, stderr=output,
        )  # fmt: skip
    front = Front(kind, port)

    def answers() -> bool:
        assert process.poll() is None, log.read_text()
        with contextlib.suppress(OSError):
            live = b"GET /_paywall/health/live HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
            return front.ask(live).startswith(b"HTTP/1.1 200")
        return False

    try:
        wait_until(answers, f"{kind} serves", START_SECONDS)
        yield front
    finally:
        process.terminate()
        process.wait(DEADLINE)
