"""HTTP/1.1 by hand, for both ends of a measured proxy: heads, and great bodies that nobody holds."""

from __future__ import annotations

import asyncio

CHUNK = bytes(256 * 1024)

_STALL_SECONDS = 1.0


def request_head(method: str, path: str, headers: tuple[str, ...]) -> bytes:
    """The head of a request."""
    lines = [f"{method} {path} HTTP/1.1", "host: 127.0.0.1", *headers]
    return "\r\n".join([*lines, "", ""]).encode()


def header(head: list[str], wanted: str) -> str | None:
    """What these header lines say of it, or None."""
    for line in head[1:]:
        name, _, value = line.partition(":")
        if name.strip().lower() == wanted:
            return value.strip()
    return None


def content_length(head: list[str]) -> int | None:
    """The length told in these header lines, or None."""
    value = header(head, "content-length")
    return None if value is None else int(value)


def expect(status: int, head: list[str]) -> None:
    """Raises ValueError for a head with another status."""
    told = head[0] if head else "nothing"
    if f" {status} " not in told + " ":
        raise ValueError(f"answered `{told}` instead of {status}")


async def read_head(reader: asyncio.StreamReader) -> list[str]:
    """The lines of one message head; none when the other side has ended."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as end:
        if end.partial:
            raise
        return []
    return head.decode("latin-1").strip().split("\r\n")


async def send_zeros(writer: asyncio.StreamWriter, size: int) -> None:
    """Sends so many bytes, as fast as the other side takes them."""
    for start in range(0, size, len(CHUNK)):
        writer.write(CHUNK[: size - start])
        await writer.drain()


async def drain_with_stall(reader: asyncio.StreamReader, size: int) -> int:
    """Reads and forgets up to `size` bytes, and gives their number: fewer when the other side ends early.

    After a quarter nothing is read for a second.
    """
    received = 0
    stalled = False
    while received < size:
        if received >= size // 4 and not stalled:
            stalled = True
            await asyncio.sleep(_STALL_SECONDS)
        chunk = await reader.read(min(len(CHUNK), size - received))
        if not chunk:
            break
        received += len(chunk)
    return received
