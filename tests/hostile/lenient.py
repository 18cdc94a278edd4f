"""A server under the gateway that refuses nothing: it splits at line ends and blanks, and hands on what it finds.

The gateway is an ASGI application too, for whatever server an operator has (`gateway.asgi`). The parser of its own
server refuses much before the gateway sees it; which of the gateway's own rules that would hide, this one shows. Where
a message has two ends, it takes the first `Content-Length` before a coding, and any coding that begins with `chunked`.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from typing import Any
from urllib.parse import unquote

_LINE = re.compile(rb"(.*?) (/.*|\S*) (\S*)", re.DOTALL)
"""Method, target and version: a target that begins with a slash may have blanks, and so may a method."""

Headers = list[tuple[bytes, bytes]]


class LenientServer:
    """Serves one ASGI application, request by request."""

    def __init__(self, application: Any) -> None:
        self._application = application

    async def listen(self, port: int) -> None:
        """Listen from now on. The server lives as long as the event loop."""
        await asyncio.start_server(self._converse, "127.0.0.1", port)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError, ValueError):
            while await self._answer_one(reader, writer):
                pass
        writer.close()

    async def _answer_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Whether another request may follow: neither the client nor the application says that the connection ends."""
        line, *lines = (await reader.readuntil(b"\r\n\r\n"))[:-4].split(b"\r\n")
        parts = _LINE.fullmatch(line)
        if parts is None:
            return False
        headers = [(name.strip().lower(), value.strip(b" \t")) for name, _, value in (o.partition(b":") for o in lines)]
        body = await _body(reader, headers)
        scope = _scope(parts[1], parts[2], headers, writer.get_extra_info("peername"))
        head, content = await _ask(self._application, scope, body)
        writer.write(head + content)
        await writer.drain()
        return (b"connection", b"close") not in headers and b"\r\nconnection: close\r\n" not in head


async def _body(reader: asyncio.StreamReader, headers: Headers) -> bytes:
    lengths = [value for name, value in headers if name == b"content-length"]
    codings = [value for name, value in headers if name == b"transfer-encoding"]
    if lengths:
        return await reader.readexactly(int(lengths[0]))
    if not codings or not codings[0].startswith(b"chunked"):
        return b""
    pieces = []
    while size := int((await reader.readuntil(b"\r\n")).partition(b";")[0], 16):
        pieces.append(await reader.readexactly(size))
        await reader.readuntil(b"\r\n")
    await reader.readuntil(b"\r\n")
    return b"".join(pieces)


def _scope(method: bytes, target: bytes, headers: Headers, peer: Any) -> dict[str, Any]:
    path, _, query = target.partition(b"?")
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method.decode("latin-1"),
        "scheme": "http",
        "path": unquote(path.decode("latin-1")),
        "raw_path": path,
        "query_string": query,
        "headers": headers,
        "client": peer,
    }


async def _ask(application: Any, scope: dict[str, Any], body: bytes) -> tuple[bytes, bytes]:
    """Head and body of the application's answer."""
    status, headers, pieces = 500, [], []
    asked = False

    async def receive() -> dict[str, Any]:
        nonlocal asked
        if asked:
            await asyncio.Event().wait()  # the client never leaves
        asked = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(event: dict[str, Any]) -> None:
        nonlocal status, headers
        if event["type"] == "http.response.start":
            status, headers = event["status"], list(event["headers"])
        else:
            pieces.append(event.get("body", b""))

    await application(scope, receive, send)
    content = b"".join(pieces)
    headers = [pair for pair in headers if pair[0] != b"content-length"]
    headers.append((b"content-length", b"%d" % len(content)))
    return b"HTTP/1.1 %d -\r\n%b\r\n\r\n" % (status, b"\r\n".join(map(b": ".join, headers))), content
