"""What uvicorn's protocol sees of a request on the short way: as much of a cycle of its own as it looks at."""

from __future__ import annotations


class _Unheard:
    def set(self) -> None:
        """Nobody waits."""


class ShortCycle:
    """Takes the place of uvicorn's `RequestResponseCycle` while a request crosses without an application.

    One serves all requests of a connection, one after the other. Pipelined requests queue up behind it, a shutdown
    makes its answer the last, and what it is told of bodies and departures is of no use to anybody.
    """

    __slots__ = ("body", "disconnected", "keep_alive", "more_body", "response_complete", "response_started")

    message_event = _Unheard()

    def __init__(self) -> None:
        self.response_complete = True
        self.response_started = False
        self.keep_alive = True
        self.disconnected = False
        self.more_body = False
        self.body = b""

    def begin(self, keep_alive: bool) -> None:
        """A request enters."""
        self.response_complete, self.response_started, self.keep_alive = False, False, keep_alive
