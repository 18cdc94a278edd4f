"""One server: every command passes here, and whatever goes wrong leaves as `StoreUnavailable`.

Retries are off on purpose: redis-py would repeat a write that was executed and whose answer was lost, ten times over,
and would take seconds to say that a server is down. A caller that never heard repeats the verb, which changes nothing
a second time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any
from weakref import WeakKeyDictionary

from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError, NoScriptError, RedisError, ResponseError

from gateway.ports.state import NotAsked, StoreUnavailable
from gateway.store.transport.breaker import Breaker
from gateway.store.transport.line import Argument, Command, Heard, Line
from gateway.store.transport.place import Place
from gateway.store.transport.redirected import Redirected, is_elsewhere, is_redirection, is_used_up, takes_nothing
from gateway.store.transport.verb import ASKING, Verb, in_one_trip, run

ANSWER_TIMEOUT = 0.5
BULK_TIMEOUT = 5.0
"""Seconds. Bulk is a chunk of a hold, a batch of events, an export."""
WATCH_SECONDS = 0.5
"""Between two looks at whom the sentinels name."""
LENT_SECONDS = 10.0
"""How long whoever has a connection for themselves may go on with it when everything is to be closed."""


class Node:
    """Asks one server. Belongs to one event loop. With `asking` it is asked for a key that is on its way to it.

    While it is away nobody waits for it: it is asked by the node itself whether it is back.
    """

    def __init__(
        self, place: Place, *, checks_role: bool = True, still_away: Callable[[], None] = lambda: None
    ) -> None:
        """`checks_role`: a replica is no server to be asked; a cluster's nodes say so themselves. `still_away` is told
        whenever it turns out again that the server is not back."""
        self.name = place.name
        # For the whole life.
        self._quick = place.client(ANSWER_TIMEOUT, connections=32)
        self._bulk = place.client(BULK_TIMEOUT, connections=8)
        self._answer_timeout = float(place.options.get("socket_timeout", ANSWER_TIMEOUT))
        self._breaker = Breaker()
        self._checks_role = checks_role
        self._named_primary = getattr(self._quick.connection_pool, "named_primary", None)
        """Asks who is the primary; None where nobody names one."""
        # While there is one.
        self._line: Line | None = None
        self._watching: asyncio.Task[None] | None = None
        # While it is being opened.
        self._opening: asyncio.Task[None] | None = None
        self._waiting: list[tuple[Command, Heard, bool]] = []
        # While somebody has a connection for themselves.
        self._lent_out = 0
        self._all_back = asyncio.Event()
        # While the server is away.
        self._trouble = ""
        self._still_away = still_away
        self._probing: asyncio.Task[None] | None = None
        self._times_away = 0
        self._made: WeakKeyDictionary[AbstractConnection, int] = WeakKeyDictionary()
        """How often the server had been away when each connection was made."""
        self._closed = False

    @property
    def is_away(self) -> bool:
        """Whether it did not answer when it was asked last."""
        return self._breaker.failures > 0

    async def call(self, verb: Verb, asking: bool = False) -> Any:
        """Run one verb.

        A caller that is cancelled waits until its verb is through (as long as the timeout at most): what it sends next
        about the same operation, such as giving back, must not overtake it on another connection.
        """
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def heard(value: Any) -> None:
            if isinstance(value, Exception):
                answer.set_exception(value)
            else:
                answer.set_result(value)

        self.tell(verb, heard, asking)
        try:
            return await asyncio.shield(answer)
        except asyncio.CancelledError:
            await asyncio.wait([answer])
            answer.exception()  # nobody is left to hear it
            raise

    def tell(self, verb: Verb, heard: Heard, asking: bool = False) -> None:
        """Run one verb whose answer nobody waits for: `heard` is told it, or why there is none (`StoreUnavailable`).
        Not before this returns."""

        def known(answer: Any) -> None:
            if isinstance(answer, NoScriptError):
                self._say(verb.whole, heard, asking)
            else:
                heard(answer)

        self._say(verb.known, known, asking)

    async def ask(self, *commands: Command, asking: bool = False) -> list[Any]:
        """Run plain commands in one round trip, with time for large values. Not a transaction."""
        async with self._lent(self._bulk) as connection:
            return await in_one_trip(connection, commands, asking)

    async def call_at_length(self, verb: Verb, asking: bool = False) -> Any:
        """Run one verb that takes or gives much, with time for it, apart from the others."""
        async with self._lent(self._bulk) as connection:
            return await run(connection, verb, asking)

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[AbstractConnection]:
        """One connection for oneself, for commands that speak of what this very connection did before."""
        async with self._lent(self._quick) as connection:
            yield connection

    async def inquire(self, *command: Argument) -> Any:
        """Run a plain command that is answered at once. Raises `StoreUnavailable`."""
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._say(command, answer.set_result)
        found = await asyncio.shield(answer)
        if isinstance(found, Exception):
            raise found
        return found

    async def ping(self) -> None:
        """Ask whether the server is there. Raises `StoreUnavailable`."""
        await self.inquire("PING")

    async def close(self) -> None:
        """Let what is under way end, then close every connection. Never raises."""
        await self._stop_probing()
        if self._opening is not None:
            await asyncio.wait([self._opening])
        if self._line is not None:
            with suppress(StoreUnavailable):
                await self.ping()  # answered after all that was asked before
        self._closed = True
        await self._stop_probing()
        if self._line is not None:
            self._line.close()
        if self._lent_out:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._all_back.wait(), LENT_SECONDS)
        for each in (self._quick, self._bulk):
            try:
                await each.aclose(close_connection_pool=True)
            except (RedisError, OSError):
                continue  # the server has gone first

    # The line

    def _say(self, command: Command, heard: Heard, asking: bool = False, ticket: int | None = None) -> None:
        """`ticket` is that of a probe."""
        ticket = self._breaker.admit() if ticket is None else ticket
        if ticket is None or self._closed:
            trouble = f"{self.name} was not asked: the gateway is stopping" if self._closed else self._trouble
            asyncio.get_running_loop().call_soon(heard, NotAsked(trouble))
            return

        def judged(answer: Any) -> None:
            if not isinstance(answer, Exception):
                self._breaker.succeeded()
                heard(answer)
                return
            if isinstance(answer, NoScriptError):
                self._breaker.succeeded()
                heard(answer)
                return
            heard(self._judge(answer, ticket))
            if is_elsewhere(answer) and self._line is not None:
                self._line.close()

        if self._line is not None:
            _ask(self._line, command, judged, asking)
            return
        self._waiting.append((command, judged, asking))
        if self._opening is None:
            self._opening = asyncio.get_running_loop().create_task(self._open(), name="store line")

    async def _open(self) -> None:
        line = Line(self._answer_timeout, self._lose)
        failure: Exception = ConnectionError("the gateway is stopping")
        try:
            connection = self._quick.connection_pool.make_connection()  # type: ignore[no-untyped-call]
            await line.open(connection)
            if self._checks_role:
                await _refuse_replica(line)
            if line.ended:
                raise ConnectionError("it closed the connection as soon as it was open")
        except (RedisError, OSError) as error:
            failure = error
            line.close()
        else:
            self._line = line
            if self._named_primary is not None:
                self._watch(line, (connection.host, connection.port), self._named_primary)
        finally:
            waiting, self._waiting, self._opening = self._waiting, [], None
            for command, judged, asking in waiting:
                if self._line is None:
                    judged(failure)
                else:
                    _ask(self._line, command, judged, asking)

    def _lose(self, line: Line) -> None:
        if self._line is line:
            self._line = None
            if self._watching is not None:
                self._watching.cancel()

    def _watch(
        self, line: Line, address: tuple[str, int], named_primary: Callable[[], Awaitable[tuple[str, int]]]
    ) -> None:
        """A primary that was relieved without hearing of it goes on answering: leave it as soon as that is known."""

        async def look() -> None:
            while self._line is line:
                await asyncio.sleep(WATCH_SECONDS)
                try:
                    named = await named_primary()
                except (RedisError, OSError):
                    continue  # nobody knows better
                if named != address:
                    self._times_away += 1
                    line.close()

        self._watching = asyncio.get_running_loop().create_task(look(), name="who is the primary")

    async def _probe(self) -> None:
        """Ask until it is back."""
        while self._breaker.failures:
            await asyncio.sleep(self._breaker.pause)
            answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            self._say(("PING",), answer.set_result, ticket=self._breaker.failures)
            await asyncio.shield(answer)
            if self._breaker.failures:
                self._still_away()
        self._probing = None

    async def _stop_probing(self) -> None:
        probing, self._probing = self._probing, None
        if probing is not None:
            probing.cancel()
            await asyncio.wait([probing])

    # The rest

    @asynccontextmanager
    async def _lent(self, client: Redis) -> AsyncIterator[AbstractConnection]:
        """A connection of the client's pool, and what goes wrong with it as `StoreUnavailable`."""
        ticket = self._breaker.admit()
        if ticket is None or self._closed:
            raise NotAsked(self._trouble if not self._closed else f"{self.name} was not asked: it is being closed")
        self._lent_out += 1
        self._all_back.clear()
        times_away, wishes = self._times_away, _wishes_to_end()
        try:
            # Not by `Redis.client()`, which makes a whole client for it each time.
            lent = await client.connection_pool.get_connection()  # type: ignore[no-untyped-call]
            try:
                await self._see_that_it_is_new(lent, times_away)
                yield lent
            except RedisError as error:
                if is_elsewhere(error):
                    await lent.disconnect()
                raise
            finally:
                await client.connection_pool.release(lent)
        except (RedisError, OSError) as error:
            raise self._judge(error, ticket) from error
        finally:
            self._lent_out -= 1
            if not self._lent_out:
                self._all_back.set()
        self._breaker.succeeded()
        if _wishes_to_end() > wishes:
            # `asyncio.wait_for`, by which redis-py sends, can forget that it was cancelled (until Python 3.12): whoever
            # asks again and again would never end.
            raise asyncio.CancelledError

    async def _see_that_it_is_new(self, connection: AbstractConnection, times_away: int) -> None:
        """A connection that was there before the server was away, or was being opened then, may lead to one whose place
        another has taken. `times_away` is how often that had been when it was asked for."""
        while self._made.setdefault(connection, times_away) != self._times_away:
            times_away = self._times_away
            await connection.disconnect()
            await connection.connect()  # type: ignore[no-untyped-call]
            self._made[connection] = times_away

    def _judge(self, error: Exception, ticket: int) -> StoreUnavailable:
        """What callers are told of it; the breaker hears of it, too."""
        if isinstance(error, ResponseError) and is_redirection(error):
            self._breaker.succeeded()
            return Redirected(
                f"{self.name} says that another node has the key: it belongs to a cluster, whose address begins with "
                "redis+cluster://",
                error,
            )
        if isinstance(error, ResponseError) and not is_elsewhere(error):
            self._breaker.succeeded()
            kind = NotAsked if takes_nothing(error) else StoreUnavailable
            return kind(f"{self.name} answers with an error: {error}")
        if is_used_up(error):
            return NotAsked(f"too many wait for {self.name} at once")
        self._trouble = f"{self.name} does not answer: {error}"
        if is_elsewhere(error):
            self._trouble = f"{self.name} is not the one to ask: {error}"
        self._breaker.failed(ticket)
        if self._probing is None and not self._closed:
            self._times_away += 1
            self._probing = asyncio.get_running_loop().create_task(self._probe(), name="is the store back")
        return StoreUnavailable(self._trouble)


def _wishes_to_end() -> int:
    task = asyncio.current_task()
    return task.cancelling() if task is not None else 0


def _ask(line: Line, command: Command, heard: Heard, asking: bool) -> None:
    if asking:
        line.ask(ASKING, _unheard)
    line.ask(command, heard)


def _unheard(answer: Any) -> None:
    """Nobody needs to know."""


async def _refuse_replica(line: Line) -> None:
    """What a replica knows may be old, and it takes nothing. Raises `ConnectionError`."""
    role: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    line.ask(("ROLE",), role.set_result)
    found = await role
    if isinstance(found, RedisError | OSError) and not isinstance(found, ResponseError):
        raise found
    # A user that may not ask is believed to be at the right place: the first write will tell.
    if isinstance(found, list) and found and found[0] not in (b"master", b"primary"):
        told = found[0].decode("ascii", "replace") if isinstance(found[0], bytes) else repr(found[0])
        raise ConnectionError(f"it is a {told}, not the primary")
