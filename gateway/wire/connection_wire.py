"""What ASGI leaves out of one request, over uvicorn's transport."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

Join = Callable[[bytes, asyncio.Transport, bytes], Awaitable[int]]


class ConnectionWire:
    """The port `Wire` over uvicorn's transport."""

    __slots__ = ("_join", "_transport", "begun", "gone", "is_handshake", "on_gone", "target")

    def __init__(self, target: bytes, transport: asyncio.Transport, begun: Any, join: Join | None = None) -> None:
        """`join` for a request that begins a WebSocket: see the port."""
        self.target = target
        """The request target byte for byte, fragment and all."""
        self.begun = begun
        self.gone = False
        self.on_gone: Callable[[], None] | None = None
        """Called once when the connection ends before the answer is complete."""
        self.is_handshake = join is not None
        self._join = join
        self._transport = transport

    def abort(self) -> None:
        """Break the connection off, so that a cut answer can't be taken for a whole one."""
        self._transport.abort()

    async def join(self, head: bytes, transport: asyncio.Transport, early: bytes) -> int:
        """See the port."""
        assert self._join is not None
        return await self._join(head, transport, early)

    def connection_lost(self) -> None:
        """Tell whoever works on this request that nobody waits for it any more."""
        self.gone = True
        if self.on_gone is not None:
            self.on_gone()
