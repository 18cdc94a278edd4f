"""A WebSocket as its bytes, where the server offers that: both sides shake hands with each other."""

from __future__ import annotations

from gateway.ports.upstream import Headers, Switched, WebSocketUpstream
from gateway.ports.wire import Wire
from gateway.web.answer_head import without_our_words
from gateway.web.exchange import Exchange

_ANSWER = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade"


class ByteWay:
    """The port `SocketWay` over a `Wire`. A handshake is a request, and what refuses it an answer like others."""

    def __init__(self, exchange: Exchange, wire: Wire, websockets: WebSocketUpstream) -> None:
        self._exchange, self._wire, self._websockets = exchange, wire, websockets
        self._switched: Switched | None = None

    async def open(self, target: bytes, headers: Headers) -> None:
        """See the port."""
        self._switched = await self._websockets.switch(target, headers)

    async def relay(self) -> None:
        """See the port."""
        switched, self._switched = self._switched, None
        assert switched is not None
        exchange = self._exchange
        headers = without_our_words(switched.headers)
        if exchange.cookie:
            headers.append((b"set-cookie", exchange.cookie))
        head = b"\r\n".join([_ANSWER, *map(b": ".join, headers), b"\r\n"])
        exchange.size = await self._wire.join(head, switched.transport, switched.early)
        exchange.complete = True

    async def deny(self, status: int, headers: Headers, body: bytes) -> None:
        """See the port."""
        await self._exchange.start_answer(status, headers)
        await self._exchange.send_body(body, more=False)
