"""The request body, written piece by piece while the answer may already arrive."""

from __future__ import annotations

import asyncio
from typing import Protocol

from gateway.ports.upstream import ClientGone, RequestBody
from gateway.upstream.exchange import Exchange


class Outlet(Protocol):
    """The writing side of a connection."""

    def write(self, parts: list[bytes]) -> None:
        """Queue these bytes as one write."""
        ...

    async def drain(self) -> None:
        """Wait while the application reads too slowly."""
        ...


class Upload:
    """Writes one request: its head, and its body with exactly the framing the head announced.

    A body that turns out shorter or longer than announced fails the exchange, which closes the connection: the
    application must never take half a body for a whole one (RFC 9112 section 8).
    """

    __slots__ = ("_body", "_exchange", "_head", "_left", "_outlet")

    def __init__(self, head: bytes, body: RequestBody, exchange: Exchange, outlet: Outlet) -> None:
        self._head: bytes | None = head
        self._body = body
        self._exchange = exchange
        self._outlet = outlet
        self._left = body.length

    def begin(self, loop: asyncio.AbstractEventLoop) -> asyncio.Task[None]:
        """Start writing. The head leaves together with the first piece if that is there, and without it if not."""
        task = loop.create_task(self._run())
        # Runs right after the task's first step: by then a piece that was at hand has taken the head with it.
        loop.call_soon(self._write_head_alone)
        return task

    async def _run(self) -> None:
        try:
            await self._write_body()
            self._exchange.request_written()
            if self._left is not None and await self._body.read():
                raise ValueError("the request body is longer than its announced length")
        except asyncio.CancelledError:
            # Ours, after the end of the exchange, or the client's reader was cancelled under us.
            self._exchange.fail(ClientGone("reading the request body was cancelled"))
            raise
        except Exception as error:
            self._exchange.fail(error)

    async def _write_body(self) -> None:
        exchange, outlet = self._exchange, self._outlet
        while self._left is None or self._left > 0:
            exchange.wait_for_client(True)
            piece = await self._body.read()
            exchange.wait_for_client(False)
            if not piece:
                break
            self._write(piece)
            if self._left != 0:
                await outlet.drain()
        if self._left is None:
            self._write(b"")
        elif self._left > 0:
            raise ClientGone(f"the request body ended {self._left} bytes before its announced length")

    def _write(self, piece: bytes) -> None:
        if self._left is None:
            parts = [b"%x\r\n" % len(piece), piece, b"\r\n"]  # an empty piece is the last chunk (RFC 9112 section 7.1)
        elif len(piece) > self._left:
            raise ValueError(f"the request body is {len(piece) - self._left} bytes longer than its announced length")
        else:
            self._left -= len(piece)
            parts = [piece]
        if self._head is not None:
            parts.insert(0, self._head)
            self._head = None
        self._outlet.write(parts)

    def _write_head_alone(self) -> None:
        if self._head is not None:
            head, self._head = self._head, None
            self._outlet.write([head])
