"""A client's WebSocket and the application's, joined byte for byte until both have ended.

Nothing is read out of what passes but where frames begin, so that the gateway can end a WebSocket in order when it
stops. Neither side can tell the gateway from the other side: compression, pings, limits and ends are between the two.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from gateway.wire.frames import CLOSE_TO_APPLICATION, CLOSE_TO_CLIENT, Frames

STALLED_SECONDS_LIMIT = 120.0
"""Whoever does not read for this long is let go, and whoever stays when the other side has ended."""
STOP_SECONDS_LIMIT = 10.0
"""So long both may take to end when the gateway stops."""
_KEEPALIVE = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4))
"""Two minutes after a side has vanished without a word it is known, however silent the WebSocket is meant to be."""


class Tunnel:
    """Both ends, from the moment they are joined. Nothing is read of the application's transport, and it may be at its
    end: it may have said all that it has to say."""

    def __init__(self, client: asyncio.Transport, application: asyncio.Transport) -> None:
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when both connections are gone."""
        self.client = End(self, client, CLOSE_TO_CLIENT)
        """The side that is to be told when the server stops."""
        self.application = End(self, application, CLOSE_TO_APPLICATION)
        self.client.other, self.application.other = self.application, self.client

    @asynccontextmanager
    async def among(self, connections: set[Any]) -> AsyncIterator[None]:
        """It is one of the server's connections meanwhile, and cut afterwards."""
        connections.add(self.client)
        try:
            yield
        finally:
            self.abort()
            connections.discard(self.client)

    def open(self, head: bytes, from_application: bytes, from_client: bytes, client_is_slow: bool) -> None:
        """Begin with the answer to the handshake and what each side has sent already."""
        for end in (self.client, self.application):
            end.transport.set_protocol(end)
            _notice_vanishing(end.transport)
        # Before anything is written, since that may pause the other side.
        self.client.resume_reading()
        if client_is_slow:  # said before, and not again
            self.client.pause_writing()
        else:
            self.application.resume_reading()
        self.client.transport.write(head)
        self.application.data_received(from_application)
        if self.application.transport.is_closing():  # whose protocol was set before may have been told
            self.application.connection_lost(None)
        self.client.data_received(from_client)

    def hang_up(self) -> None:
        """End both directions in order, each at the end of a frame, and cut what is left of them after a while."""
        self.client.part()
        self.application.part()

    def finish_what_is_said(self) -> None:
        """Tell each side for which nothing more comes; one that can't be told and go on speaking, once it is silent."""
        for end in (self.client, self.application):
            if end.other.is_silent and (end.is_silent or end.transport.can_write_eof()):
                end.finish()

    def abort(self) -> None:
        """Cut both sides."""
        self.client.transport.abort()
        self.application.transport.abort()

    def note_loss(self) -> None:
        """One of the ends has lost its connection."""
        if self.client.lost and self.application.lost and not self.ended.done():
            self.ended.set_result(None)


class End(asyncio.Protocol):
    """One side: what comes from it goes to the other."""

    __slots__ = (
        "_frames", "_goodbye", "_leaves", "_mute", "_parts", "_timer", "_tunnel", "carried", "ended", "lost", "other",
        "transport",
    )  # fmt: skip

    other: End

    def __init__(self, tunnel: Tunnel, transport: asyncio.Transport, goodbye: bytes) -> None:
        """`goodbye` is the frame by which the gateway ends what goes to this side."""
        self._tunnel, self.transport, self._goodbye = tunnel, transport, goodbye
        self._frames = Frames()
        """Of what comes from it."""
        self.carried = 0
        """Bytes that came from it."""
        self._leaves = False
        """Nothing is waited for any more but its end."""
        self._parts = False
        """The gateway stops, and its time is measured."""
        self._mute = False
        """What still comes from it goes nowhere: the other side was told of the end."""
        self.ended = False
        """Nothing more comes from it."""
        self.lost = False
        self._timer: asyncio.TimerHandle | None = None

    # asyncio.Protocol

    def data_received(self, data: bytes) -> None:
        """Bytes for the other side."""
        if self._parts:
            self._pass_last(data)
            return
        if self.other.lost:
            return
        self.carried += len(data)
        self._frames.feed(data)
        self.other.transport.write(data)

    def eof_received(self) -> bool:
        """It has nothing more to say, but may still listen."""
        self.ended = True
        if self.other.ended:
            self.other.leave()
            self.leave()
        else:
            self.other.finish()
            self._limit(STALLED_SECONDS_LIMIT)
        return self.transport.can_write_eof()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone: what it has said still reaches the other side."""
        if self.lost:
            return
        self.lost = self.ended = True
        self._rest()
        if not self.other.lost:
            self.other.leave()
        self._tunnel.note_loss()

    def pause_writing(self) -> None:
        """It reads more slowly than the other side sends."""
        self.other.pause_reading()
        self._limit(STALLED_SECONDS_LIMIT)

    def resume_writing(self) -> None:
        """It has caught up."""
        if not self._leaves:
            self._rest()
        self.other.resume_reading()

    # For the server, which knows of clients only

    def shutdown(self) -> None:
        """The server stops."""
        self._tunnel.hang_up()

    # For the tunnel and the other end

    def part(self) -> None:
        """The frame that has begun is the last of it that passes."""
        self._limit(STOP_SECONDS_LIMIT)
        self._parts = True
        self._pass_last(b"")

    def leave(self) -> None:
        """Close once everything is written."""
        self._leaves = True
        self._limit(STALLED_SECONDS_LIMIT)
        self.transport.close()

    def finish(self) -> None:
        """Nothing more comes for it. TLS can't say so and go on listening: there, all ends with it."""
        if not self.transport.is_closing():
            if self.transport.can_write_eof():
                self.transport.write_eof()
            else:
                self.leave()

    def pause_reading(self) -> None:
        """Take no more from it for the moment."""
        if not self.transport.is_closing():
            self.transport.pause_reading()

    def resume_reading(self) -> None:
        """Take more from it."""
        if not self.transport.is_closing():
            self.transport.resume_reading()

    def _pass_last(self, data: bytes) -> None:
        if self.is_silent or self.other.lost:
            return
        if data:
            cut = self._frames.end_of_first(data)
            self.carried += cut
            self.other.transport.write(data[:cut])
        if self._frames.between:
            self._mute = True
            self.other.transport.write(self.other._goodbye)
            self._tunnel.finish_what_is_said()

    @property
    def is_silent(self) -> bool:
        """Whether nothing that comes from it goes anywhere any more."""
        return self._mute or self.ended

    def _limit(self, seconds: float) -> None:
        if self.lost or self._parts:
            return
        self._rest()
        self._timer = asyncio.get_running_loop().call_later(seconds, self.transport.abort)

    def _rest(self) -> None:
        if self._timer is not None and (self.lost or not self._parts):
            self._timer.cancel()
            self._timer = None


def _notice_vanishing(transport: asyncio.Transport) -> None:
    connection = transport.get_extra_info("socket")
    if connection is None or connection.family not in (socket.AF_INET, socket.AF_INET6):
        return
    with suppress(OSError):  # it may be gone already
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _KEEPALIVE:
            if hasattr(socket, name):  # not each on every system
                connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
