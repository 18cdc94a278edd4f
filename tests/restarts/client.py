"""A client that notices everything: what it was answered, whether to the end, and how its connections ended."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

ANSWER_SECONDS = 60.0
HOST = "127.0.0.1"
_HEAD_LIMIT = 2**20


class Failed(Exception):
    """What went wrong with one request, as its client saw it."""


@dataclass
class Tally:
    """What was counted."""

    asked: int = 0
    by_kind: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    retried: int = 0
    """Written into a kept connection that was closed just then, without a byte of an answer."""
    told: int = 0
    """Answers that said that they were the last of their connection."""
    untold: int = 0
    """Kept connections that were closed, in order and with nothing on them, without such an answer."""

    def count(self, kind: str, failure: str = "") -> None:
        """One request is over."""
        self.asked += 1
        self.by_kind[kind] += 1
        if failure:
            self.failures.append(f"{kind}: {failure}")


@dataclass(frozen=True)
class Answer:
    """A whole answer."""

    status: int
    body: bytes


class Line:
    """A connection that is opened when it is needed, and kept as long as the other side keeps it."""

    def __init__(self, port: int, tally: Tally) -> None:
        self._port, self._tally = port, tally
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._answers = 0

    async def ask(
        self, method: str, target: str, headers: dict[str, str] | None = None, body: bytes = b"",
        slowly: AsyncIterator[bytes] | None = None, length: int = 0,
    ) -> Answer:  # fmt: skip
        """The answer; `slowly` makes a body of this `length`. Raises `Failed`."""
        lines = [f"{method} {target} HTTP/1.1", "host: a.example", *(f"{k}: {v}" for k, v in (headers or {}).items())]
        if method != "GET":
            lines.append(f"content-length: {length or len(body)}")
        request = "\r\n".join([*lines, "", ""]).encode() + body
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                while True:
                    answer = await self._try(request, slowly)
                    if answer is not None:
                        return answer
                    self._tally.retried += 1
        except TimeoutError:
            raise Failed("no answer in time") from None
        finally:
            if self._writer is not None and self._answers == 0:
                self.close()

    def close(self) -> None:
        """Be done."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None

    async def _try(self, request: bytes, slowly: AsyncIterator[bytes] | None) -> Answer | None:
        reader, writer = await self._opened()
        kept, self._answers = self._answers, 0
        try:
            writer.write(request)
            if slowly is not None:
                async for piece in slowly:
                    writer.write(piece)
                    await writer.drain()
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            self.close()
            if kept and slowly is None and not getattr(error, "partial", b""):
                return None
            raise Failed(f"no answer: {error!r} (on a connection that had {kept} answers)") from None
        try:
            answer = await _read(head, reader)
        except (asyncio.IncompleteReadError, ConnectionError, ValueError) as error:
            self.close()
            raise Failed(f"cut within the body: {error!r}") from None
        self._answers = kept + 1
        if b"\r\nconnection: close" in head.lower():
            self._tally.told += 1
            self.close()
        return answer

    async def _opened(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._reader is not None and (self._reader.at_eof() or self._reader.exception()):
            self._tally.untold += 1
            self.close()
        if self._reader is None or self._writer is None:
            self._answers = 0
            try:
                self._reader, self._writer = await asyncio.open_connection(HOST, self._port, limit=_HEAD_LIMIT)
            except OSError as error:
                raise Failed(f"can't connect: {error}") from None
        return self._reader, self._writer


async def _read(head: bytes, reader: asyncio.StreamReader) -> Answer:
    status = int(head.split(b" ", 2)[1])
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
    if b"content-length" in fields:
        return Answer(status, await reader.readexactly(int(fields[b"content-length"])))
    if fields.get(b"transfer-encoding") != b"chunked":
        raise ValueError("neither a length nor chunks")
    body = []
    while size := int(await reader.readuntil(b"\r\n"), 16):
        body.append((await reader.readexactly(size + 2))[:-2])
    await reader.readexactly(2)
    return Answer(status, b"".join(body))
