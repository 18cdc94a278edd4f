"""Hears every run of a result handler, whatever became of the answer."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections import defaultdict

_BEACON = re.compile(rb"beacon (\S+) (\S+) (.*)", re.DOTALL)


class Collector:
    """Listens on a UDP port of its own until closed.

    `runs` holds, by upstream and nonce (`-` for none), the targets the handler ran for, as the application got them.
    """

    def __init__(self) -> None:
        self.runs: defaultdict[tuple[str, str], list[bytes]] = defaultdict(list)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        # Datagrams that find the buffer full are lost without a trace.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._listen, name="beacon collector", daemon=True)
        self._thread.start()

    def targets(self, upstream: str, nonce: str) -> tuple[bytes, ...]:
        """What this upstream's handler ran for under this nonce; nothing when it did not run."""
        return tuple(self.runs.get((upstream, nonce), ()))

    def wait_for(self, upstream: str, nonce: str, deadline_s: float = 10.0) -> None:
        """Return once this run is reported. Raises `TimeoutError` naming the upstream: its beacons do not arrive."""
        end = time.monotonic() + deadline_s
        while not self.targets(upstream, nonce):
            if time.monotonic() > end:
                raise TimeoutError(f"{upstream}: the result was asked for, but no beacon arrived in {deadline_s:.0f} s")
            time.sleep(0.005)

    def close(self) -> None:
        """Stop listening."""
        # An empty datagram is the only thing that wakes a blocked `recv` everywhere.
        self._socket.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join()
        self._socket.close()

    def _listen(self) -> None:
        while datagram := self._socket.recv(2048):
            if found := _BEACON.search(datagram):
                self.runs[found[1].decode("latin-1"), found[2].decode("latin-1")].append(found[3].rstrip(b"\n"))
