"""The handshake of a WebSocket whose bytes pass as they are: HTTP up to the answer, and from then on nobody's."""

from __future__ import annotations

import asyncio
import base64
import hashlib

from gateway.ports.upstream import Headers, Switched, UpstreamError, UpstreamFailure, WebSocketRefused
from gateway.upstream.address import UpstreamAddress
from gateway.upstream.connection import Connection
from gateway.upstream.exchange import Exchange
from gateway.upstream.framing import handshake_head
from gateway.upstream.limits import UpstreamLimits
from gateway.upstream.opening import open_connection

REFUSAL_BYTES_LIMIT = 1024 * 1024
_KEY, _ACCEPT = b"sec-websocket-key", b"sec-websocket-accept"
_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Switching:
    """Handshakes with one address. Connections are new each time, and not counted among those of requests: a service
    may have far more people listening than asking."""

    def __init__(self, address: UpstreamAddress, limits: UpstreamLimits) -> None:
        self._address, self._limits = address, limits
        self._under_way: set[Connection] = set()

    async def switch(self, target: bytes, headers: Headers) -> Switched:
        """See `gateway.ports.upstream.WebSocketUpstream.switch`."""
        head = handshake_head(target, headers)
        connection = await open_connection(self._address, self._limits.connect_timeout, self._build)
        self._under_way.add(connection)
        try:
            async with asyncio.timeout(self._limits.read_timeout):
                return await self._shake_hands(connection, head, headers)
        except TimeoutError as error:
            detail = f"the WebSocket handshake with {self._address} took over {self._limits.read_timeout:g} s"
            raise UpstreamError(UpstreamFailure.TIMEOUT, detail) from error
        finally:
            self._under_way.discard(connection)
            connection.close()  # without effect on one that was let go

    def close(self) -> None:
        """End the handshakes that are under way; what has switched is not ours any more."""
        for connection in tuple(self._under_way):
            connection.shut_down()

    async def _shake_hands(self, connection: Connection, head: bytes, headers: Headers) -> Switched:
        if connection.closed:
            detail = f"{self._address} closed a connection as soon as it was open"
            raise UpstreamError(UpstreamFailure.UNREACHABLE, detail, unsent=True)
        exchange = connection.begin(b"GET", head, None, may_switch=True)
        await exchange.wait_for_head()
        if exchange.status != 101:
            # Nobody is told what an application answers that takes the handshake for a plain request: it may be a
            # result, or have no end.
            body = b"" if 200 <= exchange.status < 300 else await _beginning(exchange)
            raise WebSocketRefused(exchange.status, exchange.headers, body)
        if [value for name, value in exchange.headers if name == _ACCEPT] != [_accepting(headers)]:
            detail = f"{self._address} switched protocols without accepting the key of the handshake (RFC 6455)"
            raise UpstreamError(UpstreamFailure.MALFORMED, detail)
        return Switched(exchange.headers, connection.let_go(), await exchange.read())

    def _build(self) -> Connection:
        return Connection(str(self._address), self._limits, _ignore, _ignore, _ignore)


def _ignore(connection: Connection) -> None:
    """A handshake is all that it is for."""


def _accepting(headers: Headers) -> bytes:
    """What accepts the key (RFC 6455 section 4.2.2)."""
    key = next((value for name, value in headers if name == _KEY), b"").strip(b" \t")
    return base64.b64encode(hashlib.sha1(key + _MAGIC, usedforsecurity=False).digest())


async def _beginning(answer: Exchange) -> bytes:
    body = bytearray()
    while len(body) < REFUSAL_BYTES_LIMIT and (piece := await answer.read()):
        body += piece
    return bytes(body[:REFUSAL_BYTES_LIMIT])
