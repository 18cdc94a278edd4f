"""A request's body that is looked at before it is decided what becomes of the request, and then sent on as it came."""

from __future__ import annotations

from collections import deque

from gateway.access.body import Body, larger_than, read_body
from gateway.core.header import Headers
from gateway.web.exchange import ClientBody, Exchange


class EarlyBody:
    """The port `RequestBody`: first what was read already, then what is still to come, with the same framing."""

    __slots__ = ("_complete", "_pieces", "_rest", "length")

    def __init__(self, exchange: Exchange, length: int | None) -> None:
        self.length = length
        self._rest = ClientBody(exchange, length)
        self._pieces: deque[bytes] = deque()
        self._complete = False

    async def look(self, headers: Headers, limit: int) -> Body:
        """What it says. Of one with more than `limit` bytes no more is read than it takes to know that.

        Raises `ClientGone` when the client broke off.
        """
        if self.length is not None and self.length > limit:
            return larger_than(limit)
        size = 0
        while not self._complete:
            piece = await self._rest.read()
            self._complete = not piece
            if piece:
                self._pieces.append(piece)
                size += len(piece)
            if size > limit:
                return larger_than(limit)
        data = b"".join(self._pieces)
        types = [value for name, value in headers if name == b"content-type"]
        codings = [value for name, value in headers if name == b"content-encoding"]
        return read_body(types, codings, data)

    async def read(self) -> bytes:
        """The next piece; `b""` once complete. Raises `ClientGone` when the client broke off."""
        if self._pieces:
            return self._pieces.popleft()
        return b"" if self._complete else await self._rest.read()
