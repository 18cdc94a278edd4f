"""One request out, one answer in."""

from __future__ import annotations

import asyncio

from gateway.core.header_lines import HeaderLines
from gateway.ports.upstream import Headers, Receiver, RequestBody, UpstreamError, UpstreamFailure
from gateway.upstream.address import UpstreamAddress
from gateway.upstream.connection import Connection
from gateway.upstream.exchange import Exchange
from gateway.upstream.framing import bodiless_head, request_head
from gateway.upstream.limits import UpstreamLimits
from gateway.upstream.pool import Pool
from gateway.upstream.relay import Relay

_REPEATABLE = frozenset((b"GET", b"HEAD", b"OPTIONS"))
"""Safe methods (RFC 9110 section 9.2.1), less TRACE."""


class UpstreamConnector:
    """The port `Upstream` over HTTP/1.1, for one address and one event loop. Nothing is opened before it is needed."""

    def __init__(self, address: UpstreamAddress, limits: UpstreamLimits | None = None) -> None:
        self.address = address
        self._pool = Pool(address, limits if limits is not None else UpstreamLimits())

    @property
    def authority(self) -> bytes:
        """See the port."""
        return self.address.authority

    async def send(
        self,
        method: bytes,
        target: bytes,
        headers: Headers,
        body: RequestBody | None,
        *,
        may_retry: bool = True,
        fresh: bool = False,
        owner: str = "",
    ) -> Exchange:
        """Send one request and return when the head of its answer is there.

        The body goes on being read while the answer is, until either ends. Without `may_retry` the request is
        never sent a second time, whatever the method. What can't be sent twice goes over a connection that is new or
        was used a moment ago, so that it does not meet one that the application is closing; with `fresh` it is new.
        Cancelling closes the connection.

        Raises UpstreamError, ClientGone, and ValueError for what cannot be sent: a target, name or value that
        would break the framing, a framing header, a body longer than announced. Content and order of `headers`
        are sent as they are; `host` is the caller's to give.
        """
        head = request_head(method, target, headers, body)
        if body is not None and body.length == 0:
            body = None
        may_retry = may_retry and body is None and method in _REPEATABLE
        if fresh:
            connection = await self._pool.acquire(owner, fresh=True)
        elif may_retry:
            connection = self._pool.take(owner) or await self._pool.acquire(owner)
        else:
            connection = self._pool.take_warm(owner) or await self._pool.acquire(owner, fresh=True)
        reused = connection.reused
        exchange = connection.begin(method, head, body)
        try:
            await _head_of(exchange)
        except UpstreamError as error:
            # The application may close an idle connection in the moment we use it. It cannot have answered, and
            # for these methods it does not matter whether it has seen the request (RFC 9110 section 9.2.2).
            went_unanswered = error.failure is UpstreamFailure.BROKEN and not exchange.touched
            if not (reused and went_unanswered and may_retry):
                raise
        else:
            return exchange
        return await self._send_again(method, head, owner)

    def send_at_once(
        self,
        method: bytes,
        target: bytes,
        lines: HeaderLines,
        receiver: Receiver,
        *,
        may_retry: bool,
        owner: str = "",
    ) -> Relay | None:
        """See the port."""
        head = bodiless_head(method, target, lines)
        may_retry = may_retry and method in _REPEATABLE
        connection = self._pool.take(owner) if may_retry else self._pool.take_warm(owner)
        return None if connection is None else connection.relay(method, head, receiver, may_retry)

    @property
    def open_connections(self) -> int:
        """Connections open now, in use or idle."""
        return self._pool.open_count

    @property
    def idle_connections(self) -> int:
        """Connections that wait for a request."""
        return self._pool.idle_count

    @property
    def queued_requests(self) -> int:
        """Requests that wait for a connection, all of them being in use."""
        return self._pool.queue_length

    @property
    def has_room(self) -> bool:
        """Whether a request need not wait for one of the others to end."""
        return self._pool.has_room

    def has_answered_since(self, instant: float) -> bool:
        """Whether an answer was complete after this instant of the loop's clock, as far as open connections tell."""
        return self._pool.has_rested_since(instant)

    def retire(self) -> None:
        """Let what is going on end in its own time, and every connection with it: another connector has taken over.

        Requests that come late are still served. A retired connector needs no `close`.
        """
        self._pool.retire()

    async def close(self) -> None:
        """Close all connections, ending the exchanges on them. Harmless to repeat."""
        await self._pool.close()

    async def _send_again(self, method: bytes, head: bytes, owner: str) -> Exchange:
        connection: Connection = await self._pool.acquire(owner, fresh=True)
        exchange = connection.begin(method, head, None)
        await _head_of(exchange)
        return exchange


async def _head_of(exchange: Exchange) -> None:
    try:
        await exchange.wait_for_head()
    except asyncio.CancelledError:
        exchange.abort()
        raise
