"""What the gateway expects of the connection to the application behind it.

Header lists are `(name, value)` pairs of raw bytes, names in lower case, order and duplicates as on the wire.
Framing headers (`content-length`, `transfer-encoding`) and hop-by-hop headers (RFC 9110 section 7.6.1) never
travel in these lists: the connector writes its own framing and reports the length as a number.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from gateway.core.header_lines import HeaderLines

Headers = list[tuple[bytes, bytes]]


class UpstreamFailure(StrEnum):
    """Why no (complete) answer came from the application."""

    UNREACHABLE = "unreachable"
    """No connection could be made: refused, unresolvable, TLS failed."""
    TIMEOUT = "timeout"
    """Connecting, waiting for the head, or waiting for the next byte took longer than configured."""
    BROKEN = "broken"
    """The connection ended before the answer was complete."""
    MALFORMED = "malformed"
    """What came is not a well-formed HTTP/1.1 answer, or has a head over the limits."""
    OVERLOADED = "overloaded"
    """Every connection that may be opened is in use and none became free in time."""


class UpstreamError(Exception):
    """The application did not answer, or not completely. `failure` says how, `str()` says where."""

    def __init__(self, failure: UpstreamFailure, detail: str, *, unsent: bool = False) -> None:
        super().__init__(f"{failure.value}: {detail}")
        self.failure = failure
        self.detail = detail
        self.unsent = unsent
        """No connection came about that the request could have been sent on, so that it may be sent elsewhere."""


class ClientGone(Exception):
    """The client left, or broke off its body, before the exchange was complete."""


class RequestBody(Protocol):
    """The body of a request, read piece by piece as the application takes it."""

    length: int | None
    """Exact number of bytes to come; None when unknown (sent chunked)."""

    async def read(self) -> bytes:
        """The next piece; `b""` once complete. Raises `ClientGone` when the client broke off."""
        ...


class Answer(Protocol):
    """An answer of the application, of which the head has arrived."""

    status: int
    headers: Headers
    length: int | None
    """What `content-length` announced; None when unknown. Zero-length for answers that can have no body."""

    async def read(self) -> bytes:
        """The next piece of the body as it arrived; `b""` once complete. Raises `UpstreamError` when cut short."""
        ...

    def abort(self) -> None:
        """End the exchange now: the connection is closed unless the answer is complete. Harmless to repeat."""
        ...


class Receiver(Protocol):
    """Whoever is told an answer as it arrives, without a task that waits for it. Nothing here may raise."""

    def answered(self, status: int, headers: Headers, length: int | None, piece: bytes, complete: bool) -> None:
        """The head has arrived, maybe with the beginning of the body, maybe with all of it."""
        ...

    def arrived(self, piece: bytes, complete: bool) -> None:
        """More of the body, maybe nothing but its end."""
        ...

    def failed(self, error: UpstreamError, may_retry: bool) -> None:
        """There will be no more. `may_retry`: to send the request again is provably harmless (see `Upstream.send`)."""
        ...


class Relay(Protocol):
    """A request under way whose answer is told to a receiver."""

    def pause(self) -> None:
        """The receiver can take no more for the moment."""
        ...

    def resume(self) -> None:
        """It can again."""
        ...

    def abort(self) -> None:
        """Nobody waits for the answer any more; the receiver is told nothing. Harmless to repeat."""
        ...

    def to_answer(self) -> Answer:
        """From within `Receiver.answered`: the same answer, all of it, to be read by a task. Nothing more is told."""
        ...


class Upstream(Protocol):
    """The application behind the gateway."""

    @property
    def authority(self) -> bytes:
        """The host, with its port, by which the application is called when a client calls it by none."""
        ...

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
        """Send a request without a body, if that can be done without waiting; None if not.

        What can't be sent twice, by its method or without `may_retry`, goes only over a connection that the application
        is surely not closing. The receiver is told nothing before this returns. Raises ValueError for a method or
        target that can't be sent.
        """
        ...

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
        """Send one request, byte-exact target, and wait for the head of its answer.

        A request is sent again only where that is provably harmless: a safe method (RFC 9110 section 9.2.1), on a
        reused connection, before any byte of an answer; and not at all without `may_retry`. `fresh`: over a connection
        that was never used before, as what is sent again. `owner` is the client's address: no client may have all
        connections in use. Cancelling closes the connection. Raises `UpstreamError` and
        `ClientGone`.
        """
        ...


class WebSocketPeer(Protocol):
    """An open WebSocket to the application."""

    subprotocol: str | None
    headers: Headers
    """Headers of the handshake answer that are not part of the protocol itself (cookies, mostly)."""

    async def receive(self) -> str | bytes | None:
        """The next message; None when the application closed (see `close_code`, `close_reason`)."""
        ...

    async def send(self, message: str | bytes) -> None:
        """Send one message; waits while the application reads slowly. Raises `UpstreamError` when it is gone."""
        ...

    async def close(self, code: int, reason: str) -> None:
        """Close with this code and reason. Harmless to repeat."""
        ...

    close_code: int
    close_reason: str


class WebSocketRefused(Exception):
    """The application answered the handshake with an ordinary HTTP answer."""

    def __init__(self, status: int, headers: Headers, body: bytes) -> None:
        super().__init__(f"the application refused the WebSocket with status {status}")
        self.status = status
        self.headers = headers
        self.body = body


@dataclass(frozen=True, slots=True)
class Switched:
    """A connection to the application that has become a WebSocket, and belongs to whoever has this."""

    headers: Headers
    """Of the answer to the handshake, the accepted key and what was agreed on included."""
    transport: asyncio.Transport
    """Not read any more, its protocol to be set; it may be closing already, when the application had little to say."""
    early: bytes
    """What the application has sent already."""


class WebSocketUpstream(Protocol):
    """The application's WebSocket side."""

    async def switch(self, target: bytes, headers: Headers) -> Switched:
        """Open a WebSocket for somebody else's handshake, whose `sec-websocket-*` headers are among these, at this
        exact target, as bytes.

        That the application accepts the key is checked here; what else the two agree on is theirs. Raises
        `WebSocketRefused`, with at most 1 MiB of the body and none of a success, `UpstreamError`, and ValueError for
        what can't be sent.
        """
        ...

    async def connect(self, target: bytes, headers: Headers, subprotocols: list[str]) -> WebSocketPeer:
        """Open a WebSocket of our own at this exact target. Raises as `switch` does."""
        ...
