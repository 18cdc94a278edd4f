"""Stores that are killed and come back with what they have on disk."""

from __future__ import annotations

import contextlib
import subprocess
import threading
import time
from contextlib import AbstractContextManager
from pathlib import Path

from gateway.store.embedded.server import EmbeddedStore
from gateway.store.embedded.server_program import find_server
from gateway.store.embedded.server_socket import Health, ask, socket_path

from .relay import Relay

REDIS = Path("/usr/bin/redis-server")
NAMES = ("valkey", "redis")
EMBEDDED = "embedded"
KEEPING = ("--appendonly", "yes", "--appendfsync", "everysec", "--save", "")
"""As the embedded store is set, and as the documentation says."""
FORGETTING = ("--appendonly", "no", "--save", "")
_DEADLINE = 20.0


class MissingServer(Exception):
    """It is not installed."""


class KilledStore:
    """One server in a folder of its own, and the way to it that a gateway takes."""

    def __init__(self, name: str, folder: Path, settings: tuple[str, ...] = KEEPING) -> None:
        """Raises `MissingServer`."""
        self._program = find_server() if name == "valkey" else REDIS
        if not self._program.exists():
            raise MissingServer(f"{self._program} is missing: install Debian's redis-server")
        self._folder, self._settings = folder, settings
        self._socket = folder / "s"
        self._turn = threading.Lock()
        self._process = self._start()
        self.relay = Relay(folder / "r", self._socket, self.kill)
        self.url = f"unix://{folder / 'r'}"
        """For the gateway: by way of the relay."""
        self.own_url = f"unix://{self._socket}?socket_timeout=20&socket_connect_timeout=20&timeout=20"
        """For reading the books."""

    @property
    def ended(self) -> bool:
        """Whether it was killed."""
        return self._process.poll() is not None

    def kill(self) -> None:
        """End it by SIGKILL."""
        with self._turn:
            self._process.kill()
            self._process.wait()

    def revive(self) -> None:
        """Start it again where it was killed, on the data of its folder."""
        if self.ended:
            with self._turn:
                self._process = self._start()

    def opened(self) -> AbstractContextManager[object]:
        """It runs meanwhile, without a gateway."""
        return contextlib.nullcontext()

    def close(self) -> None:
        """End it and the relay."""
        self.relay.close()
        self.kill()

    def _start(self) -> subprocess.Popen[bytes]:
        arguments = [str(self._program), "--port", "0", "--unixsocket", str(self._socket), "--dir", str(self._folder)]
        with (self._folder / "store.log").open("ab") as log:
            # In a session of its own: Ctrl-C reaches this program alone, which ends the server in order.
            process = subprocess.Popen([*arguments, *self._settings], stdout=log, start_new_session=True)
        deadline = time.monotonic() + _DEADLINE
        while ask(self._socket) is not Health.READY:
            assert time.monotonic() < deadline and process.poll() is None, f"{self._program} does not start"
            time.sleep(0.005)
        return process


class OwnStore:
    """The store that a gateway has embedded: it goes and comes with its gateway."""

    url = EMBEDDED
    ended = False

    def __init__(self, data: Path) -> None:
        self._data = data
        self.own_url = f"unix://{socket_path(data / 'store')}?socket_timeout=20&socket_connect_timeout=20&timeout=20"
        """For reading the books."""

    def kill(self) -> None:
        """It is killed by the kernel, with its gateway."""

    def revive(self) -> None:
        """Its gateway starts it."""

    def opened(self) -> AbstractContextManager[object]:
        """It runs meanwhile, without a gateway."""
        return EmbeddedStore(self._data, lambda line: None)

    def close(self) -> None:
        """It has ended with its gateway."""
