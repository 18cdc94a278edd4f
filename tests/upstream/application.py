"""An application that speaks exactly the bytes a test wants, over a real socket."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from gateway.ports.upstream import Answer, RequestBody
from gateway.upstream.address import UpstreamAddress, parse_address
from gateway.upstream.connector import UpstreamConnector
from gateway.upstream.limits import UpstreamLimits

PATIENCE = 10.0
"""Seconds after which a condition that should have come true is taken for false."""


class Line:
    """One connection, seen by the application."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        self.reader = reader
        self.writer = writer
        self.number = number
        """1 for the first connection of the application."""

    async def head(self) -> bytes:
        """The next request head, with its empty line; `b""` when the gateway has closed."""
        try:
            return await self.reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return b""

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def closed_by_gateway(self) -> None:
        """Return once the gateway has closed this connection, whatever else comes before."""
        try:
            while await asyncio.wait_for(self.reader.read(65536), PATIENCE):
                pass
        except ConnectionError:
            pass


Script = Callable[[Line], Awaitable[None]]


class Application:
    """Listens, runs `script` for every connection, closes it afterwards, and counts."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._lines: set[asyncio.Task[None]] = set()
        self.connections = 0
        self.open_lines = 0
        self.failures: list[BaseException] = []
        self.address: UpstreamAddress
        self.listener: asyncio.Server

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._lines.add(task)
        self.connections += 1
        self.open_lines += 1
        try:
            await self._script(Line(reader, writer, self.connections))
        except ConnectionError:
            pass
        except Exception as failure:
            self.failures.append(failure)
        except asyncio.CancelledError:
            pass  # the end of the test; streams log a cancelled handler
        finally:
            self.open_lines -= 1
            self._lines.discard(task)
            writer.close()

    def stop_listening(self) -> None:
        """Refuse connections from now on; those that are open stay."""
        self.listener.close()

    async def end(self) -> None:
        for task in tuple(self._lines):
            task.cancel()
        if self._lines:
            await asyncio.wait(self._lines, timeout=PATIENCE)
        await asyncio.sleep(0)


@asynccontextmanager
async def application(
    script: Script,
    *,
    tls: ssl.SSLContext | None = None,
    client_tls: ssl.SSLContext | None = None,
    path: Path | None = None,
    port: int = 0,
) -> AsyncIterator[Application]:
    """A listening application; raises at the end what went wrong in its scripts."""
    app = Application(script)
    if path is not None:
        server = await asyncio.start_unix_server(app.serve, path)
        app.address = parse_address(f"unix://{path}")
    else:
        server = await asyncio.start_server(app.serve, "127.0.0.1", port, ssl=tls)
        port = server.sockets[0].getsockname()[1]
        app.address = parse_address(f"{'https' if tls else 'http'}://localhost:{port}", tls=client_tls)
    app.listener = server
    try:
        yield app
    finally:
        server.close()
        await app.end()
        await server.wait_closed()
    assert not app.failures, app.failures


@asynccontextmanager
async def connected(script: Script, **limits: float) -> AsyncIterator[tuple[Application, UpstreamConnector]]:
    """An application and a connector to it, with these limits (see `UpstreamLimits`)."""
    async with application(script) as app, connector(app.address, **limits) as upstream:
        yield app, upstream


@asynccontextmanager
async def connector(address: UpstreamAddress, **limits: float) -> AsyncIterator[UpstreamConnector]:
    # Idle connections stay longer than any test waits, so that none ends for a reason the test does not mean.
    upstream = UpstreamConnector(address, UpstreamLimits(**{"keepalive_idle": 60.0, **limits}))  # type: ignore[arg-type]
    try:
        yield upstream
    finally:
        await upstream.close()


def answers(*each: bytes) -> Script:
    """Answer the requests of every connection with these bytes in turn, then wait for its end."""

    async def script(line: Line) -> None:
        for answer in each:
            if not await line.head():
                return
            await line.say(answer)
        await line.closed_by_gateway()

    return script


def answers_and_closes(answer: bytes) -> Script:
    async def script(line: Line) -> None:
        await line.head()
        await line.say(answer)

    return script


class Pieces:
    """A request body made of these pieces."""

    def __init__(self, pieces: Iterable[bytes], length: int | None) -> None:
        self._pieces = iter(pieces)
        self.length = length

    async def read(self) -> bytes:
        return next(self._pieces, b"")


class Fed:
    """A request body that a test hands out piece by piece, or breaks off with an exception."""

    def __init__(self, length: int | None) -> None:
        self.length = length
        self.cancelled = False
        self._queue: asyncio.Queue[bytes | Exception] = asyncio.Queue()

    def feed(self, piece: bytes | Exception) -> None:
        self._queue.put_nowait(piece)

    async def read(self) -> bytes:
        try:
            piece = await self._queue.get()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        if isinstance(piece, Exception):
            raise piece
        return piece


async def get(upstream: UpstreamConnector, method: bytes = b"GET", body: RequestBody | None = None) -> Answer:
    return await upstream.send(method, b"/", [(b"host", b"app.example")], body)


async def whole(answer: Answer) -> bytes:
    """The rest of the body."""
    pieces = []
    while piece := await answer.read():
        pieces.append(piece)
    return b"".join(pieces)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition; fails when it has not come true in ten seconds."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + PATIENCE
    while not condition():
        assert loop.time() < deadline, "the condition did not come true"
        await asyncio.sleep(0.005)
