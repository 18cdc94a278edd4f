"""What a request may know of its connection beyond ASGI, and the short way past ASGI where the server offers one.

The gateway works on servers without either, a little slower and with the target as ASGI spells it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

Headers = list[tuple[bytes, bytes]]

HEAD_BYTES_LIMIT = 64 * 1024
HEADER_COUNT_LIMIT = 200
"""What the head of a request may have, whichever server read it."""

WIRE = "paywall.wire"
"""Where `scope["extensions"]` has the `Wire`."""


class Wire(Protocol):
    """One request's connection."""

    target: bytes
    """The request target byte for byte, fragment and all."""
    gone: bool
    """Whether the client has left."""
    on_gone: Callable[[], None] | None
    """Called once when the connection ends before the answer is complete."""
    begun: Any
    """What was found out on the short way (`Line.begun`); None for a request that was not begun there."""
    is_handshake: bool
    """Whether the request begins a WebSocket (RFC 6455): it is answered like others, or joined to another by `join`."""

    def abort(self) -> None:
        """Break the connection off, so that a cut answer can't be taken for a whole one."""
        ...

    async def join(self, head: bytes, transport: asyncio.Transport, early: bytes) -> int:
        """Answer a handshake with this head, carry bytes between the client and `transport` until both have ended, and
        return how many went to the client.

        The transport is not read any more, `early` was read from it. It belongs to the wire from now on, whatever
        happens. Cancelling cuts both. Raises `gateway.ports.upstream.ClientGone` when the client left before.
        """
        ...


class Line(Protocol):
    """The client's end of one request that goes the short way."""

    begun: Any
    """What the application finds in its `Wire` when the request goes the long way."""

    def begin_answer(self) -> bool:
        """The head of the answer is made now: whether the connection ends with it, which the head then says."""
        ...

    def write(self, data: bytes) -> None:
        """Send bytes of the answer, head and framing included. May call `Traveller.pause` before it returns."""
        ...

    def finish(self) -> None:
        """The answer is complete."""
        ...

    def abort(self) -> None:
        """Break the connection off, so that a cut answer can't be taken for a whole one."""
        ...

    def go_the_long_way(self) -> None:
        """Nothing was written yet: let the application answer the request."""
        ...


class Traveller(Protocol):
    """A request on the short way, as the client's end sees it. Nothing here may raise."""

    def pause(self) -> None:
        """The client reads slower than the application sends."""
        ...

    def resume(self) -> None:
        """It has caught up."""
        ...

    def client_left(self) -> None:
        """Nobody waits for the answer any more."""
        ...


class Lane(Protocol):
    """The short way: requests that nobody has to wait for, from protocol to protocol, without a task."""

    def enter(
        self, method: str, target: bytes, headers: Headers, client: tuple[str, int] | None, scheme: str, line: Line
    ) -> Traveller | None:
        """Take this HTTP/1.1 request, which asks for no upgrade; None when the application must answer it.

        Nothing is written before this returns.
        """
        ...
