"""uvicorn's HTTP protocol with limits on request heads, and with what ASGI leaves out.

ASGI does not carry the target as it was sent, does not say at once that a client has left, and can't break off an
answer. Requests that come through this protocol carry a `gateway.ports.wire.Wire` that does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.core.reason import Reason
from gateway.ports.wire import WIRE
from gateway.wire.cork import CorkedTransport
from gateway.wire.old_client import UntilClose

HEAD_BYTES_LIMIT = 64 * 1024
HEADER_COUNT_LIMIT = 200
HEAD_SECONDS_LIMIT = 15.0
STALLED_SECONDS_LIMIT = 120.0
"""A client that does not read its answer for this long holds a connection to the application for nothing."""


def refusal(status: str, reason: Reason, text: str) -> bytes:
    """An answer of the server itself, for what never becomes a request: plain, with its reason, and the last one."""
    body = text.encode() + b"\n"
    return (
        f"HTTP/1.1 {status}\r\nconnection: close\r\ncontent-type: text/plain; charset=utf-8\r\n"
        f"cache-control: private, no-store\r\npaywall-reason: {reason}\r\ncontent-length: {len(body)}\r\n\r\n"
    ).encode() + body


class ConnectionWire:
    """The port `Wire` over uvicorn's transport."""

    __slots__ = ("_transport", "gone", "on_gone", "target")

    def __init__(self, target: bytes, transport: asyncio.Transport) -> None:
        self.target = target
        """The request target byte for byte, fragment and all."""
        self.gone = False
        self.on_gone: Callable[[], None] | None = None
        """Called once when the connection ends before the answer is complete."""
        self._transport = transport

    def abort(self) -> None:
        """Break the connection off, so that a cut answer can't be taken for a whole one."""
        self._transport.abort()

    def connection_lost(self) -> None:
        """Tell whoever works on this request that nobody waits for it any more."""
        self.gone = True
        if self.on_gone is not None:
            self.on_gone()


class GatewayProtocol(HttpToolsProtocol):
    """One client connection."""

    # Per-connection state
    _open: list[tuple[Any, ConnectionWire]]
    _head_timer: asyncio.TimerHandle | None = None
    _stall_timer: asyncio.TimerHandle | None = None

    # Per-request state
    _in_head: bool
    _fed: int
    _head_size: int

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client connected: its first head must come in time."""
        self._open = []
        self._begin_head()
        super().connection_made(CorkedTransport(transport, self.loop))  # type: ignore[arg-type]

    def connection_lost(self, exc: Exception | None) -> None:
        """The client left: whoever still works for it is told at once."""
        self._end_head()
        self._end_stall()
        super().connection_lost(exc)
        for cycle, wire in self._open:
            if not cycle.response_complete:
                cycle.disconnected = True  # uvicorn marks only the newest of several pipelined requests
                wire.connection_lost()

    def data_received(self, data: bytes) -> None:
        """Bytes from the client; a head that goes on past its limit ends the connection."""
        self._fed += len(data)
        super().data_received(data)
        if self._in_head and self._fed > HEAD_BYTES_LIMIT and not self.transport.is_closing():
            self._refuse_head()

    def pause_writing(self) -> None:
        """The client reads slower than the application sends; one that stops reading is let go after a while."""
        super().pause_writing()
        self._stall_timer = self.loop.call_later(STALLED_SECONDS_LIMIT, self.transport.abort)

    def resume_writing(self) -> None:
        """The client reads again."""
        self._end_stall()
        super().resume_writing()

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        if self._head_timer is None:
            self._begin_head()

    def on_url(self, url: bytes) -> None:
        """A part of the target."""
        self._head_size += len(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header, complete."""
        self._head_size += len(name) + len(value) + 4
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is whole: judge its size, then let the application begin."""
        size, count = self._head_size, len(self.headers)
        self._end_head()
        if self.transport.is_closing():
            return  # what was sent behind a refused head is not carried out
        if size > HEAD_BYTES_LIMIT or count > HEADER_COUNT_LIMIT:
            self._refuse_head()
            return
        if self.parser.should_upgrade() and self._should_upgrade() and not self._is_handshake():
            self.send_400_response("a WebSocket begins with a GET of version 13 with one key and no body")
            return
        before = self.cycle
        super().on_headers_complete()
        if self.cycle is not before:
            wire = ConnectionWire(self.url, self.transport)
            self.scope["extensions"] = {WIRE: wire}  # type: ignore[dict-item]
            self._open = [entry for entry in self._open if not entry[0].response_complete]
            self._open.append((self.cycle, wire))
            if self.scope["http_version"] == "1.0":
                self.cycle.send = UntilClose(self.cycle)  # type: ignore[method-assign,assignment]

    def on_body(self, body: bytes) -> None:
        """A piece of the body; nobody reads it when the head was refused."""
        if not self.transport.is_closing():
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        if not self.transport.is_closing():
            super().on_message_complete()

    def _begin_head(self) -> None:
        self._in_head, self._fed, self._head_size = True, 0, 0
        self._head_timer = self.loop.call_later(HEAD_SECONDS_LIMIT, self._head_overdue)

    def _end_stall(self) -> None:
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None

    def _end_head(self) -> None:
        self._in_head, self._fed, self._head_size = False, 0, 0
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_overdue(self) -> None:
        self._head_timer = None
        if not self.transport.is_closing():
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP request, and close."""
        text = f"This is not a request that can be passed on: {msg.rstrip('.')}."
        self._refuse(refusal("400 Bad Request", Reason.REQUEST_MALFORMED, text))

    def _is_handshake(self) -> bool:
        # RFC 6455 section 4.2.1. With a body it would be a request hidden behind a handshake.
        values: dict[bytes, list[bytes]] = {}
        for name, value in self.headers:
            values.setdefault(name, []).append(value)
        return (
            self.parser.get_method() == b"GET"
            and values.get(b"sec-websocket-version") == [b"13"]
            and len(values.get(b"sec-websocket-key", [])) == 1
            and values.get(b"content-length", [b"0"]) == [b"0"]
            and b"transfer-encoding" not in values
        )

    def _refuse_head(self) -> None:
        text = "The head of a request may have 64 KiB and 200 headers."
        status = "431 Request Header Fields Too Large"
        self._refuse(refusal(status, Reason.HEAD_TOO_LARGE, text))

    def _refuse(self, answer: bytes) -> None:
        if any(not cycle.response_complete for cycle, _ in self._open):
            # An answer to an earlier request is under way: the client would take this one for a part of it.
            self.transport.abort()
            return
        self.transport.write(answer)
        self.transport.close()
