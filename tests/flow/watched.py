"""A gateway of which can be told which way requests went, in front of an application of exact bytes."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .conftest import CONFIG
from .raw import RawApplication
from .service import Administered, Service, read_to_end, wait_until

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
_AGELESS = "from gateway.store import near\nnear.OLDEST_SECONDS = 3600.0\n"
_CLOSED_SOON = "from gateway.wire import protocol\nprotocol.LAST_REQUEST_SECONDS = 0.1\n"
"""When it stops: an idle connection that ends tells the test so, before a request under way has waited too long."""
MARK = "/_paywall/health/live"


class Watched(Administered):
    """A gateway of which can be told how many requests have gone the short way."""

    def crossings(self) -> int:
        """So many have gone it so far, to the end of their answers."""
        before = self._marks()
        self.request("GET", MARK)
        wait_until(lambda: self._marks() > before, "what was before is counted")
        text = self.admin.request("GET", "/metrics").body.decode()
        return int(float(re.findall(r"^paywall_short_way_requests_total (\S+)$", text, re.M)[0]))

    @contextmanager
    def crossing(self, count: int) -> Iterator[None]:
        """So many of the requests made meanwhile go the short way; a connection to the application is idle before."""
        assert self.request("GET", "/warm").body == b"ok"
        before = self.crossings()
        yield
        assert self.crossings() - before == count

    def _marks(self) -> int:
        return sum(entry["path"] == MARK for entry in self.entries())


@contextmanager
def watched(raw: RawApplication, folder: Path, config: str = CONFIG, beforehand: str = "") -> Iterator[Watched]:
    """A gateway that runs meanwhile, for which no idle connection gets too old for a test, and which forgets rights on
    news alone."""
    raw.answers[b"/warm"] = OK
    config = config.replace("read_timeout: 3s", "read_timeout: 3s, keepalive: 60s")
    beforehand = "from gateway.upstream import pool\npool.WARM_SECONDS = 60.0\n" + _AGELESS + _CLOSED_SOON + beforehand
    running = Watched(folder, config.format(upstream=raw.url, data=folder / "data"), beforehand)
    running.start()
    assert running.process is not None
    try:
        yield running
        assert running.stop() == 0
    finally:
        running.process.kill()  # of no effect on one that has ended
        running.process.wait()


def get(target: bytes, *more: bytes, method: bytes = b"GET", last: bool = True) -> bytes:
    """A request, the last of its connection."""
    lines = [method + b" " + target + b" HTTP/1.1", b"host: service.example", *more]
    return b"\r\n".join([*lines, *([b"connection: close"] if last else []), b"", b""])


def exchange(service: Service, request: bytes) -> bytes:
    """Everything the gateway answers to these bytes until it closes."""
    with service.connect() as client:
        client.sendall(request)
        return read_to_end(client)


def read_to_the_cut(client: socket.socket) -> bytes:
    """Everything until the connection ends, in order or with a reset."""
    received = b""
    try:
        while piece := client.recv(65536):
            received += piece
    except ConnectionError:
        pass
    return received
