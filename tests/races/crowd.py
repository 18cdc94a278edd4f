"""One round: everybody asks at once, and some leave, each at a moment of its own."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
from dataclasses import dataclass
from enum import Enum

from .application import LARGE, SMALL

HOST = "127.0.0.1"
ANSWER_SECONDS = 60.0
_BODIES = {"small": SMALL, "late": SMALL, "large": LARGE}
_HEAD_LIMIT = 2**20


class Leaving(Enum):
    """When a client leaves."""

    NEVER = "never"
    IN_THE_REQUEST = "in the request"
    BEHIND_THE_REQUEST = "behind the request"
    SOON = "soon after it"
    IN_THE_BODY = "in the body"


@dataclass(frozen=True)
class Had:
    """What one client had."""

    leaving: Leaving
    status: int = 0
    """0: it saw no answer."""
    body: int = 0
    """Bytes of it."""
    whole: bool = False
    cut: bool = False
    """The gateway broke it off."""
    why: str = ""
    """The gateway's reason for an answer of its own."""


async def crowd(port: int, person: str, number: int, size: int, leaving: float, dice: random.Random) -> list[Had]:
    """So many clients at once; this part of them leaves."""
    clients = []
    for _ in range(size):
        when = dice.choice(list(Leaving)[1:]) if dice.random() < leaving else Leaving.NEVER
        name = dice.choice(("small", "small", "late", "large"))
        method = dice.choice(("GET", "POST"))
        request = f"{method} /metered/{number}/{name} HTTP/1.1\r\nhost: a.example\r\nx-user-id: {person}\r\n"
        request += "content-length: 4\r\n\r\nwant" if method == "POST" else "\r\n"
        clients.append(_client(port, request.encode(), _BODIES[name], when, dice.random()))
    return list(await asyncio.gather(*clients))


async def _client(port: int, request: bytes, expected: bytes, leaving: Leaving, chance: float) -> Had:
    reader, writer = await asyncio.open_connection(HOST, port, limit=_HEAD_LIMIT)
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await _exchange(reader, writer, request, expected, leaving, chance)
    except (asyncio.IncompleteReadError, ConnectionError):
        return Had(leaving, cut=True)
    finally:
        _leave(writer, reset=leaving is not Leaving.NEVER and chance < 0.7)


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes, expected: bytes, leaving: Leaving,
    chance: float,
) -> Had:  # fmt: skip
    if leaving is Leaving.IN_THE_REQUEST:
        writer.write(request[: 1 + int(chance * (len(request) - 2))])
        return Had(leaving)
    writer.write(request)
    if leaving is Leaving.BEHIND_THE_REQUEST:
        return Had(leaving)
    if leaving is Leaving.SOON:
        await asyncio.sleep(chance * 0.05)
        return Had(leaving)
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1])
    reason = head.partition(b"paywall-reason: ")[2].partition(b"\r\n")[0].decode()
    why = f"{status} {reason}"
    if leaving is Leaving.IN_THE_BODY:
        got = await reader.read(1 + int(chance * 1000))
        return Had(leaving, status, len(got), why=why)
    body, cut = await _body(reader, head)
    return Had(leaving, status, len(body), body == expected, cut, why)


async def _body(reader: asyncio.StreamReader, head: bytes) -> tuple[bytes, bool]:
    """What came of it, and whether it was broken off."""
    body = b""
    try:
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        if length:
            return await reader.readexactly(int(length)), False
        while size := int(await reader.readuntil(b"\r\n"), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readexactly(2)
    except asyncio.IncompleteReadError as error:
        return body + error.partial, True
    except ConnectionError:
        return body, True
    return body, False


def _leave(writer: asyncio.StreamWriter, *, reset: bool) -> None:
    """Be gone: with a reset as a machine that was switched off and on, or as whoever closes a window."""
    connection = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
    writer.close()
