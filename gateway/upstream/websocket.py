"""WebSockets to the application."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import Protocol, cast

from gateway.ports.upstream import Headers, Switched, WebSocketPeer
from gateway.upstream.address import UpstreamAddress
from gateway.upstream.limits import UpstreamLimits
from gateway.upstream.switching import Switching


class _Session(Protocol):
    """What `websocket_session.WebSocketSession` offers."""

    async def connect(self, target: bytes, headers: Headers, subprotocols: list[str]) -> WebSocketPeer: ...

    async def close(self) -> None: ...


class WebSocketConnector:
    """The port `WebSocketUpstream`, for one address and one event loop.

    aiohttp is loaded with the first WebSocket, not before: it costs a quarter of a second that most gateways never
    need, and in a thread, so that it delays no request.
    """

    def __init__(self, address: UpstreamAddress, limits: UpstreamLimits | None = None) -> None:
        self.address = address
        self._limits = limits if limits is not None else UpstreamLimits()
        self._switching = Switching(address, self._limits)
        self._session: _Session | None = None

    async def switch(self, target: bytes, headers: Headers) -> Switched:
        """See the port."""
        return await self._switching.switch(target, headers)

    async def connect(self, target: bytes, headers: Headers, subprotocols: list[str]) -> WebSocketPeer:
        """Open a WebSocket at this exact target.

        Headers that belong to the handshake itself (`sec-websocket-*`) are replaced. Raises WebSocketRefused when
        the application answers otherwise (with at most 1 MiB of the body), UpstreamError, and ValueError for a
        target or header that cannot be sent unchanged: header values must be UTF-8 here.
        """
        if self._session is None:
            module = await asyncio.to_thread(import_module, "gateway.upstream.websocket_session")
            if self._session is None:  # another call may have been faster
                self._session = cast(_Session, module.WebSocketSession(self.address, self._limits))
        return await self._session.connect(target, headers, subprotocols)

    async def close(self) -> None:
        """Close every WebSocket but those that have switched. Harmless to repeat."""
        self._switching.close()
        session, self._session = self._session, None
        if session is not None:
            await session.close()
