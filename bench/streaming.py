"""Great bodies down and up: an upstream and a client which hold none of them, and which stall on purpose."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bench.candidate import BODY, Candidate, Site
from bench.processes import Command

DOWN_PATH = "/bench/down"
UP_PATH = "/bench/up"

_CHUNK = bytes(256 * 1024)
_STALL_SECONDS = 1.0
_LONGEST_SECONDS = 300.0


@dataclass(frozen=True)
class Transfer:
    """What arrived at the far end, how long it took, and what went wrong (empty: nothing)."""

    received: int
    seconds: float
    trouble: str


async def serve(port: int, size: int) -> None:
    """The upstream: answers DOWN_PATH with `size` bytes, UP_PATH with the number it was sent, else BODY.

    It reads an upload slowly on purpose: a quarter, then a second of nothing, then the rest. A proxy without
    back-pressure has to keep meanwhile what the client goes on sending.
    """

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # When the proxy hangs up, the client's side tells whether it should have.
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while head := await _read_head(reader):
                await _answer(head, size, reader, writer)
        writer.close()

    async with await asyncio.start_server(connection, "127.0.0.1", port, limit=len(_CHUNK)) as server:
        await server.serve_forever()


def streaming_upstream(size: int) -> Candidate:
    """The upstream as a program to be started like the proxies."""

    def prepare(site: Site) -> Command:
        arguments = (sys.executable, "-m", "bench.streaming", str(site.port), str(size))
        return Command(arguments, {"PYTHONPATH": str(Path(__file__).parent.parent)})

    return Candidate("upstream", "the upstream", sys.executable, "", (), prepare, drop_privileges=False)


async def download(port: int, headers: tuple[str, ...], size: int) -> Transfer:
    """Fetches DOWN_PATH, stalling for a second after a quarter of it, and counts what comes."""
    return await _timed(_download(port, headers, size), size)


async def upload(port: int, headers: tuple[str, ...], size: int) -> Transfer:
    """Sends `size` bytes to UP_PATH and asks the upstream how many arrived."""
    return await _timed(_upload(port, headers, size), size)


def content_length(head: list[str]) -> int | None:
    """The length told in these header lines, or None."""
    for line in head[1:]:
        name, _, value = line.partition(":")
        if name.strip().lower() == "content-length":
            return int(value)
    return None


async def _timed(work: Coroutine[None, None, int], size: int) -> Transfer:
    begun = time.monotonic()
    try:
        received = await asyncio.wait_for(work, _LONGEST_SECONDS)
    except (OSError, EOFError, ValueError, TimeoutError) as problem:
        return Transfer(0, time.monotonic() - begun, f"{type(problem).__name__}: {problem}")
    trouble = "" if received == size else f"{received} bytes arrived instead of {size}"
    return Transfer(received, time.monotonic() - begun, trouble)


async def _answer(head: list[str], size: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    path = head[0].split(" ")[1]
    length = content_length(head)
    if path == DOWN_PATH:
        writer.write(_answer_head("application/octet-stream", size))
        await _send_zeros(writer, size)
    elif path == UP_PATH and length is not None:
        body = str(await _drain_with_stall(reader, length)).encode()
        writer.write(_answer_head("text/plain", len(body)) + body)
    else:
        writer.write(_answer_head("application/json", len(BODY)) + BODY)
    await writer.drain()


async def _download(port: int, headers: tuple[str, ...], size: int) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=len(_CHUNK))
    try:
        writer.write(_request_head("GET", DOWN_PATH, headers))
        head = await _read_head(reader)
        _expect_200(head)
        length = content_length(head)
        if length != size:
            raise ValueError(f"the answer was announced with a length of {length} instead of {size}")
        return await _drain_with_stall(reader, size)
    finally:
        writer.close()


async def _upload(port: int, headers: tuple[str, ...], size: int) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(_request_head("POST", UP_PATH, (*headers, f"content-length: {size}")))
        await _send_zeros(writer, size)
        head = await _read_head(reader)
        _expect_200(head)
        return int(await reader.readexactly(content_length(head) or 0))
    finally:
        writer.close()


def _request_head(method: str, path: str, headers: tuple[str, ...]) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "host: 127.0.0.1", *headers]
    return "\r\n".join([*lines, "", ""]).encode()


def _answer_head(media_type: str, length: int) -> bytes:
    return f"HTTP/1.1 200 OK\r\ncontent-type: {media_type}\r\ncontent-length: {length}\r\n\r\n".encode()


def _expect_200(head: list[str]) -> None:
    status = head[0] if head else "nothing"
    if " 200 " not in status + " ":
        raise ValueError(f"answered `{status}` instead of 200")


async def _read_head(reader: asyncio.StreamReader) -> list[str]:
    """The lines of one message head; none when the other side has ended."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as end:
        if end.partial:
            raise
        return []
    return head.decode("latin-1").strip().split("\r\n")


async def _send_zeros(writer: asyncio.StreamWriter, size: int) -> None:
    for start in range(0, size, len(_CHUNK)):
        writer.write(_CHUNK[: size - start])
        await writer.drain()


async def _drain_with_stall(reader: asyncio.StreamReader, size: int) -> int:
    """Reads and forgets up to `size` bytes, and gives their number: fewer when the other side ends early."""
    received = 0
    stalled = False
    while received < size:
        if received >= size // 4 and not stalled:
            stalled = True
            await asyncio.sleep(_STALL_SECONDS)
        chunk = await reader.read(min(len(_CHUNK), size - received))
        if not chunk:
            break
        received += len(chunk)
    return received


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2])))
