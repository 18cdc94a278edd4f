"""What is asked and what is answered: as one side writes it, byte for byte, and as a strict reader gets it."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

Header = tuple[bytes, bytes]

HEAD_LIMIT = 256 * 1024
"""Bytes of a line or a head that a reader takes."""


class Reader(Protocol):
    """What of `asyncio.StreamReader` is needed here."""

    async def readuntil(self, separator: bytes, /) -> bytes: ...

    async def readexactly(self, n: int, /) -> bytes: ...

    async def read(self, n: int = -1, /) -> bytes: ...


class Unreadable(Exception):
    """What came is not one well-formed message; says what is wrong with it."""


class Framing(Enum):
    """How the end of a body is known."""

    NONE = "no body"
    LENGTH = "length"
    CHUNKED = "chunks"
    CLOSE = "end of connection"


@dataclass(frozen=True, slots=True)
class Question:
    """A request to send. `headers` has everything but the framing."""

    method: bytes
    target: bytes
    headers: tuple[Header, ...]
    version: bytes = b"1.1"
    body: bytes = b""
    framing: Framing = Framing.NONE
    chunk: int = 8192
    """Bytes of each chunk."""
    trailers: tuple[Header, ...] = ()
    writes: int = 1
    """In how many pieces it is written."""

    @property
    def expects(self) -> bool:
        """Whether the body waits for the word to go on."""
        return any(name.lower() == b"expect" for name, _ in self.headers)

    @property
    def closes(self) -> bool:
        """Whether it is the last one of its connection."""
        return _says(self.headers, b"close") or (self.version == b"1.0" and not _says(self.headers, b"keep-alive"))

    def head(self) -> bytes:
        """Request line and headers."""
        return _head(b"%b %b HTTP/%b" % (self.method, self.target, self.version), self.headers, self.framing, self.body)

    def coded_body(self) -> bytes:
        """The body as it goes over the wire."""
        return _chunked(self.body, self.chunk, self.trailers) if self.framing is Framing.CHUNKED else self.body


@dataclass(frozen=True, slots=True)
class Told:
    """An answer that an application is told to give. `headers` has everything but the framing."""

    status: int
    headers: tuple[Header, ...] = ()
    body: bytes = b""
    framing: Framing = Framing.LENGTH
    chunk: int = 8192
    version: bytes = b"1.1"
    phrase: bytes = b"OK"
    interim: bytes = b""
    """Whole heads that come before the answer's."""
    trailers: tuple[Header, ...] = ()
    writes: int = 1
    early: bool = False
    """It comes before the body of the request is read, which then never is: the connection ends."""
    coding: str = ""
    """The content coding by which a framework codes its own body: `gzip` or `br`."""

    def closes(self, method: bytes) -> bool:
        """Whether the connection ends with the answer to a request by this method."""
        if self.early or _says(self.headers, b"close"):
            return True
        if self.version == b"1.0" and not _says(self.headers, b"keep-alive"):
            return True
        return self.framing is Framing.CLOSE and method != b"HEAD" and self.status not in (204, 304)

    def wire(self, method: bytes) -> bytes:
        """The answer to a request by this method, byte for byte."""
        start = b"HTTP/%b %d %b" % (self.version, self.status, self.phrase)
        head = self.interim + _head(start, self.headers, self.framing, self.body)
        if method == b"HEAD" or self.status in (204, 304):
            return head
        if self.framing is Framing.CHUNKED:
            return head + _chunked(self.body, self.chunk, self.trailers)
        return head + self.body

    def order(self) -> bytes:
        """The same for an application of a framework, as the value of a header: what a framework can be told."""
        told = {
            "status": self.status,
            "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in self.headers],
            "length": len(self.body),
            "stream": self.framing is not Framing.LENGTH,
            "coding": self.coding,
        }
        return base64.b64encode(json.dumps(told).encode())


def _says(headers: tuple[Header, ...], word: bytes) -> bool:
    return any(name.lower() == b"connection" and word in value.lower() for name, value in headers)


def _head(start: bytes, headers: tuple[Header, ...], framing: Framing, body: bytes) -> bytes:
    lines = [start, *(name + b": " + value for name, value in headers)]
    if framing is Framing.LENGTH:
        lines.append(b"Content-Length: %d" % len(body))
    elif framing is Framing.CHUNKED:
        lines.append(b"Transfer-Encoding: chunked")
    return b"\r\n".join(lines) + b"\r\n\r\n"


def _chunked(body: bytes, size: int, trailers: tuple[Header, ...]) -> bytes:
    """A body in chunks of this size; with trailers it has an extension, too, which nobody looks at either."""
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    extension = b';ext="a;b"' if trailers else b""
    chunks = [b"%x%b\r\n%b\r\n" % (len(piece), extension, piece) for piece in pieces]
    end = b"".join(b"%b: %b\r\n" % trailer for trailer in trailers)
    return b"".join([*chunks, b"0\r\n", end, b"\r\n"])


def in_pieces(data: bytes, count: int) -> Iterator[bytes]:
    """The same bytes in about so many pieces."""
    size = len(data) // count + 1
    return (data[start : start + size] for start in range(0, len(data), size))


@dataclass(slots=True)
class Seen:
    """A message as it was read: names of headers in lower case, the body without its transfer coding."""

    start: tuple[bytes, bytes, bytes]
    """The three parts of its first line."""
    headers: list[Header]
    body: bytes = b""
    framing: Framing = Framing.NONE
    trailers: list[Header] = field(default_factory=list)

    def values(self, name: bytes) -> list[bytes]:
        """The values of this header, in order."""
        return [value for key, value in self.headers if key == name]

    @property
    def status(self) -> int:
        """Of an answer."""
        return int(self.start[1])

    @property
    def says_close(self) -> bool:
        """Whether it is the last message of its connection, as its sender says."""
        return b"close" in b",".join(self.values(b"connection")).lower()


async def read_head(reader: Reader) -> Seen | None:
    """The next head; None where the connection ends before it. Raises `Unreadable`."""
    try:
        data = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise Unreadable(f"it ends within its head, after {error.partial[-80:]!r}") from error
        return None
    except asyncio.LimitOverrunError as error:
        raise Unreadable(f"its head is over {HEAD_LIMIT} bytes") from error
    first, *lines = data[:-4].split(b"\r\n")
    parts = first.split(b" ", 2)
    if len(parts) != 3:
        raise Unreadable(f"its first line is {first[:200]!r}")
    return Seen((parts[0], parts[1], parts[2]), [_read_header(line) for line in lines])


def _read_header(line: bytes) -> Header:
    name, colon, value = line.partition(b":")
    if not colon or not name or name != name.strip() or b"\r" in value or b"\n" in value or b"\0" in value:
        raise Unreadable(f"it has the header line {line[:200]!r}")
    return name.lower(), value.strip(b" \t")


async def read_question(reader: Reader) -> Seen | None:
    """The head of the next request, its framing known and its body not read; None at the end of the connection."""
    head = await read_head(reader)
    if head is not None:
        head.framing = _framing_of(head, Framing.NONE)
    return head


async def read_answer(reader: Reader, method: bytes, go_on: Callable[[], Awaitable[None]] | None = None) -> Seen | None:
    """The next final answer; None where the connection ends before it. Raises `Unreadable`.

    `go_on` is called when the other side says 100: the body may come.
    """
    while True:
        head = await read_head(reader)
        if head is None:
            return None
        if not head.start[0].startswith(b"HTTP/1.") or len(head.start[1]) != 3 or not head.start[1].isdigit():
            raise Unreadable(f"it begins with {b' '.join(head.start)[:200]!r}")
        if head.status >= 200:
            break
        if head.status == 100 and go_on is not None:
            await go_on()
    head.framing = _framing_of(head, Framing.CLOSE)
    if method != b"HEAD" and head.status not in (204, 304):
        await read_body(reader, head)
    elif head.framing is Framing.CLOSE:
        head.framing = Framing.NONE
    return head


def _framing_of(head: Seen, otherwise: Framing) -> Framing:
    codings, lengths = head.values(b"transfer-encoding"), head.values(b"content-length")
    if codings and (codings != [b"chunked"] or lengths):
        raise Unreadable(f"it is framed by {codings} and {lengths}")
    if len(lengths) > 1 or not all(length.isdigit() for length in lengths):
        raise Unreadable(f"its lengths are {lengths}")
    return Framing.CHUNKED if codings else Framing.LENGTH if lengths else otherwise


async def read_body(reader: Reader, head: Seen) -> None:
    """Read the body that this head announces, into it. Raises `Unreadable`."""
    try:
        if head.framing is Framing.CHUNKED:
            await _read_chunks(reader, head)
        elif head.framing is Framing.LENGTH:
            head.body = await reader.readexactly(int(head.values(b"content-length")[0]))
        elif head.framing is Framing.CLOSE:
            head.body = await reader.read()
    except asyncio.IncompleteReadError as error:
        raise Unreadable(f"it ends within its body, {head.framing.value}, status {head.start[1]!r}") from error


async def _read_chunks(reader: Reader, head: Seen) -> None:
    pieces = []
    while True:
        line = (await reader.readuntil(b"\r\n"))[:-2].partition(b";")[0]
        try:
            size = int(line, 16)
        except ValueError:
            raise Unreadable(f"a chunk begins with {line[:80]!r}") from None
        if size == 0:
            break
        pieces.append(await reader.readexactly(size))
        if await reader.readexactly(2) != b"\r\n":
            raise Unreadable("a chunk is longer than it says")
    head.body = b"".join(pieces)
    while line := (await reader.readuntil(b"\r\n"))[:-2]:
        head.trailers.append(_read_header(line))
