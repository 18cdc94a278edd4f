"""One socket to the application: bytes in and out, flow control, and what its end means."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from math import inf
from typing import cast

from gateway.ports.upstream import Receiver, RequestBody, UpstreamError, UpstreamFailure
from gateway.upstream.exchange import Exchange
from gateway.upstream.limits import UpstreamLimits
from gateway.upstream.parsing import AnswerParser, MalformedAnswer
from gateway.upstream.relay import Relay
from gateway.upstream.upload import Upload


class Connection(asyncio.Protocol):
    """Carries one exchange at a time. Tells its owner when it is free again, closed, and finally gone.

    `on_idle` may be followed by the next `begin`; `on_closed` comes exactly once and nothing but `on_lost` after it.
    """

    def __init__(
        self,
        label: str,
        limits: UpstreamLimits,
        on_idle: Callable[[Connection], None],
        on_closed: Callable[[Connection], None],
        on_lost: Callable[[Connection], None],
    ) -> None:
        # Per connection
        self._label = label
        self._limits = limits
        self._on_idle = on_idle
        self._on_closed = on_closed
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._parser = AnswerParser(limits.max_head_bytes, limits.max_headers)
        self.closed = False
        self._writing_paused = False
        self._drained: asyncio.Future[None] | None = None
        self.reused = False
        """At least one exchange has ended well on it."""
        self.owner = ""
        """Whose request it carries, as `Shares` count them; empty while idle."""
        self.idle_since = 0.0
        """Instant of the loop's clock at which it became idle last."""
        self.deadline = inf
        """Of the exchange; while idle, of the connection itself."""
        # Per exchange
        self._exchange: Exchange | Relay | None = None
        self._switched: asyncio.Transport | None = None
        """The transport, where it speaks another protocol now and waits to be let go."""
        self._spare = -1
        """A second handle on the socket while a body is sent."""

    # For the pool and the connector

    @property
    def keepalive(self) -> float:
        """Seconds it may idle: ours, or less where the application says it closes earlier."""
        hint = self._parser.keepalive_hint
        # A second less than its word: a request already under way when it closes would be lost.
        return self._limits.keepalive_idle if hint is None else min(self._limits.keepalive_idle, hint - 1)

    def idle_for(self) -> float:
        """Seconds since it became idle."""
        # By the loop at hand: to ask for the running one costs a system call.
        return self._loop.time() - self.idle_since

    def is_usable(self) -> bool:
        """An idle connection is open as far as can be known, and was not idle for too long."""
        transport = self._transport
        return transport is not None and not transport.is_closing() and self._loop.time() < self.deadline

    def rest(self) -> None:
        """It becomes idle now, and closes when it has been for too long."""
        self.idle_since = self._loop.time()
        self.deadline = self.idle_since + self.keepalive

    def begin(self, method: bytes, head: bytes, body: RequestBody | None, *, may_switch: bool = False) -> Exchange:
        """Send one request; None for a body that has no bytes. The connection is idle before.

        With `may_switch` an answer of status 101 ends HTTP on it: what else came with it is the answer's body, and the
        rest is unread until somebody takes the connection by `let_go`.
        """
        assert self._exchange is None and self._transport is not None
        exchange = Exchange(self._loop, self, self._limits.read_timeout, self._limits.read_high_water)
        self._exchange = exchange
        self._parser.expect(to_head=method == b"HEAD", may_switch=may_switch)
        if body is None:
            self._transport.write(head)
        else:
            self._spare = _second_handle(self._transport)
            exchange.upload_by(Upload(head, body, exchange, self).begin(self._loop))
        return exchange

    def relay(self, method: bytes, head: bytes, receiver: Receiver, may_retry: bool) -> Relay:
        """Send one request without a body, its answer told to this receiver. The connection is idle before."""
        assert self._exchange is None and self._transport is not None
        limits, may_retry = self._limits, may_retry and self.reused
        relay = Relay(self._loop, self, receiver, limits.read_timeout, limits.read_high_water, may_retry)
        self._exchange = relay
        self._parser.expect(to_head=method == b"HEAD")
        self._transport.write(head)
        return relay

    def let_go(self) -> asyncio.Transport:
        """Leave the socket, which has switched protocols, to the caller. It may be at its end."""
        transport, self._switched = self._switched, None
        assert transport is not None
        self._transport, self.closed = None, True
        return transport

    def expire(self) -> None:
        """The deadline has passed."""
        exchange = self._exchange
        if exchange is None:
            self.close()
            return
        waited = "no answer" if not exchange.status else "no further piece of its answer"
        self._fail(
            UpstreamFailure.TIMEOUT,
            f"sent {waited} for {self._limits.read_timeout:g} s; raise read_timeout if it may take longer",
        )

    def shut_down(self) -> None:
        """The connector is closing: end the connection, and the exchange on it with an error."""
        self._fail(UpstreamFailure.BROKEN, "was not waited for any more: the connector is closing")
        self.close()

    def close(self) -> None:
        """End the connection at once, unsent bytes included. Whoever waits for an exchange must be told before."""
        if not self.closed:
            self.closed = True
            self._exchange = None
            self._parser.discard()
            self._release_writer()
            self._drop_spare()
            if self._transport is not None:
                self._transport.abort()
            self._on_closed(self)

    # For the exchange and the upload

    def pause_reading(self) -> None:
        """See `exchange.Carrier`."""
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """See `exchange.Carrier`."""
        if self._transport is not None:
            self._transport.resume_reading()

    def hand_to(self, exchange: Exchange) -> None:
        """See `relay.RelayCarrier`."""
        self._exchange = exchange

    def write(self, parts: list[bytes]) -> None:
        """See `upload.Outlet`. Without effect once closed."""
        if not self.closed and self._transport is not None:
            # Not writelines: asyncio's (seen in Python 3.12.1 and 3.13.0) never calls pause_writing.
            self._transport.write(parts[0] if len(parts) == 1 else b"".join(parts))

    async def drain(self) -> None:
        """See `upload.Outlet`."""
        if not self._writing_paused or self.closed:
            # A body that always has its next piece at hand must not keep the loop from everything else,
            # an early answer to it first of all.
            await asyncio.sleep(0)
            return
        self._drained = self._loop.create_future()
        await self._drained

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connected, with TLS where there is any."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but its bases

    def data_received(self, data: bytes) -> None:
        """Bytes of an answer, if one is awaited."""
        exchange = self._exchange
        if exchange is None:  # nobody asked for these bytes
            self.close()
            return
        exchange.touched = True
        parser = self._parser
        try:
            parser.feed(data)
        except MalformedAnswer as error:
            exchange.take(parser)
            self._fail(UpstreamFailure.MALFORMED, f"sent an answer that cannot be read safely: {error}")
            return
        exchange.take(parser)
        # Whoever was told may have ended it, or handed it on.
        if parser.complete and self._exchange is not None:
            self._finish(self._exchange)

    def eof_received(self) -> None:
        """The application will send no more: it is done with this connection, and so are we."""
        if self._switched is None:  # else that is no affair of ours any more
            self._end(None)

    def connection_lost(self, error: Exception | None) -> None:
        """The socket is gone."""
        self._hear_last_words()
        if self._switched is None:
            self._end(error)
        self._transport = None
        self._on_lost(self)

    def pause_writing(self) -> None:
        """The application reads more slowly than we write."""
        self._writing_paused = True

    def resume_writing(self) -> None:
        """It has caught up."""
        self._writing_paused = False
        self._release_writer()

    # What happened, told to the exchange

    def _finish(self, exchange: Exchange | Relay) -> None:
        stays_open = self._parser.persistent and not exchange.uploading and not self.closed
        self._exchange = None
        self._drop_spare()
        exchange.finish()
        if self._parser.status == 101 and not self.closed:
            self._switched = self._transport
            self.pause_reading()
            return
        if not stays_open:
            self.close()
            return
        # Reading goes on: paused, the last bytes could not have arrived.
        self.reused = True
        self._on_idle(self)

    def _end(self, error: Exception | None) -> None:
        exchange = self._exchange
        if exchange is None:
            self.close()
        elif error is None and self._parser.end():
            self._finish(exchange)
        else:
            when = "in the middle of" if exchange.touched else "before"
            why = f" ({error})" if error is not None else ""
            self._fail(UpstreamFailure.BROKEN, f"closed the connection {when} its answer{why}")

    def _fail(self, failure: UpstreamFailure, what: str) -> None:
        if self._exchange is not None:
            self._exchange.fail(UpstreamError(failure, f"the application at {self._label} {what}"))

    def _hear_last_words(self) -> None:
        """Read what a transport leaves unread when a write fails.

        An application may answer a body that it does not want, and reset the connection on which the rest of it comes.
        """
        while self._spare >= 0:
            try:
                data = os.read(self._spare, 65536)
            except OSError:
                data = b""
            if not data:
                self._drop_spare()
                return
            self.data_received(data)

    def _drop_spare(self) -> None:
        spare, self._spare = self._spare, -1
        if spare >= 0:
            os.close(spare)

    def _release_writer(self) -> None:
        drained, self._drained = self._drained, None
        if drained is not None and not drained.done():
            drained.set_result(None)


def _second_handle(transport: asyncio.Transport) -> int:
    """Another file descriptor of the same socket; -1 where that would be of no use."""
    if transport.get_extra_info("ssl_object") is not None:
        return -1
    try:
        return os.dup(transport.get_extra_info("socket").fileno())
    except OSError:
        return -1
