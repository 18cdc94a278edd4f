"""The application behind the proxies where nginx won't do: great bodies, events, WebSockets. It holds no body."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import sys
from contextlib import suppress
from pathlib import Path

from bench.candidate import BODY, Candidate, Site
from bench.messages import CHUNK, content_length, drain_with_stall, header, read_head, send_zeros
from bench.processes import Command

DOWN_PATH = "/bench/down"
UP_PATH = "/bench/up"
EVENTS_PATH = "/bench/events"
SOCKET_PATH = "/bench/socket"
EVENT = b"data: first\n\n"
BACKLOG = 4096

_SOCKET_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 section 1.3


async def serve(port: int, size: int) -> None:
    """Answers DOWN_PATH with `size` bytes, UP_PATH with the number it was sent, else BODY.

    EVENTS_PATH gets one event and then silence, SOCKET_PATH a WebSocket that sends back short messages.
    An upload is read slowly on purpose: a quarter, then a second of nothing, then the rest. A proxy without
    back-pressure has to keep meanwhile what the client goes on sending.
    """

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # When the proxy hangs up, the client's side tells whether it should have.
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while head := await read_head(reader):
                await _answer(head, size, reader, writer)
        writer.close()

    async with await asyncio.start_server(connection, "127.0.0.1", port, limit=len(CHUNK), backlog=BACKLOG) as server:
        await server.serve_forever()


def application(size: int = 0) -> Candidate:
    """The application as a program to be started like the proxies."""

    def prepare(site: Site) -> Command:
        arguments = (sys.executable, "-m", "bench.application", str(site.port), str(size))
        return Command(arguments, {"PYTHONPATH": str(Path(__file__).parent.parent)})

    return Candidate("upstream", "the upstream", sys.executable, "", (), prepare, drop_privileges=False)


async def _answer(head: list[str], size: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    path = head[0].split(" ")[1]
    length = content_length(head)
    if path == DOWN_PATH:
        writer.write(_answer_head("application/octet-stream", size))
        await send_zeros(writer, size)
    elif path == UP_PATH and length is not None:
        body = str(await drain_with_stall(reader, length)).encode()
        writer.write(_answer_head("text/plain", len(body)) + body)
    elif path == EVENTS_PATH:
        event = b"%x\r\n%b\r\n" % (len(EVENT), EVENT)
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n" + event
        )
        await reader.read()  # until the client has had enough
    elif path == SOCKET_PATH and (key := header(head, "sec-websocket-key")):
        await _echo(key, reader, writer)
    else:
        writer.write(_answer_head("application/json", len(BODY)) + BODY)
    await writer.drain()


async def _echo(key: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    accepted = base64.b64encode(hashlib.sha1(key.encode() + _SOCKET_GUID).digest())
    writer.write(
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
        b"sec-websocket-accept: " + accepted + b"\r\n\r\n"
    )
    while True:
        opening, length = await reader.readexactly(2)
        mask = await reader.readexactly(4)
        masked = await reader.readexactly(length & 0x7F)
        writer.write(bytes([opening, len(masked)]) + bytes(byte ^ mask[at % 4] for at, byte in enumerate(masked)))


def _answer_head(media_type: str, length: int) -> bytes:
    return f"HTTP/1.1 200 OK\r\ncontent-type: {media_type}\r\ncontent-length: {length}\r\n\r\n".encode()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2])))
