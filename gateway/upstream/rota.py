"""Several addresses of one application: each request goes to the next of those that are well."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from gateway.core.header_lines import HeaderLines
from gateway.ports.upstream import (
    Answer,
    Headers,
    Receiver,
    Relay,
    RequestBody,
    Switched,
    UpstreamError,
    WebSocketPeer,
)
from gateway.upstream.address import UpstreamAddress
from gateway.upstream.connector import UpstreamConnector
from gateway.upstream.health import Health
from gateway.upstream.limits import UpstreamLimits
from gateway.upstream.websocket import WebSocketConnector

T = TypeVar("T")


class Place:
    """One address of the application: its connectors, and how it fares."""

    def __init__(self, address: UpstreamAddress, limits: UpstreamLimits, log: Callable[[str], None]) -> None:
        self.address = address
        self.http = UpstreamConnector(address, limits)
        self.websockets = WebSocketConnector(address, limits)
        self.health = Health(str(address), self.http, log)

    def retire(self) -> None:
        """Let what is under way end in its own time; WebSockets go on until `close`."""
        self.http.retire()

    async def close(self) -> None:
        """Close everything, also what is in use."""
        await self.http.close()
        await self.websockets.close()


class _Overheard:
    """Passes on to a receiver what it is told, and to the place's health what speaks against it."""

    __slots__ = ("_answered", "_health", "_receiver")

    def __init__(self, receiver: Receiver, health: Health) -> None:
        self._receiver, self._health = receiver, health
        self._answered = False

    def answered(self, status: int, headers: Headers, length: int | None, piece: bytes, complete: bool) -> None:
        self._answered = True
        self._receiver.answered(status, headers, length, piece, complete)

    def arrived(self, piece: bytes, complete: bool) -> None:
        self._receiver.arrived(piece, complete)

    def failed(self, error: UpstreamError, may_retry: bool) -> None:
        # An idle connection that the application closed says nothing about it, and what answered is there.
        if not (may_retry or self._answered):
            self._health.note_unanswered(error)
        self._receiver.failed(error, may_retry)


class Rota:
    """The ports `Upstream` and `WebSocketUpstream` over several places that take turns.

    A place that fails again and again is set aside (see `health`). Where no other is left it is tried all the same:
    that the application can't be reached is never concluded, only found. A request for which no connection came about
    goes on to the next place, whatever it is, since nothing of it was sent; any other failure is the connector's to
    judge, and is final.
    """

    def __init__(self, places: Sequence[Place]) -> None:
        self.places = tuple(places)
        self._turn = 0

    @property
    def authority(self) -> bytes:
        """See the port: the first place speaks for all, which are one application."""
        return self.places[0].http.authority

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
    ) -> Answer:
        """See the port."""

        async def to(place: Place) -> Answer:
            return await place.http.send(method, target, headers, body, may_retry=may_retry, fresh=fresh, owner=owner)

        return await self._in_turn(to)

    async def connect(self, target: bytes, headers: Headers, subprotocols: list[str]) -> WebSocketPeer:
        """See the port."""

        async def to(place: Place) -> WebSocketPeer:
            return await place.websockets.connect(target, headers, subprotocols)

        return await self._in_turn(to)

    async def switch(self, target: bytes, headers: Headers) -> Switched:
        """See the port."""

        async def to(place: Place) -> Switched:
            return await place.websockets.switch(target, headers)

        return await self._in_turn(to)

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
        """See the port. None also where it is for `send` to open a connection: at a place without any, or one that is
        to be tried again; else they would never get their turn while the others have connections at hand."""
        order = self._order()
        if any(place.health.is_due for place in order):
            return None
        for place in order:
            if place.health.set_aside:
                continue
            if place.http.open_connections == 0:
                return None
            overheard = _Overheard(receiver, place.health)
            relay = place.http.send_at_once(method, target, lines, overheard, may_retry=may_retry, owner=owner)
            if relay is not None:
                self._pass_turn(place)
                return relay
        return None

    async def _in_turn(self, attempt: Callable[[Place], Awaitable[T]]) -> T:
        untried = list(self.places)
        while True:
            place = self._choose(untried)
            untried.remove(place)
            try:
                with place.health.attempt():
                    return await attempt(place)
            except UpstreamError as error:
                if not (error.unsent and untried):
                    raise

    def _choose(self, untried: Sequence[Place]) -> Place:
        order = [place for place in self._order() if place in untried]
        due = [place for place in order if place.health.is_due]
        well = [place for place in order if not place.health.set_aside]
        # Where all connections are in use, as when it hangs, only those wait who can go nowhere else.
        roomy = [place for place in well if place.http.has_room]
        chosen = (due or roomy or well or order)[0]
        self._pass_turn(chosen)
        return chosen

    def _order(self) -> tuple[Place, ...]:
        return self.places[self._turn :] + self.places[: self._turn]

    def _pass_turn(self, place: Place) -> None:
        self._turn = (self.places.index(place) + 1) % len(self.places)
