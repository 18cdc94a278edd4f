"""Servers for the model alone: nothing on disk, everything on them may be thrown away."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.store.embedded.server_program import find_server
from gateway.store.embedded.server_socket import Health, ask

REDIS = Path("/usr/bin/redis-server")
NAMES = ("valkey", "redis")

# The machine may be busy.
_PATIENCE = "?socket_timeout=20&socket_connect_timeout=20&timeout=20"


class MissingServer(Exception):
    """It is not installed."""


@contextmanager
def running(name: str) -> Iterator[str]:
    """The address of a server of this name: the Valkey that the gateway brings, or Debian's Redis."""
    program = find_server() if name == "valkey" else REDIS
    if not program.exists():
        raise MissingServer(f"{program} is missing: install Debian's redis-server")
    folder = Path(tempfile.mkdtemp(prefix="paywall-model-"))
    socket = folder / "s"
    arguments = ["--port", "0", "--unixsocket", str(socket), "--dir", str(folder), "--save", "", "--appendonly", "no"]
    # In a session of its own: Ctrl-C reaches this program alone, which ends the server in order.
    server = subprocess.Popen([program, *arguments], stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        deadline = time.monotonic() + 20
        while ask(socket) is not Health.READY:
            assert time.monotonic() < deadline and server.poll() is None, f"{program} does not start"
            time.sleep(0.01)
        yield f"unix://{socket}{_PATIENCE}"
    finally:
        server.terminate()
        server.wait(20)
        shutil.rmtree(folder, ignore_errors=True)
