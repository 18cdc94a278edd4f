"""One connection on which verbs follow each other without waiting for each other's answers.

redis-py opens it, which knows of addresses, TLS, passwords and databases, and then leaves the socket to a protocol of
our own: through its client, asking costs four times as much.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

import hiredis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError, TimeoutError

from gateway.store.transport.redirected import exception_of

Argument = str | bytes | int
Command = tuple[Argument, ...]
Heard = Callable[[Any], None]
"""Is told the answer, or the exception that is in its place. Must not raise."""

_NOTHING = object()


def pack(command: Command) -> bytes:
    """The command as the server reads it. A subject's id may hold lone surrogates: what came in is stored as it is."""
    # Its type hints want a tuple of one.
    packed: Callable[[Any], bytes] = hiredis.pack_command
    try:
        return packed(command)
    except UnicodeEncodeError:
        return packed(
            tuple(part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part for part in command)
        )


class Line(asyncio.Protocol):
    """The connection, while it is open. Whatever ends it is told to everybody who waits, and then to its owner."""

    def __init__(self, answer_timeout: float, on_end: Callable[[Line], None]) -> None:
        self._answer_timeout, self._on_end = answer_timeout, on_end
        self._loop = asyncio.get_running_loop()
        self._reader = hiredis.Reader(replyError=exception_of, notEnoughData=_NOTHING)
        # From `open` on.
        self._writer: asyncio.StreamWriter | None = None
        self.ended = False
        self._alarm: asyncio.TimerHandle | None = None
        # For one tick of the loop.
        self._unsent: list[bytes] = []
        # While under way.
        self._waiting: deque[tuple[Heard, float]] = deque()
        """Who waits for an answer, longest first, and since when by the loop's clock."""

    async def open(self, connection: AbstractConnection) -> None:
        """Take over this connection, which is opened first. Raises what redis-py raises."""
        await connection.connect()  # type: ignore[no-untyped-call]
        # The one place where we reach into redis-py, which has no door for this.
        self._writer, connection._reader, connection._writer = connection._writer, None, None
        assert self._writer is not None
        self._writer.transport.set_protocol(self)
        if self._writer.transport.is_closing():
            gone = ConnectionError("it closed the connection as soon as it was open")
            self._end(gone)
            raise gone

    def ask(self, command: Command, heard: Heard) -> None:
        """Send this; all of one tick of the event loop go out together."""
        if self.ended:  # its owner was told, and should know better; whoever asks must be told all the same
            self._loop.call_soon(heard, ConnectionError("the connection was closed"))
            return
        if not self._unsent:
            self._loop.call_soon(self._send)
        self._unsent.append(pack(command))
        self._waiting.append((heard, self._loop.time()))
        if self._alarm is None:
            self._alarm = self._loop.call_later(self._answer_timeout, self._look_at_clock)

    def close(self) -> None:
        """End it. Harmless to repeat."""
        self._end(ConnectionError("the connection was closed"))

    # asyncio.Protocol

    def data_received(self, data: bytes) -> None:
        """Answers, in the order of their questions."""
        reader = self._reader
        try:
            reader.feed(data)
            while (answer := reader.gets()) is not _NOTHING:
                if isinstance(answer, hiredis.PushNotification):
                    continue  # nothing is subscribed to; a server may say more than it was asked
                self._waiting.popleft()[0](answer)
        except (hiredis.HiredisError, IndexError) as error:
            self._end(ConnectionError(f"what it answers can't be read: {error}"))

    def connection_lost(self, exc: Exception | None) -> None:
        """The server is gone, or we left."""
        self._end(ConnectionError(f"it closed the connection{f' ({exc})' if exc else ''}"))

    def _send(self) -> None:
        unsent, self._unsent = self._unsent, []
        if not self.ended and self._writer is not None:
            self._writer.transport.write(b"".join(unsent))

    def _look_at_clock(self) -> None:
        """One timer for many questions: it rings where one of them was due, and is set anew for the oldest there is."""
        self._alarm = None
        if not self._waiting:
            return
        left = self._waiting[0][1] + self._answer_timeout - self._loop.time()
        if left > 0:
            self._alarm = self._loop.call_later(left, self._look_at_clock)
        else:
            self._end(TimeoutError(f"no answer within {self._answer_timeout:g} s"))

    def _end(self, why: Exception) -> None:
        if self.ended:
            return
        self.ended = True
        if self._alarm is not None:
            self._alarm.cancel()
        if self._writer is not None:
            self._writer.transport.abort()
        self._on_end(self)
        while self._waiting:
            self._waiting.popleft()[0](why)
