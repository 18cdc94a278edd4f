"""A WebSocket as its messages, which is what ASGI knows of one: the gateway shakes hands with each side."""

from __future__ import annotations

import asyncio
from typing import Any

from gateway.ports.upstream import Headers, UpstreamError, WebSocketPeer, WebSocketUpstream
from gateway.web.exchange import Exchange

HANDSHAKE = frozenset(
    {
        b"sec-websocket-key", b"sec-websocket-version", b"sec-websocket-extensions", b"sec-websocket-protocol",
        b"sec-websocket-accept",
    }
)  # fmt: skip
"""Headers of the handshake itself: each side of the gateway has its own."""

_SENT_FOR = {1005: 1000, 1006: 1014, 1015: 1014}
"""Codes that only describe an ending and may not be sent (RFC 6455 section 7.4.1): an end in order without a code is
sent as one with the plainest, an application that broke off makes us a bad gateway (code 1014 of IANA's registry)."""


class MessageWay:
    """The port `SocketWay` over ASGI."""

    def __init__(self, exchange: Exchange, scope: Any, websockets: WebSocketUpstream) -> None:
        self._exchange, self._websockets = exchange, websockets
        self._subprotocols = list(scope["subprotocols"])
        self._can_answer = "websocket.http.response" in scope.get("extensions", {})
        self._peer: WebSocketPeer | None = None

    async def open(self, target: bytes, headers: Headers) -> None:
        """See the port."""
        headers = [pair for pair in headers if pair[0] not in HANDSHAKE]
        self._peer = await self._websockets.connect(target, headers, self._subprotocols)

    async def relay(self) -> None:
        """See the port."""
        peer = self._peer
        assert peer is not None
        own = [pair for pair in peer.headers if pair[0] not in HANDSHAKE]
        await self._exchange.send_event({"type": "websocket.accept", "subprotocol": peer.subprotocol, "headers": own})
        await _relay(self._exchange, peer)

    async def deny(self, status: int, headers: Headers, body: bytes) -> None:
        """See the port."""
        send = self._exchange.send_event
        if not self._can_answer:
            await send({"type": "websocket.close", "code": 1008})
            return
        head = [pair for pair in headers if pair[0] != b"content-length"]
        await send({"type": "websocket.http.response.start", "status": status, "headers": head})
        await send({"type": "websocket.http.response.body", "body": body, "more_body": False})


async def _relay(exchange: Exchange, peer: WebSocketPeer) -> None:
    """Carry messages both ways until one side closes; then close the other with the same code and reason."""

    async def from_client() -> None:
        while True:
            event = await exchange.receive()
            if event["type"] == "websocket.disconnect":
                await peer.close(event.get("code") or 1005, event.get("reason") or "")
                return
            message = event.get("bytes")
            try:
                await peer.send(message if message is not None else event["text"])
            except UpstreamError:
                return

    async def from_application() -> None:
        while (message := await peer.receive()) is not None:
            kind = "text" if isinstance(message, str) else "bytes"
            exchange.size += len(message)
            await exchange.send_event({"type": "websocket.send", kind: message})
        code = _SENT_FOR.get(peer.close_code, peer.close_code)
        await exchange.send_event({"type": "websocket.close", "code": code, "reason": peer.close_reason})

    sides = [asyncio.create_task(from_client()), asyncio.create_task(from_application())]
    try:
        await asyncio.wait(sides, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for side in sides:
            side.cancel()
        await asyncio.gather(*sides, return_exceptions=True)
        await peer.close(1001, "")
