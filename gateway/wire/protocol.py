"""uvicorn's HTTP protocol with limits on request heads, and with what ASGI leaves out.

ASGI does not carry the target as it was sent, does not say at once that a client has left, and can't break off an
answer. Requests that come through this protocol carry a `gateway.ports.wire.Wire` that does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import inf
from typing import Any

from httptools import HttpParserError, HttpParserUpgrade
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from gateway.core.reason import Reason
from gateway.ports.upstream import ClientGone
from gateway.ports.wire import HEAD_BYTES_LIMIT, HEADER_COUNT_LIMIT, WIRE, Lane, Traveller
from gateway.wire.connection_wire import ConnectionWire
from gateway.wire.cork import CorkedTransport
from gateway.wire.deadline import Deadline
from gateway.wire.handshake import EarlyFrames, is_handshake
from gateway.wire.old_client import UntilClose
from gateway.wire.parser import RequestParser
from gateway.wire.refusal import refusal
from gateway.wire.scope import make_scope
from gateway.wire.short_way import ShortCycle
from gateway.wire.tunnel import Tunnel
from gateway.wire.unread import unread

HEAD_SECONDS_LIMIT = 15.0
LAST_REQUEST_SECONDS = 2.0
"""When the server stops, a connection that was used within this time may bring one more request, and is told with the
answer that it was the last: the client may have sent it already, or be about to."""
STALLED_SECONDS_LIMIT = 120.0
"""A client that does not read its answer for this long holds a connection to the application for nothing."""


class GatewayProtocol(HttpToolsProtocol):
    """One client connection; the port `Line` for the one request on it that may be on the short way."""

    def __init__(self, *args: Any, lane: Lane | None = None, **more: Any) -> None:
        super().__init__(*args, **more)
        self.parser: Any = RequestParser(self)
        self._lane = lane
        # Per-connection state
        self._corked: CorkedTransport
        """The transport, as what it is."""
        self.write: Callable[[bytes], None]
        """See `Line`."""
        self._open: list[tuple[Any, ConnectionWire]] = []
        """What the application works on, oldest first."""
        self._short = ShortCycle()
        self._traveller: Traveller | None = None
        self._deadline = Deadline(self.loop, self._overdue)
        """Until then the client must have sent a head."""
        self._idles = False
        """Whether that is for want of a request, with none begun."""
        self._stall_timer: asyncio.TimerHandle | None = None
        self._stops = False
        """The server was told to stop."""
        # Per-request state
        self._in_head = False
        self._refused = False
        """What the client sends is no request, or one that is not read to its end."""
        self._arriving = 0
        """Bytes that are being taken in."""
        self._fed = 0
        """Bytes that came since the head began, at most: some of the first may have been something else."""
        self._came_with = 0
        """Bytes that came together with its first one."""
        self.begun: Any = None
        """See `Line`."""
        self._kept_head: tuple[str, bytes, list[tuple[bytes, bytes]]] = ("", b"", [])
        """Method, target and headers of the request on the short way."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client connected: its first head must come in time."""
        self._begin_head()
        self._deadline.move(HEAD_SECONDS_LIMIT)
        self._corked = CorkedTransport(transport, self.loop, self._still_sends)
        self.write = self._corked.write_through
        super().connection_made(self._corked)  # type: ignore[arg-type]
        if getattr(self.server_state, "stops", False):  # which a server of somebody else's does not say
            self.shutdown()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client left: whoever still works for it is told at once."""
        self._deadline.cancel()
        self._end_stall()
        super().connection_lost(exc)
        traveller, self._traveller = self._traveller, None
        if traveller is not None:
            traveller.client_left()
        for cycle, wire in self._open:
            if not cycle.response_complete:
                cycle.disconnected = True  # uvicorn marks only the newest of several pipelined requests
                wire.connection_lost()

    def data_received(self, data: bytes) -> None:
        """Bytes from the client; a head that goes on past its limit ends the connection."""
        if self._corked.ending:
            return
        self._arriving = len(data)
        self._fed += self._arriving
        # As uvicorn does it, without its timer for idle connections, whose place our own clock takes.
        try:
            self.parser.feed_data(data)
        except HttpParserError:
            self.send_400_response("it is not valid HTTP/1.1")
        except HttpParserUpgrade:
            self.parser = EarlyFrames(self.parser.behind, self.flow.pause_reading)
        if self._in_head and not self.transport.is_closing():
            if self._deadline.due == inf or self._idles:  # most heads arrive whole, and need no clock
                self._idles = False
                self._deadline.move(HEAD_SECONDS_LIMIT)
            if self._fed - self._came_with > HEAD_BYTES_LIMIT:
                self._refuse_head()

    def pause_writing(self) -> None:
        """The client reads slower than the application sends; one that stops reading is let go after a while."""
        super().pause_writing()
        self._stall_timer = self.loop.call_later(STALLED_SECONDS_LIMIT, self.transport.abort)
        if self._traveller is not None:
            self._traveller.pause()

    def resume_writing(self) -> None:
        """The client reads again."""
        self._end_stall()
        super().resume_writing()
        if self._traveller is not None:
            self._traveller.resume()

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        self.url, self.headers = b"", []
        if not self._in_head:
            self._begin_head()

    def on_url(self, url: bytes) -> None:
        """A part of the target."""
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header, complete; a trailer, which comes behind the body, is none (RFC 9110 section 6.5.1)."""
        if self._in_head:
            self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """The head is whole: judge its size, then let it pass, or let the application begin."""
        too_large = len(self.headers) > HEADER_COUNT_LIMIT or (
            self._fed > HEAD_BYTES_LIMIT and self._is_head_too_large()
        )
        self._end_head()
        if self._corked.ending:
            return  # what was sent behind a refused head is not carried out
        if too_large:
            self._refuse_head()
            return
        self.begun = None
        if not self.parser.should_upgrade():
            if self._lane is None or not self._enter(self._lane):
                self._start_application()
        elif not self._should_upgrade():
            self.parser.decline(self.headers)
            self._start_application()
        elif not self._is_answering() and is_handshake(
            self.parser.get_method(), self.parser.get_http_version(), self.headers
        ):
            self._start_handshake()
        else:
            self.send_400_response("a WebSocket begins with a GET of version 13 with one key and no body")

    def on_body(self, body: bytes) -> None:
        """A piece of the body; nobody reads it when the head was refused."""
        if not self.transport.is_closing():
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        if self.cycle is self._short or self.parser.declined:  # type: ignore[comparison-overlap]
            return  # it had none, or its body is still to come (a handshake has none: uvicorn looks for it itself)
        if not self.transport.is_closing():
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """The answer is whole: the next request, or a while of waiting for it."""
        self.server_state.total_requests += 1
        if self._corked.ending:
            return
        if self.flow.read_paused:
            self.flow.resume_reading()
            if self._in_head:  # what was not read could not come: its time begins now
                self._deadline.move(HEAD_SECONDS_LIMIT)
        if self.pipeline:
            cycle, application = self.pipeline.pop()
            self._start_asgi_task(cycle, application)
        elif not self._in_head:
            self._idles = True
            self._deadline.move(LAST_REQUEST_SECONDS if self._stops else self.timeout_keep_alive)

    def shutdown(self) -> None:
        """The server stops: the answer whose head comes next is the last, and says so; a WebSocket that opens ends."""
        self._stops = True
        if self._is_answering():
            if not self.cycle.response_started:
                self.cycle.keep_alive = False
        elif self._idles or (self._in_head and not self._fed):
            patience = self.timeout_keep_alive if self._idles else HEAD_SECONDS_LIMIT
            waited = patience - (self._deadline.due - self.loop.time())
            self._idles = True
            self._deadline.move(max(0.0, LAST_REQUEST_SECONDS - waited))

    # The short way

    def _enter(self, lane: Lane) -> bool:
        """Whether the request is on the short way now."""
        cycle = self.cycle
        if self.parser.get_http_version() != "1.1" or not (cycle is None or cycle.response_complete):
            return False
        if self.flow.write_paused:  # said once, and not again to a traveller who comes later: it would never pause
            return False
        method = self.parser.get_method().decode("ascii")
        traveller = lane.enter(method, self.url, self.headers, self.client, self.scheme or "http", self)
        if traveller is None:
            return False
        self._traveller = traveller
        self._kept_head = (method, self.url, self.headers)
        self._short.begin(self.parser.should_keep_alive() and not self._stops)
        self.cycle = self._short  # type: ignore[assignment]
        return True

    def begin_answer(self) -> bool:
        """See `Line`."""
        self._short.response_started = True
        return not self._short.keep_alive

    def finish(self) -> None:
        """See `Line`."""
        self._traveller = None
        self._short.response_complete = True
        if not self._short.keep_alive:
            self.transport.close()
        self.on_response_complete()

    def abort(self) -> None:
        """See `Line`."""
        self._traveller = None
        self._short.response_complete = True
        self.transport.abort()

    def go_the_long_way(self) -> None:
        """See `Line`. Requests that came behind it keep their places in the queue."""
        self._traveller = None
        self._short.response_complete = True
        newest: Any = self.cycle
        method, target, headers = self._kept_head
        wire = ConnectionWire(target, self.transport, self.begun)
        is_last = self._stops and newest is self._short  # else whoever is behind it is
        cycle = self._start_without_body(method, target, headers, self._short.keep_alive and not is_last, wire)
        if newest is self._short:
            self.cycle = cycle

    # WebSockets

    def _should_upgrade_to_ws(self) -> bool:
        return True  # whatever libraries there are: none is needed

    def _start_handshake(self) -> None:
        """Let the application answer it; a refusal is the last answer, since frames may follow and no request."""
        wire = ConnectionWire(self.url, self.transport, None, self._join)
        self.cycle = self._start_without_body("GET", self.url, self.headers, False, wire)

    async def _join(self, head: bytes, transport: asyncio.Transport, early: bytes) -> int:
        """See the port."""
        if self.transport.is_closing():
            transport.abort()
            raise ClientGone
        self.cycle.disconnected = self.cycle.response_complete = True  # as far as HTTP goes
        self._end_stall()
        tunnel = Tunnel(self._corked.release(), transport)
        self.connections.discard(self)
        async with tunnel.among(self.connections):
            tunnel.open(head, early, self.parser.data, self.flow.write_paused)
            self.parser = None
            if self._stops:
                tunnel.hang_up()
            await tunnel.ended
        return tunnel.application.carried

    # The application

    def _still_sends(self) -> bool:
        """See `CorkedTransport`."""
        self.flow.resume_reading()
        if isinstance(self.parser, EarlyFrames):
            return bool(self.parser.data)
        return self._refused or (self.cycle is not None and self.cycle.more_body)

    def _start_without_body(
        self, method: str, target: bytes, headers: list[tuple[bytes, bytes]], keep_alive: bool, wire: ConnectionWire
    ) -> RequestResponseCycle:
        scope = make_scope(self, method, target, headers)
        cycle = RequestResponseCycle(
            scope=scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=False,
            keep_alive=keep_alive,
            on_response=self.on_response_complete,
        )
        cycle.more_body = False
        cycle.message_event.set()
        self._attach(cycle, scope, wire)
        self._start_asgi_task(cycle, self.app)
        return cycle

    def _start_application(self) -> None:
        target, headers = self.url, self.headers
        super().on_message_begin()
        self.url = target
        self.headers += headers  # the list that is in the scope
        self.expect_100_continue = any(
            name == b"expect" and value.lower() == b"100-continue" for name, value in headers
        )
        before = self.cycle
        super().on_headers_complete()
        if self.cycle is not before:
            if self._stops:
                self.cycle.keep_alive = False
            self._attach(self.cycle, self.scope, ConnectionWire(target, self.transport, self.begun))
            if self.scope["http_version"] == "1.0":
                self.cycle.send = UntilClose(self.cycle)  # type: ignore[method-assign,assignment]

    def _attach(self, cycle: Any, scope: Any, wire: ConnectionWire) -> None:
        scope["extensions"] = {WIRE: wire}
        self._open = [entry for entry in self._open if not entry[0].response_complete]
        self._open.append((cycle, wire))

    # The clock

    def _begin_head(self) -> None:
        self._in_head, self._fed, self._came_with = True, self._arriving, self._arriving

    def _end_head(self) -> None:
        self._in_head = self._idles = False
        self._deadline.lift()

    def _overdue(self) -> None:
        if self.transport.is_closing():
            return
        if self.flow.read_paused or (self._idles and unread(self.transport)):  # what is not read can't come
            self._deadline.move(HEAD_SECONDS_LIMIT)
        else:
            self.transport.close()

    def _end_stall(self) -> None:
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None

    # Refusals

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP request, and close."""
        text = f"This is not a request that can be passed on: {msg.rstrip('.')}."
        self._refuse(refusal("400 Bad Request", Reason.REQUEST_MALFORMED, text))

    def _is_answering(self) -> bool:
        return self._traveller is not None or any(not cycle.response_complete for cycle, _ in self._open)

    def _is_head_too_large(self) -> bool:
        """Measured, where more came than a head may have: some of it may have been something else."""
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers) > HEAD_BYTES_LIMIT

    def _refuse_head(self) -> None:
        text = "The head of a request may have 64 KiB and 200 headers."
        status = "431 Request Header Fields Too Large"
        self._refuse(refusal(status, Reason.HEAD_TOO_LARGE, text))

    def _refuse(self, answer: bytes) -> None:
        if self._is_answering():
            # An answer to an earlier request is under way: the client would take this one for a part of it.
            self.transport.abort()
            return
        self._refused = True
        self.transport.write(answer)
        self.transport.close()
