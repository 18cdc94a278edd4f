"""Those who use the application meanwhile, each in a way of their own, and what each expects."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass, field

import aiohttp

from .client import HOST, Answer, Failed, Line, Tally
from .pieces import EVENTS, PIECE, PIECE_SECONDS, PIECES, WORD_SECONDS, WORDS

HOLDER = "holder"
"""Has a right to results."""
GRACE = 2
"""Results that everybody else may have of `/metered`."""
_ENDS_IN_ORDER = (1001, 1012)
"""Going away, and service restart: the client is to come back."""


@dataclass
class Load:
    """Everybody together: they go on until so many requests are done."""

    port: int
    requests: int
    tally: Tally = field(default_factory=Tally)
    delivered: Counter[str] = field(default_factory=Counter)
    """Results of grace that arrived whole, by person."""
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    async def run(self) -> None:
        """Until all is done; those who have begun something finish it."""
        users = [
            *(self._reads(0.0) for _ in range(10)), *(self._reads(0.3) for _ in range(6)),
            *(self._reads(4.0) for _ in range(6)), *(self._comes_anew() for _ in range(6)),
            *(self._has_results() for _ in range(6)), *(self._has_grace() for _ in range(4)),
            *(self._downloads(query) for query in ("", "?length") for _ in range(3)),
            *(self._listens() for _ in range(4)), *(self._uploads() for _ in range(4)),
            *(self._talks() for _ in range(4)),
        ]  # fmt: skip
        await asyncio.gather(*users)

    def is_over(self) -> bool:
        """Whether nobody begins anything any more."""
        return self.tally.asked >= self.requests

    async def _reads(self, pause: float) -> None:
        line = Line(self.port, self.tally)
        while not self.is_over():
            await self._count("open, kept connection", self._page(line))
            if pause:
                await asyncio.sleep(pause)
        line.close()

    async def _comes_anew(self) -> None:
        while not self.is_over():
            line = Line(self.port, self.tally)
            await self._count("open, new connection", self._page(line))
            line.close()

    async def _page(self, line: Line) -> None:
        target = f"/open/{next(self._numbers)}"
        _expect(await line.ask("GET", target), 200, f"open {target}".encode() * 20)

    async def _has_results(self) -> None:
        line = Line(self.port, self.tally)
        while not self.is_over():
            await self._count("result of a right", self._result(line, f"/results/{next(self._numbers)}", HOLDER))
        line.close()

    async def _has_grace(self) -> None:
        line = Line(self.port, self.tally)
        while not self.is_over():
            person = f"person-{next(self._numbers)}"
            self.delivered[person] = 0
            for _ in range(GRACE):
                await self._count("result of grace", self._metered(line, person))
            await self._count("refused result", self._refused(line, person))
        line.close()

    async def _metered(self, line: Line, person: str) -> None:
        await self._result(line, f"/metered/{next(self._numbers)}", person)
        self.delivered[person] += 1

    async def _refused(self, line: Line, person: str) -> None:
        answer = await line.ask("POST", "/metered/more", {"x-user-id": person}, b"more")
        if answer.status == 200:
            self.delivered[person] += 1
        _expect(answer, 402)

    async def _result(self, line: Line, target: str, person: str) -> None:
        body = target.encode() * 50
        expected = f"{target} {hashlib.sha256(body).hexdigest()}".encode()
        _expect(await line.ask("POST", target, {"x-user-id": person}, body), 200, expected)

    async def _downloads(self, query: str) -> None:
        async def download() -> None:
            _expect(await line.ask("GET", "/download" + query), 200, PIECE * PIECES)

        line = Line(self.port, self.tally)
        while not self.is_over():
            await self._count("slow download", download())
        line.close()

    async def _listens(self) -> None:
        expected = b"".join(b"data: %d\n\n" % number for number in range(EVENTS))

        async def listen() -> None:
            _expect(await line.ask("GET", "/events"), 200, expected)

        line = Line(self.port, self.tally)
        while not self.is_over():
            await self._count("event stream", listen())
        line.close()

    async def _uploads(self) -> None:
        expected = f"/upload {hashlib.sha256(PIECE * PIECES).hexdigest()}".encode()

        async def upload() -> None:
            line = Line(self.port, self.tally)  # nobody can send a body twice that is not there any more
            answer = await line.ask("PUT", "/upload", slowly=_slow_body(), length=len(PIECE) * PIECES)
            line.close()
            _expect(answer, 200, expected)

        while not self.is_over():
            await self._count("slow upload", upload())

    async def _talks(self) -> None:
        async with aiohttp.ClientSession() as session:
            while not self.is_over():
                await self._count("WebSocket", _talk(session, self.port))

    async def _count(self, kind: str, request: Awaitable[None]) -> None:
        failure = ""
        try:
            await request
        except Failed as error:
            failure = str(error)
            await asyncio.sleep(0.05)
        self.tally.count(kind, failure)


async def _slow_body() -> AsyncIterator[bytes]:
    for _ in range(PIECES):
        yield PIECE
        await asyncio.sleep(PIECE_SECONDS)


async def _talk(session: aiohttp.ClientSession, port: int) -> None:
    """Say something and hear it again, for a while. An end in order that the gateway announces is no failure."""
    try:
        async with session.ws_connect(f"http://{HOST}:{port}/socket") as peer:
            for number in range(WORDS):
                with contextlib.suppress(ConnectionError):  # how it ended is told by what is received
                    await peer.send_str(str(number))
                message = await peer.receive(20)
                if message.type is aiohttp.WSMsgType.CLOSE and message.data in _ENDS_IN_ORDER:
                    return
                if message.type is not aiohttp.WSMsgType.TEXT or message.data != f"echo {number}":
                    raise Failed(f"{message.type.name} {message.data!r} for the word {number}")
                await asyncio.sleep(WORD_SECONDS)
    except (aiohttp.ClientError, OSError) as error:
        raise Failed(repr(error)) from None


def _expect(answer: Answer, status: int, body: bytes | None = None) -> None:
    if answer.status != status:
        raise Failed(f"{answer.status}, not {status}: {answer.body[:200]!r}")
    if body is not None and answer.body != body:
        raise Failed(f"{len(answer.body)} bytes, which are not the {len(body)} that were sent")
