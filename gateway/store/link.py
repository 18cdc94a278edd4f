"""The one way to the server: every command passes here, and whatever goes wrong leaves as `StoreUnavailable`.

Retries are off on purpose: redis-py would repeat a write that was executed and whose answer was lost, ten times over,
and would take seconds to say that a server is down. A caller that never heard repeats the verb, which changes nothing
a second time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError, NoScriptError, RedisError, ResponseError
from redis.maint_notifications import MaintNotificationsConfig

from gateway.ports.state import StoreUnavailable
from gateway.store.breaker import Breaker
from gateway.store.line import Argument, Command, Heard, Line, pack
from gateway.store.script import Script

CONNECT_TIMEOUT = 1.0
ANSWER_TIMEOUT = 0.5
BULK_TIMEOUT = 5.0
"""Seconds. Bulk is a chunk of a hold, a batch of events, an export."""


def client(url: str, answer_timeout: float | None, connections: int) -> Redis:
    """A client that asks once and says quickly when there is no answer. Raises `ValueError` for a URL it can't use."""
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=connections,
        timeout=answer_timeout,
        socket_timeout=answer_timeout,
        socket_connect_timeout=CONNECT_TIMEOUT,
        retry=Retry(NoBackoff(), 0),
        protocol=3,
        legacy_responses=False,
        # A subject's id may hold lone surrogates; what came in is stored as it came.
        encoding_errors="surrogatepass",
        # Both cost a round trip for each new connection and serve managed Redis only.
        driver_info=None,
        maint_notifications_config=MaintNotificationsConfig(enabled=False),
    )
    try:
        # Connects to nothing: a misspelt option shows up here and not with the first request.
        pool.make_connection()  # type: ignore[no-untyped-call]
    except TypeError as error:
        raise ValueError(f"the store's address has an option that does not exist: {error}") from None
    return Redis.from_pool(pool)


async def run_script(connection: Redis, script: Script, keys: Sequence[str], args: Sequence[Argument]) -> Any:
    """Run a script on this connection, loading it first where the server has forgotten it."""
    command = script_command(script, keys, args)
    try:
        return await _execute(connection, command)
    except NoScriptError:
        await _execute(connection, ("SCRIPT", "LOAD", script.text))
        return await _execute(connection, command)


async def _execute(client: Redis, command: Command) -> Any:
    """What the client's `execute_command` does with a connection of its own, but for the packing: a batch of events has
    two thousand arguments, and hiredis packs them in a fifth of the time."""
    connection = client.connection
    assert connection is not None, "the client has a connection of its own"
    await connection.send_packed_command(pack(command))
    return await connection.read_response()


def script_command(script: Script, keys: Sequence[str], args: Sequence[Argument]) -> Command:
    """The command that runs a script the server knows."""
    return ("EVALSHA", script.sha, len(keys), *keys, *args)


async def _pipelined(connection: Redis, commands: Sequence[Command]) -> list[Any]:
    """One round trip. Errors are among the answers: raised by redis-py they would quote the data of their command."""
    async with connection.pipeline(transaction=False) as pipeline:
        for command in commands:
            pipeline.execute_command(*command)
        return list(await pipeline.execute(raise_on_error=False))


class Link:
    """Asks the server behind one URL. Belongs to one event loop."""

    def __init__(self, url: str, name: str) -> None:
        self.name = name
        """The server as people know it, without a password."""
        # For the whole life.
        self._quick = client(url, ANSWER_TIMEOUT, connections=32)
        self._bulk = client(url, BULK_TIMEOUT, connections=8)
        self._breaker = Breaker()
        # While there is one.
        self._line: Line | None = None
        # While it is being opened.
        self._opening: asyncio.Task[None] | None = None
        self._waiting: list[tuple[Command, Heard]] = []
        # While the server is away.
        self._trouble = ""
        self._closed = False

    async def call(self, script: Script, keys: Sequence[str], args: Sequence[Argument]) -> Any:
        """Run one verb.

        A caller that is cancelled waits until its verb is through (as long as the timeout at most): what it sends next
        about the same operation, such as giving back, must not overtake it on another connection.
        """
        command = script_command(script, keys, args)
        try:
            return await self._answer_to(command)
        except NoScriptError:
            await self.ask(("SCRIPT LOAD", script.text))
        try:
            return await self._answer_to(command)
        except NoScriptError as error:
            raise StoreUnavailable(f"{self.name} forgets scripts as soon as they are loaded") from error

    def tell(self, script: Script, keys: Sequence[str], args: Sequence[Argument], heard: Heard) -> None:
        """Run one verb whose answer nobody waits for: `heard` is told it, or why there is none (`StoreUnavailable`, or
        `NoScriptError` for a script that the server has forgotten). Not before this returns."""
        self._say(script_command(script, keys, args), heard)

    async def call_at_length(self, script: Script, keys: Sequence[str], args: Sequence[Argument]) -> Any:
        """Run one verb that takes or gives much, with time for it, apart from the others."""
        await self._back()
        with self._guarded():
            async with self._bulk.client() as connection:
                return await run_script(connection, script, keys, args)

    async def ask(self, *commands: Command) -> list[Any]:
        """Run plain commands in one round trip, with time for large values. Not a transaction."""
        await self._back()
        with self._guarded():
            answers = await _pipelined(self._bulk, commands)
            for answer in answers:
                if isinstance(answer, ResponseError):
                    raise answer
            return answers

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[Redis]:
        """One connection for oneself, for commands that speak of what this very connection did before."""
        await self._back()
        with self._guarded():
            async with self._quick.client() as connection:
                yield connection

    async def ping(self) -> None:
        """Ask whether the server is there. Raises `StoreUnavailable`."""
        await self._answer_to(("PING",))

    async def close(self) -> None:
        """Let what is under way end, then close every connection. Never raises."""
        if self._opening is not None:
            await asyncio.wait([self._opening])
        if self._line is not None:
            with suppress(StoreUnavailable):
                await self.ping()  # answered after all that was asked before
        self._closed = True
        if self._line is not None:
            self._line.close()
        for each in (self._quick, self._bulk):
            try:
                await each.aclose(close_connection_pool=True)
            except (RedisError, OSError):
                continue  # the server has gone first

    async def _back(self) -> None:
        """While the server is away, see first that it is back: everybody waits for a probe, so it must be short."""
        if self._breaker.failures:
            await self.ping()

    # The line

    async def _answer_to(self, command: Command) -> Any:
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def heard(value: Any) -> None:
            if isinstance(value, Exception):
                answer.set_exception(value)
            else:
                answer.set_result(value)

        self._say(command, heard)
        try:
            return await asyncio.shield(answer)
        except asyncio.CancelledError:
            await asyncio.wait([answer])
            answer.exception()  # nobody is left to hear it
            raise

    def _say(self, command: Command, heard: Heard) -> None:
        ticket = self._breaker.admit()
        if ticket is None or self._closed:
            trouble = f"{self.name} was not asked: the gateway is stopping" if self._closed else self._trouble
            asyncio.get_running_loop().call_soon(heard, StoreUnavailable(trouble))
            return

        def judged(answer: Any) -> None:
            if not isinstance(answer, Exception) or isinstance(answer, ResponseError):
                self._breaker.succeeded()
            else:
                self._trouble = f"{self.name} does not answer: {answer}"
                self._breaker.failed(ticket)
                answer = StoreUnavailable(self._trouble)
            if isinstance(answer, ResponseError) and not isinstance(answer, NoScriptError):
                answer = self._refused(answer)
            heard(answer)

        if self._line is not None:
            self._line.ask(command, judged)
            return
        self._waiting.append((command, judged))
        if self._opening is None:
            self._opening = asyncio.get_running_loop().create_task(self._open(), name="store line")

    async def _open(self) -> None:
        line = Line(ANSWER_TIMEOUT, self._lose)
        failure: Exception = ConnectionError("the gateway is stopping")
        try:
            await line.open(self._quick.connection_pool.make_connection())  # type: ignore[no-untyped-call]
        except (RedisError, OSError) as error:
            failure = error
        else:
            self._line = line
        finally:
            waiting, self._waiting, self._opening = self._waiting, [], None
            for command, judged in waiting:
                if self._line is None:
                    judged(failure)
                else:
                    self._line.ask(command, judged)

    def _lose(self, line: Line) -> None:
        if self._line is line:
            self._line = None

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        ticket = self._breaker.admit()
        if ticket is None:
            raise StoreUnavailable(self._trouble)
        try:
            yield
        except ResponseError as error:
            self._breaker.succeeded()
            raise self._refused(error) from error
        except (RedisError, OSError) as error:
            self._trouble = f"{self.name} does not answer: {error}"
            self._breaker.failed(ticket)
            raise StoreUnavailable(self._trouble) from error
        except BaseException:
            self._breaker.abandoned(ticket)
            raise
        self._breaker.succeeded()

    def _refused(self, error: ResponseError) -> StoreUnavailable:
        return StoreUnavailable(f"{self.name} answers with an error: {error}")
