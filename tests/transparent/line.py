"""A client's connection of which both directions live apart: what can't be sent any more can still be answered."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Iterable

from .message import HEAD_LIMIT

_PIECE = 1 << 18
_RESET = struct.pack("ii", 1, 0)


class Line:
    """One connection to 127.0.0.1; the reading side is a `message.Reader`. Made by `connect`."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._loop = asyncio.get_running_loop()
        self._buffer = bytearray()

    @classmethod
    async def connect(cls, port: int) -> Line:
        """Open one."""
        connection = socket.socket()
        connection.setblocking(False)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", port))
        except BaseException:
            connection.close()
            raise
        return cls(connection)

    async def write(self, pieces: Iterable[bytes]) -> None:
        """Send these, one by one, until all are sent or the other side takes no more."""
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                await self._loop.sock_sendall(self._socket, piece)
                await asyncio.sleep(0)

    async def readuntil(self, separator: bytes) -> bytes:
        """See `asyncio.StreamReader`."""
        searched = 0
        while (found := self._buffer.find(separator, searched)) < 0:
            searched = max(0, len(self._buffer) - len(separator))
            if len(self._buffer) > HEAD_LIMIT:
                raise asyncio.LimitOverrunError("no separator", len(self._buffer))
            await self._more(None)
        return self._take(found + len(separator))

    async def readexactly(self, n: int) -> bytes:
        """See `asyncio.StreamReader`."""
        while len(self._buffer) < n:
            await self._more(n)
        return self._take(n)

    async def read(self, n: int = -1) -> bytes:
        """See `asyncio.StreamReader`."""
        with contextlib.suppress(asyncio.IncompleteReadError):
            while n < 0 or not self._buffer:
                await self._more(None)
        return self._take(len(self._buffer) if n < 0 else n)

    def is_quiet(self) -> bool:
        """Nothing has come that was not read, not even the end."""
        if self._buffer:
            return False
        try:
            self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except ConnectionError:
            pass
        return False

    def close(self) -> None:
        """End it at once, without a trace that would keep its port in use."""
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._socket.close()

    async def _more(self, wanted: int | None) -> None:
        piece = await self._loop.sock_recv(self._socket, _PIECE)
        if not piece:
            raise asyncio.IncompleteReadError(bytes(self._buffer), wanted)
        self._buffer += piece

    def _take(self, count: int) -> bytes:
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken
