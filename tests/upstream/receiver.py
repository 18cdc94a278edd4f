"""A receiver of answers told as they arrive, and what applications say to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from gateway.core.header_lines import header_lines
from gateway.ports.upstream import Headers, Relay, UpstreamError, UpstreamFailure
from gateway.upstream.connector import UpstreamConnector
from tests.upstream.application import Application, Line, Script, connected, get, until, whole

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
MEGABYTE = 1024 * 1024
HEADERS = [(b"host", b"app.example")]

FAILURES: dict[str, tuple[bytes, UpstreamFailure, int, bool]] = {
    # name: what the application says before it closes, the failure, status told before it, whether it may be sent again
    "nothing": (b"", UpstreamFailure.BROKEN, 0, True),
    "a byte": (b"H", UpstreamFailure.BROKEN, 0, False),
    "an interim head": (b"HTTP/1.1 103 Early Hints\r\n\r\n", UpstreamFailure.BROKEN, 0, False),
    "half a head": (b"HTTP/1.1 200 OK\r\ncontent-le", UpstreamFailure.BROKEN, 0, False),
    "a head": (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n", UpstreamFailure.BROKEN, 200, False),
    "half a body": (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\no", UpstreamFailure.BROKEN, 200, False),
    "no last chunk": (
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n",
        UpstreamFailure.BROKEN,
        200,
        False,
    ),
    "nonsense": (b"nonsense\r\n\r\n", UpstreamFailure.MALFORMED, 0, False),
    "bad chunks": (
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\nzz",
        UpstreamFailure.MALFORMED,
        200,
        False,
    ),
    "a head without end": (b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 20_000, UpstreamFailure.MALFORMED, 0, False),
}


class Told:
    """A receiver that notes what it is told, and in the midst of it does what the test wants."""

    def __init__(self, then: Callable[[Told], None] = lambda told: None) -> None:
        self._then = then
        self.relay: Relay
        self.status = 0
        self.headers: Headers = []
        self.length: int | None = None
        self.body = b""
        """As far as a test can have an interest in it."""
        self.size = 0
        self.complete = False
        self.failure: UpstreamFailure | None = None
        self.may_retry = False
        self.times = 0
        """How often anything was told."""

    def answered(self, status: int, headers: Headers, length: int | None, piece: bytes, complete: bool) -> None:
        assert self.times == 0, "the head comes first, and once"
        self.status, self.headers, self.length = status, headers, length
        self._take(piece, complete)

    def arrived(self, piece: bytes, complete: bool) -> None:
        assert self.status, "the head comes first"
        self._take(piece, complete)

    def failed(self, error: UpstreamError, may_retry: bool) -> None:
        assert not self.ended, "nothing comes after the end"
        self.failure, self.may_retry = error.failure, may_retry
        self.times += 1

    @property
    def ended(self) -> bool:
        return self.complete or self.failure is not None

    def _take(self, piece: bytes, complete: bool) -> None:
        assert not self.ended, "nothing comes after the end"
        self.times += 1
        self.size += len(piece)
        if self.size <= 2 * MEGABYTE:
            self.body += piece
        self.complete = complete
        self._then(self)


def at_once(upstream: UpstreamConnector, told: Told, method: bytes = b"GET", may_retry: bool = True) -> Told:
    relay = upstream.send_at_once(method, b"/", header_lines(HEADERS), told, may_retry=may_retry)
    assert relay is not None, "an idle connection was there"
    assert told.times == 0, "nothing is told before this returns"
    told.relay = relay
    return told


@asynccontextmanager
async def warm(script: Script, **limits: float) -> AsyncIterator[tuple[Application, UpstreamConnector]]:
    """As `connected`, with one connection that is idle; a script begins with the second request of its connection."""

    async def warmed(line: Line) -> None:
        await line.head()
        await line.say(OK)
        await script(line)

    async with connected(warmed, **limits) as (app, upstream):
        await whole(await get(upstream))
        yield app, upstream


async def told_the_end(told: Told) -> Told:
    await until(lambda: told.ended)
    return told


async def pours(line: Line, size: int, written: list[int]) -> None:
    await line.head()
    await line.say(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size)
    for _ in range(size // MEGABYTE):
        await line.say(b"x" * MEGABYTE)
        written[0] += MEGABYTE


async def stands_still(written: list[int]) -> None:
    seen, still = -1, 0
    while still < 20:
        await asyncio.sleep(0.01)
        still = still + 1 if written[0] == seen else 0
        seen = written[0]
