"""The handshake of WebSockets to the application, over aiohttp. Imported by `websocket` when first needed."""

from __future__ import annotations

from typing import Any

from aiohttp import (
    BaseConnector,
    ClientConnectorError,
    ClientError,
    ClientHandlerType,
    ClientOSError,
    ClientRequest,
    ClientResponse,
    ClientResponseError,
    ClientSession,
    ClientTimeout,
    ClientWebSocketResponse,
    ClientWSTimeout,
    ConnectionTimeoutError,
    DummyCookieJar,
    ServerDisconnectedError,
    ServerTimeoutError,
    TCPConnector,
    UnixConnector,
)
from yarl import URL

from gateway.ports.upstream import Headers, UpstreamError, UpstreamFailure, WebSocketRefused
from gateway.upstream.address import UpstreamAddress
from gateway.upstream.framing import request_head
from gateway.upstream.limits import UpstreamLimits
from gateway.upstream.switching import REFUSAL_BYTES_LIMIT
from gateway.upstream.websocket_peer import Peer

_CLOSE_TIMEOUT = 5.0
_OF_THE_CONNECTION = frozenset(
    b"connection content-length keep-alive proxy-connection te trailer transfer-encoding upgrade".split()
)


class _Socket(ClientWebSocketResponse):
    """Keeps the answer to its handshake at hand."""

    def __init__(
        self, reader: Any, writer: Any, protocol: str | None, response: ClientResponse, *rest: Any, **named: Any
    ) -> None:
        super().__init__(reader, writer, protocol, response, *rest, **named)
        self.handshake = response


class WebSocketSession:
    """One aiohttp session that changes nothing on the way: no cookies kept, no headers added, no address rewritten."""

    def __init__(self, address: UpstreamAddress, limits: UpstreamLimits) -> None:
        self._address = address
        self._limits = limits
        self._session = ClientSession(
            connector=_connector(address),
            cookie_jar=DummyCookieJar(),
            auto_decompress=False,
            requote_redirect_url=False,
            trust_env=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            max_line_size=limits.max_head_bytes,
            max_field_size=limits.max_head_bytes,
            max_headers=limits.max_headers,
            timeout=ClientTimeout(total=None, sock_connect=limits.connect_timeout, sock_read=limits.read_timeout),
            middlewares=(self._shake_hands_once,),
            ws_response_class=_Socket,
        )

    async def connect(self, target: bytes, headers: Headers, subprotocols: list[str]) -> Peer:
        """See `WebSocketConnector.connect`."""
        headers = [header for header in headers if not header[0].lower().startswith(b"sec-websocket-")]
        request_head(b"GET", target, headers, None)  # for its refusals: the rule for what may be sent is one
        url = _url(self._address, target)
        texts = [(name.decode("ascii"), _text(name, value)) for name, value in headers]
        try:
            socket = await self._session.ws_connect(
                url,
                headers=texts,
                protocols=subprotocols,
                # Only without these two does `receive` hand over a close with its code and reason.
                autoclose=False,
                autoping=False,
                max_msg_size=0,
                compress=0,
                timeout=ClientWSTimeout(ws_receive=None, ws_close=_CLOSE_TIMEOUT),
            )
        except (ClientError, OSError, ValueError) as error:
            raise _translated(error, self._address) from error
        assert isinstance(socket, _Socket)
        return Peer(socket, _passed_on(socket.handshake), str(self._address))

    async def _shake_hands_once(self, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        """The handshake as a middleware of aiohttp: before anyone follows a redirect or throws a body away."""
        try:
            answer = await handler(request)
            if answer.status == 101:
                return answer
            try:
                # Nobody is told what an application answers that takes the handshake for a plain request: it may be a
                # result, or have no end.
                body = b"" if 200 <= answer.status < 300 else await _beginning(answer)
            finally:
                answer.close()
        except (ClientOSError, ServerDisconnectedError) as error:
            # After these, aiohttp sends a GET a second time. It stops only for an exception it does not know.
            raise _translated(error, self._address) from error
        raise WebSocketRefused(answer.status, _passed_on(answer), body)

    async def close(self) -> None:
        """Close every WebSocket, without the courtesies."""
        await self._session.close()


async def _beginning(answer: ClientResponse) -> bytes:
    body = bytearray()
    while len(body) < REFUSAL_BYTES_LIMIT and (piece := await answer.content.readany()):
        body += piece
    return bytes(body[:REFUSAL_BYTES_LIMIT])


def _connector(address: UpstreamAddress) -> BaseConnector:
    # No connection serves twice: a WebSocket keeps its own, and a refusal is too rare to be worth a stale one.
    if address.unix_path is not None:
        return UnixConnector(address.unix_path, limit=0, force_close=True)
    return TCPConnector(limit=0, force_close=True, use_dns_cache=False, ssl=address.tls or True)


def _url(address: UpstreamAddress, target: bytes) -> URL:
    try:
        text = target.decode("ascii")
    except UnicodeDecodeError as error:
        raise ValueError(f"WebSocket target {target!r} is not ASCII") from error
    # All of the target is handed in as the path: split at `?` and `#` it would lose an empty query and a fragment.
    scheme = "https" if address.tls else "http"
    return URL.build(scheme=scheme, host=address.host, port=address.port or None, path=text, encoded=True)


def _text(name: bytes, value: bytes) -> str:
    try:
        return value.decode("utf-8")  # aiohttp encodes it the same way: the bytes arrive unchanged
    except UnicodeDecodeError as error:
        raise ValueError(f"header {name!r} of a WebSocket handshake is not UTF-8, so it cannot be sent") from error


def _passed_on(answer: ClientResponse) -> Headers:
    named = {option.strip().lower().encode() for option in ",".join(answer.headers.getall("connection", [])).split(",")}
    dropped = _OF_THE_CONNECTION | named
    lowered = [(name.lower(), value) for name, value in answer.raw_headers]
    return [header for header in lowered if header[0] not in dropped and not header[0].startswith(b"sec-websocket-")]


def _translated(error: Exception, address: UpstreamAddress) -> UpstreamError:
    where = f"the WebSocket handshake with {address}"
    if isinstance(error, ServerTimeoutError | TimeoutError):
        unsent = isinstance(error, ConnectionTimeoutError)
        return UpstreamError(UpstreamFailure.TIMEOUT, f"{where} took too long: {error}", unsent=unsent)
    if isinstance(error, ClientConnectorError):
        return UpstreamError(UpstreamFailure.UNREACHABLE, f"{where} found no connection: {error}", unsent=True)
    if isinstance(error, ClientResponseError | ValueError):
        return UpstreamError(UpstreamFailure.MALFORMED, f"{where} got an answer that is not one: {error}")
    return UpstreamError(UpstreamFailure.BROKEN, f"{where} was cut short: {error}")
