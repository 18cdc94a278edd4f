"""An open WebSocket to the application, over aiohttp."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from aiohttp import ClientError, ClientWebSocketResponse, WebSocketError, WSMsgType

from gateway.ports.upstream import Headers, UpstreamError, UpstreamFailure

_NO_STATUS = 1005
_ABNORMAL = 1006
_CLOSE_WITHIN = 10.0
"""Seconds for an application to answer a close before its socket is taken away."""


class Peer:
    """The port `WebSocketPeer`. One caller receives; sending and closing may happen beside it."""

    def __init__(self, socket: ClientWebSocketResponse, headers: Headers, label: str) -> None:
        self._socket = socket
        self._label = label
        self._closing = False
        self.subprotocol = socket.protocol
        self.headers = headers
        self.close_code = _ABNORMAL
        """How it ended (RFC 6455 section 7.1.5): 1005 without a code, 1006 without a close at all."""
        self.close_reason = ""

    async def receive(self) -> str | bytes | None:
        """The next message; None once the WebSocket is closed, by either side. Pings are answered here."""
        while not self._socket.closed:
            message = await self._socket.receive()
            match message.type:
                case WSMsgType.TEXT | WSMsgType.BINARY:
                    data: str | bytes = message.data
                    return data
                case WSMsgType.PING:
                    await self._pong(message.data)
                case WSMsgType.PONG:
                    pass
                case WSMsgType.CLOSE:
                    self._note_close(message.data or _NO_STATUS, message.extra or "")
                    await self._finish(message.data, b"")
                case WSMsgType.ERROR if isinstance(message.data, WebSocketError):
                    self._note_close(int(message.data.code), str(message.data))
                case _:
                    break
        return None

    async def send(self, message: str | bytes) -> None:
        """Send one message; waits while the application reads slowly. Raises UpstreamError when it is gone."""
        try:
            if isinstance(message, str):
                await self._socket.send_str(message)
            else:
                await self._socket.send_bytes(message)
        except (ClientError, OSError) as error:
            detail = f"the WebSocket to {self._label} is gone: {error}"
            raise UpstreamError(UpstreamFailure.BROKEN, detail) from error

    async def close(self, code: int, reason: str) -> None:
        """Close with this code and reason, cut to what a close frame can hold. Harmless to repeat.

        Codes that only describe an ending and may not be sent (RFC 6455 section 7.4.1) become 1000 for 1005, which
        was a close in order, and 1001 for the others.
        """
        if self._closing or self._socket.closed:
            return
        self._note_close(code, reason)
        await self._finish(code, _cut(reason))

    def _note_close(self, code: int, reason: str) -> None:
        if not self._closing:
            self._closing = True
            self.close_code, self.close_reason = code, reason

    async def _pong(self, payload: bytes) -> None:
        with suppress(ClientError, OSError):  # the next receive says that it is gone
            await self._socket.pong(payload)

    async def _finish(self, code: int, reason: bytes) -> None:
        sent = {0: 1000, _NO_STATUS: 1000, _ABNORMAL: 1001, 1015: 1001}.get(code, code)
        with suppress(TimeoutError):  # aiohttp takes the socket away when this is cancelled
            async with asyncio.timeout(_CLOSE_WITHIN):
                await self._socket.close(code=sent, message=reason)


def _cut(reason: str) -> bytes:
    """At most 123 bytes (RFC 6455 section 5.5), ending between characters."""
    return reason.encode("utf-8")[:123].decode("utf-8", "ignore").encode("utf-8")
