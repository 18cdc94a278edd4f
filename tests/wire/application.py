"""A tiny application on the gateway's protocol, and a client that sees every byte."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from gateway.ports.upstream import ClientGone
from gateway.ports.wire import WIRE, Lane, Wire
from gateway.wire.protocol import GatewayProtocol
from gateway.wire.serve import KEEP_ALIVE_SECONDS

SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\r\n"
PATIENCE = 20.0
"""Seconds after which something that should have come will not come."""


@dataclass
class Application:
    """Notes every request; what it answers depends on the path.

    `/early` is answered before its body has come. What ends in `/wait` waits for `go` before it answers, `/part` after
    the first ten bytes of hundred, `/cut` breaks the connection off there. `/pieces` answers with `pieces`. A handshake
    is joined to what `dial` gives, if there is that. Everything else is answered with the target and the body of the
    request.
    """

    seen: list[tuple[bytes, bytes]] = field(default_factory=list)
    """Target and body of every request, once it is whole."""
    begun: list[bytes] = field(default_factory=list)
    """Target of every request, from its head on."""
    pieces: list[bytes] = field(default_factory=list)
    go: asyncio.Event = field(default_factory=asyncio.Event)
    headers: list[list[tuple[bytes, bytes]]] = field(default_factory=list)
    """The headers of every request, as they are once it is whole."""
    found: list[Any] = field(default_factory=list)
    """What was begun of every request on the short way (`Wire.begun`)."""
    gone: list[bytes] = field(default_factory=list)
    """Targets whose client has left, one entry for each time that was told."""

    dial: Callable[[], Awaitable[tuple[asyncio.Transport, bytes]]] | None = None
    """Opens what a WebSocket is joined to: the connection, and what came from it already."""
    carried: list[int] = field(default_factory=list)
    """Of every WebSocket that has ended, the bytes that went to the client."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        wire: Wire = scope["extensions"][WIRE]
        target = wire.target
        self.begun.append(target)
        self.found.append(wire.begun)
        wire.on_gone = lambda: self.gone.append(target)
        body = b""
        if target == b"/early":
            await self._answer(wire, send, body)
            return
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        self.seen.append((target, body))
        self.headers.append(list(scope["headers"]))
        await self._answer(wire, send, body)

    async def _answer(self, wire: Wire, send: Any, body: bytes) -> None:
        if wire.is_handshake and self.dial is not None:
            transport, early = await self.dial()
            try:
                self.carried.append(await wire.join(SWITCHED, transport, early))
            except ClientGone:
                self.gone.append(b"before it was joined")
            return
        match wire.target:
            case b"/part" | b"/cut":
                await _head(send, 100)
                await send({"type": "http.response.body", "body": b"x" * 10, "more_body": True})
                if wire.target == b"/cut":
                    wire.abort()
                    return
                await self.go.wait()
                await send({"type": "http.response.body", "body": b"x" * 90})
            case b"/pieces":
                await _head(send, sum(map(len, self.pieces)))
                for piece in self.pieces:
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
                await send({"type": "http.response.body"})
            case _:
                if wire.target.endswith(b"/wait"):
                    await self.go.wait()
                answer = wire.target + b" " + body
                await _head(send, len(answer))
                await send({"type": "http.response.body", "body": answer})


async def _head(send: Any, length: int) -> None:
    headers = [(b"content-length", b"%d" % length)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})


@dataclass(frozen=True)
class Answered:
    """One answer."""

    status: int
    headers: dict[str, str]
    body: bytes


class Client:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, data: bytes) -> None:
        """Send these bytes; the server may have closed meanwhile."""
        with contextlib.suppress(ConnectionError):
            self.writer.write(data)
            await asyncio.wait_for(self.writer.drain(), PATIENCE)

    async def answer(self) -> Answered:
        """The next answer, whole. Raises `IncompleteReadError` and `ConnectionError`."""
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), PATIENCE)
        first, *lines = head.decode("latin-1").split("\r\n")[:-2]
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        length = int(headers.get("content-length", "0"))
        body = await asyncio.wait_for(self.reader.readexactly(length), PATIENCE)
        return Answered(int(first.split(" ")[1]), headers, body)

    async def rest(self) -> bytes:
        """Everything until the server closes, which it must."""
        received = b""
        with contextlib.suppress(ConnectionError):
            while piece := await asyncio.wait_for(self.reader.read(65536), PATIENCE):
                received += piece
        return received

    async def leave(self) -> None:
        """Close."""
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()


class Server:
    """The application on the gateway's protocol, set as `gateway.wire.serve` sets it."""

    def __init__(self, application: Application, lane: Lane | None = None) -> None:
        self.application = application
        self.state = ServerState()
        self._config = uvicorn.Config(
            application,
            http=partial(GatewayProtocol, lane=lane),  # type: ignore[arg-type]
            ws="none",
            lifespan="off",
            interface="asgi3",
            access_log=False,
            log_config=None,
            log_level="critical",
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
        )
        self._clients: list[Client] = []

    async def start(self) -> None:
        """Listen on a free port."""
        self._config.load()
        self._server = await asyncio.get_running_loop().create_server(self._protocol, "127.0.0.1", 0)

    async def stop(self) -> None:
        """Let what is under way finish and close everything."""
        self.application.go.set()
        for client in self._clients:
            await client.leave()
        self._server.close()
        async with asyncio.timeout(PATIENCE):
            while self.state.connections or self.state.tasks:
                await asyncio.sleep(0.005)
        await self._server.wait_closed()

    async def client(self) -> Client:
        """A new connection."""
        port = self._server.sockets[0].getsockname()[1]
        made = Client(*await asyncio.open_connection("127.0.0.1", port))
        self._clients.append(made)
        return made

    def keep_alive(self, seconds: float) -> None:
        """How long connections made from now on may wait for their next request."""
        self._config.timeout_keep_alive = seconds  # type: ignore[assignment]

    def shut_down(self) -> None:
        """Say to every connection what a server says that was told to stop."""
        for connection in list(self.state.connections):
            connection.shutdown()

    def _protocol(self) -> asyncio.Protocol:
        made: asyncio.Protocol = self._config.http_protocol_class(  # type: ignore[call-arg]
            config=self._config, server_state=self.state, app_state={}
        )
        return made


@contextlib.asynccontextmanager
async def running(lane: Lane | None = None) -> AsyncIterator[Server]:
    """A server that runs meanwhile."""
    server = Server(Application(), lane)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
