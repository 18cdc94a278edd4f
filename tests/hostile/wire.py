"""A client that sends exactly the bytes it is given and returns exactly the bytes that came."""

from __future__ import annotations

import asyncio
import contextlib
import re
from dataclasses import dataclass

_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})")
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)[ \t]*\r\n", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[ \t]*chunked[ \t]*\r\n", re.IGNORECASE)

_AFTERTHOUGHT_S = 0.05
"""How long to listen on after the last expected answer, for bytes nobody should have sent."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One complete HTTP/1.1 answer; `body` without its transfer coding."""

    status: int
    head: bytes
    body: bytes


def read_answer(data: bytes, *, to_head: bool = False) -> tuple[Answer, bytes] | None:
    """The first final answer in `data` and what follows it; None when it is not complete or not HTTP.

    `to_head`: the request was a HEAD, so there is no body whatever the head announces.
    """
    while True:
        head, separator, rest = data.partition(b"\r\n\r\n")
        status = _STATUS.match(head)
        if not separator or status is None:
            return None
        if status[1][:1] != b"1" or status[1] == b"101":
            break
        data = rest
    code, lines = int(status[1]), head + b"\r\n"
    length = _LENGTH.search(lines)
    if to_head or code in (101, 204, 304):
        return Answer(code, head, b""), rest
    if _CHUNKED.search(lines):
        body = _unchunk(rest)
        return None if body is None else (Answer(code, head, body[0]), body[1])
    if length is None or len(rest) < int(length[1]):
        return None
    return Answer(code, head, rest[: int(length[1])]), rest[int(length[1]) :]


def _unchunk(data: bytes) -> tuple[bytes, bytes] | None:
    pieces: list[bytes] = []
    while True:
        line, separator, rest = data.partition(b"\r\n")
        try:
            size = int(line.partition(b";")[0], 16)
        except ValueError:
            return None
        if not separator or len(rest) < size + 2:
            return None
        if size == 0:
            return b"".join(pieces), rest[2:]
        pieces.append(rest[:size])
        data = rest[size + 2 :]


def read_answers(data: bytes, *, to_head: bool = False) -> list[Answer]:
    """Every complete answer in `data`, in order."""
    answers = []
    while found := read_answer(data, to_head=to_head):
        answers.append(found[0])
        data = found[1]
    return answers


class Wire:
    """One connection. Use as an asynchronous context manager."""

    def __init__(self, port: int, source: str = "") -> None:
        self._port, self._source = port, source

    async def __aenter__(self) -> Wire:
        self._reader, self._writer = await asyncio.open_connection(
            "127.0.0.1", self._port, local_addr=(self._source, 0) if self._source else None
        )
        return self

    async def reconnect(self) -> None:
        """Go on over a new connection: the server ends this one."""
        await self.__aexit__()
        await self.__aenter__()

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def ask(self, data: bytes, *, answers: int = 1, deadline_s: float = 10.0) -> bytes:
        """Send `data`; return all that came until `answers` were complete, the server closed or time was up."""
        received = bytearray()
        with contextlib.suppress(TimeoutError, OSError):
            async with asyncio.timeout(deadline_s):
                await self._converse(data, answers, received)
        return bytes(received)

    async def _converse(self, data: bytes, answers: int, received: bytearray) -> None:
        to_head = data.startswith(b"HEAD ")
        self._writer.write(data)
        with contextlib.suppress(ConnectionError):  # refused while still being sent: the answer is there to be read
            await self._writer.drain()
        while piece := await self._reader.read(65536):
            received += piece
            if len(read_answers(bytes(received), to_head=to_head)) >= answers:
                return


async def exchange(port: int, data: bytes, *, answers: int = 1, deadline_s: float = 10.0, source: str = "") -> bytes:
    """Send `data` over a connection of its own; return every byte that came back."""
    async with Wire(port, source) as wire:
        received = await wire.ask(data, answers=answers, deadline_s=deadline_s)
        return received + await wire.ask(b"", deadline_s=_AFTERTHOUGHT_S)
