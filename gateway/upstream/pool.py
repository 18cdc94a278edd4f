"""Which connection serves a request: reuse, opening, the queue, and the clock of all of them."""

from __future__ import annotations

import asyncio

from gateway.ports.upstream import UpstreamError, UpstreamFailure
from gateway.upstream.address import UpstreamAddress
from gateway.upstream.connection import Connection
from gateway.upstream.limits import UpstreamLimits
from gateway.upstream.opening import open_connection
from gateway.upstream.shares import Shares

WARM_SECONDS = 1.0
"""A connection used this recently is still open at the other end; the shortest known idle limit is 2 s (Gunicorn)."""


class Pool:
    """At most `max_connections` to one address. The one used last is used next, so that the others can go.

    Every change happens in a synchronous method, so that no cancellation can find it half done. A *slot* is the
    right to one connection: it is taken before connecting, and passes to the first in the queue when free.
    """

    def __init__(self, address: UpstreamAddress, limits: UpstreamLimits) -> None:
        self._address = address
        self._limits = limits
        self._slots_taken = 0
        self._idle: dict[Connection, None] = {}
        """In the order in which they became idle."""
        self._open: set[Connection] = set()
        self._leaving: set[Connection] = set()
        """Closed, their transports not yet gone."""
        self._shares = Shares(limits.max_connections)
        self._queue: dict[asyncio.Future[Connection | None], bool] = {}
        """Who waits, longest first, and whether for a fresh connection. The result None is a slot."""
        self._sweep_timer: asyncio.TimerHandle | None = None
        shortest = min(limits.connect_timeout, limits.read_timeout, limits.keepalive_idle)
        self._sweep_interval = max(0.01, min(1.0, shortest / 4))
        self._retired = False
        self._closed = False
        self._emptied: asyncio.Future[None] | None = None

    @property
    def open_count(self) -> int:
        """Connections open now, in use or idle."""
        return len(self._open)

    @property
    def idle_count(self) -> int:
        """Connections open and not in use."""
        return len(self._idle)

    @property
    def has_room(self) -> bool:
        """Whether a request need not wait for a connection."""
        return bool(self._idle) or self._slots_taken < self._limits.max_connections

    def has_rested_since(self, instant: float) -> bool:
        """Whether one of the open connections has ended an exchange well after this instant of the loop's clock."""
        return any(connection.idle_since > instant for connection in self._open)

    @property
    def queue_length(self) -> int:
        """Requests that wait for a connection."""
        return len(self._queue) + self._shares.queue_length

    def take(self, owner: str = "") -> Connection | None:
        """An idle connection, if there is one and `owner` may have it."""
        if not (self._idle and self._shares.try_enter(owner)):
            return None
        connection = self._take()
        if connection is None:
            self._shares.leave(owner)
        else:
            connection.owner = owner
        return connection

    def take_warm(self, owner: str = "") -> Connection | None:
        """The idle connection used last, if that was a moment ago: no application closes one so early."""
        if not self._idle:
            return None
        connection = next(reversed(self._idle))
        return self.take(owner) if connection.idle_for() < WARM_SECONDS else None

    async def acquire(self, owner: str = "", *, fresh: bool = False) -> Connection:
        """A connection for a request of `owner`, opened if need be; `fresh` for one never used before.

        Raises UpstreamError: OVERLOADED when none became free within the connect time-out, UNREACHABLE, TIMEOUT.
        """
        self._refuse_if_closed()
        await self._enter(owner)
        try:
            connection = await self._acquire(fresh)
        except BaseException:
            self._shares.leave(owner)
            raise
        connection.owner = owner
        return connection

    async def _enter(self, owner: str) -> None:
        if self._shares.try_enter(owner):
            return
        try:
            async with asyncio.timeout(self._limits.connect_timeout):
                await self._shares.enter(owner)
        except TimeoutError as error:
            raise UpstreamError(UpstreamFailure.OVERLOADED, self._overuse(owner)) from error

    def _take(self) -> Connection | None:
        while self._idle:
            connection, _ = self._idle.popitem()
            if connection.is_usable():
                return connection
            connection.close()
        return None

    async def _acquire(self, fresh: bool) -> Connection:
        self._refuse_if_closed()
        connection = None if fresh else self._take()
        if connection is not None:
            return connection
        if fresh and self._slots_taken >= self._limits.max_connections and self._idle:
            next(iter(self._idle)).close()
        if self._slots_taken < self._limits.max_connections:
            self._slots_taken += 1
        else:
            connection = await self._wait_in_queue(fresh)
            self._refuse_if_closed()
            if connection is not None and connection.closed:  # between being given and being taken
                return await self._acquire(fresh)
        return connection if connection is not None else await self._open_one()

    def retire(self) -> None:
        """From now on no connection outlives its exchange."""
        self._retired = True
        for connection in tuple(self._idle):
            connection.close()

    async def close(self) -> None:
        """Close every connection, also those in use, and wait until their sockets are gone. Harmless to repeat."""
        self._closed = True
        if self._sweep_timer is not None:
            self._sweep_timer.cancel()
            self._sweep_timer = None
        for connection in tuple(self._open):
            connection.shut_down()
        for waiter in tuple(self._queue):
            if not waiter.done():
                waiter.set_result(None)
        if self._leaving:
            if self._emptied is None:
                self._emptied = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._emptied)

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise UpstreamError(UpstreamFailure.UNREACHABLE, f"the connector to {self._address} is closed")

    # Opening

    async def _open_one(self) -> Connection:
        """Open a connection in a slot already taken."""
        try:
            connection = await open_connection(self._address, self._limits.connect_timeout, self._build)
        except BaseException:
            self._free_slot()
            raise
        if connection.closed:
            self._free_slot()
            detail = f"{self._address} closed a connection as soon as it was open"
            raise UpstreamError(UpstreamFailure.UNREACHABLE, detail, unsent=True)
        self._open.add(connection)
        if self._closed:
            connection.close()
            self._refuse_if_closed()
        self._keep_sweeping()
        return connection

    def _build(self) -> Connection:
        return Connection(str(self._address), self._limits, self._on_idle, self._forget, self._on_lost)

    # The queue

    async def _wait_in_queue(self, fresh: bool) -> Connection | None:
        waiter: asyncio.Future[Connection | None] = asyncio.get_running_loop().create_future()
        self._queue[waiter] = fresh
        try:
            async with asyncio.timeout(self._limits.connect_timeout):
                return await waiter
        except BaseException as error:
            self._queue.pop(waiter, None)
            if waiter.done() and not waiter.cancelled():  # it was given something in the very moment of giving up
                self._give_back(waiter.result())
            if isinstance(error, TimeoutError):
                raise UpstreamError(UpstreamFailure.OVERLOADED, self._overload()) from error
            raise

    def _overload(self) -> str:
        return (
            f"all {self._limits.max_connections} connections to {self._address} stayed in use for "
            f"{self._limits.connect_timeout:g} s; raise max_connections if the application can serve more at once"
        )

    def _overuse(self, owner: str) -> str:
        return (
            f"{owner} alone had {self._shares.most} of the {self._limits.max_connections} connections to "
            f"{self._address} in use for {self._limits.connect_timeout:g} s, and the rest is left to others; if it is "
            "a proxy that speaks for many, name it in trusted_proxies"
        )

    def _give_back(self, given: Connection | None) -> None:
        if given is None:
            self._free_slot()
        else:
            self._on_idle(given)

    def _first_in_queue(self) -> asyncio.Future[Connection | None] | None:
        while self._queue:
            waiter = next(iter(self._queue))
            if not waiter.done():
                return waiter
            del self._queue[waiter]
        return None

    def _free_slot(self) -> None:
        waiter = self._first_in_queue()
        if waiter is None:
            self._slots_taken -= 1
        else:
            del self._queue[waiter]
            waiter.set_result(None)

    # What the connections tell

    def _on_idle(self, connection: Connection) -> None:
        self._release(connection)
        waiter = self._first_in_queue() if self._queue else None
        if self._closed or (waiter is not None and self._queue[waiter]):
            connection.close()  # whoever wants a fresh one gets its slot
        elif waiter is not None:
            del self._queue[waiter]
            waiter.set_result(connection)
        elif connection.keepalive > 0 and not self._retired:
            connection.rest()
            self._idle[connection] = None
        else:
            connection.close()

    def _release(self, connection: Connection) -> None:
        owner, connection.owner = connection.owner, ""
        self._shares.leave(owner)

    def _forget(self, connection: Connection) -> None:
        self._release(connection)
        self._idle.pop(connection, None)
        if connection in self._open:
            self._open.remove(connection)
            self._leaving.add(connection)
            self._free_slot()

    def _on_lost(self, connection: Connection) -> None:
        self._leaving.discard(connection)
        if self._emptied is not None and not self._leaving and not self._emptied.done():
            self._emptied.set_result(None)

    # The clock

    def _keep_sweeping(self) -> None:
        if self._sweep_timer is None and self._open and not self._closed:
            self._sweep_timer = asyncio.get_running_loop().call_later(self._sweep_interval, self._sweep)

    def _sweep(self) -> None:
        """Let every connection know whose time is up: one timer for all, where one each would cost on every request."""
        self._sweep_timer = None
        now = asyncio.get_running_loop().time()
        for connection in [connection for connection in self._open if connection.deadline <= now]:
            connection.expire()
        self._keep_sweeping()
