"""A lane whose other end is the test."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from gateway.ports.wire import Headers, Line
from tests.store.conftest import until
from tests.wire.application import PATIENCE, Client

MEGABYTE = 2**20


class Trip:
    """One request on the short way; the test answers it."""

    def __init__(self, method: str, target: bytes, headers: Headers, line: Line) -> None:
        self.method, self.target, self.headers = method, target, headers
        self.line = line
        self.told: list[str] = []

    def pause(self) -> None:
        self.told.append("pause")

    def resume(self) -> None:
        self.told.append("resume")

    def client_left(self) -> None:
        self.told.append("left")

    def begin(self, length: int) -> None:
        """Send a head; the line says whether it is the last."""
        last = b"connection: close\r\n" if self.line.begin_answer() else b""
        self.line.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n%b\r\n" % (length, last))

    def answer(self) -> None:
        """Answer as the application does."""
        body = self.target + b" "
        self.begin(len(body))
        self.line.write(body)
        self.line.finish()


class Road:
    """A lane that takes what begins with `/short`; `then` is called with every trip as it begins."""

    def __init__(self, then: Callable[[Trip], None] = lambda trip: None) -> None:
        self._then = then
        self.offered: list[bytes] = []
        self.trips: list[Trip] = []

    def enter(
        self, method: str, target: bytes, headers: Headers, client: tuple[str, int] | None, scheme: str, line: Line
    ) -> Trip | None:
        self.offered.append(target)
        assert client is not None and client[0] == "127.0.0.1" and scheme == "http"
        if not target.startswith(b"/short"):
            line.begun = b"seen " + target
            return None
        trip = Trip(method, target, headers, line)
        self.trips.append(trip)
        self._then(trip)
        return trip


async def taken(road: Road, count: int = 1) -> Trip:
    """The newest of so many trips, once it has begun."""
    await until(lambda: len(road.trips) == count, f"{count} have begun; there are {len(road.trips)}")
    return road.trips[-1]


async def read(client: Client, size: int) -> bytes:
    return await asyncio.wait_for(client.reader.readexactly(size), PATIENCE)
