"""A server that stops leaves nobody without an answer who could not know: who was let in, or wrote just then."""

from __future__ import annotations

import asyncio
import contextlib
import select
import socket
import time
from collections.abc import AsyncIterator
from functools import partial

import pytest
import uvicorn

from gateway.wire import protocol
from gateway.wire import server as wire_server
from gateway.wire.protocol import GatewayProtocol
from gateway.wire.serve import KEEP_ALIVE_SECONDS, listen
from gateway.wire.server import Server
from tests.wire.application import PATIENCE, Application

from .road import Road, Trip

ASK = b"GET %s HTTP/1.1\r\nhost: x\r\n\r\n"
CLOSES = b"\r\nconnection: close\r\n"
WAYS = ["/long", "/short"]


def _answer_soon(trip: Trip) -> None:
    asyncio.get_running_loop().call_soon(trip.answer)


class Stopping:
    """A server with an application, which a test stops."""

    def __init__(self) -> None:
        self.application = Application()
        road = Road(_answer_soon)
        self.listener = listen("127.0.0.1", 0)
        config = uvicorn.Config(
            self.application, http=partial(GatewayProtocol, lane=road), ws="none", lifespan="off",  # type: ignore[arg-type]
            log_config=None, log_level="critical", timeout_keep_alive=KEEP_ALIVE_SECONDS, server_header=False,
        )  # fmt: skip
        config.load()
        self.server = Server(config)
        self.server.lifespan = config.lifespan_class(config)
        self._stops: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        await self.server.startup(sockets=[self.listener])

    def stop(self) -> None:
        """From now on it stops; what is under way goes on."""
        self._stops = asyncio.create_task(self.server.shutdown([self.listener]))

    async def told_all(self) -> None:
        """Every connection knows."""
        async with asyncio.timeout(PATIENCE):
            while not self.server.server_state.stops:
                await asyncio.sleep(0)
            while not all(getattr(each, "_stops", True) for each in self.server.server_state.connections):
                await asyncio.sleep(0)

    async def stopped(self) -> None:
        assert self._stops is not None
        async with asyncio.timeout(PATIENCE):
            await self._stops

    def connect(self) -> socket.socket:
        """By the kernel alone: nobody has let it in yet."""
        return socket.create_connection(self.listener.getsockname(), timeout=PATIENCE)

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(*self.listener.getsockname())


@pytest.fixture
async def stopping(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stopping]:
    """One with more patience than a busy machine needs."""
    monkeypatch.setattr(protocol, "LAST_REQUEST_SECONDS", PATIENCE)
    made = Stopping()
    await made.begin()
    yield made
    made.application.go.set()
    made.server.force_exit = True
    if made._stops is not None:
        await made.stopped()


async def answer(reader: asyncio.StreamReader) -> bytes:
    """One whole answer that has a length."""
    async with asyncio.timeout(PATIENCE):
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        return head + await reader.readexactly(length)


async def rest(reader: asyncio.StreamReader) -> bytes:
    """Everything that still comes."""
    async with asyncio.timeout(PATIENCE):
        return await reader.read()


@pytest.mark.parametrize("way", WAYS)
async def test_a_kept_connection_has_one_request_more_and_is_told(stopping: Stopping, way: str) -> None:
    reader, writer = await stopping.open()
    writer.write(ASK % way.encode())
    assert CLOSES not in await answer(reader)
    stopping.stop()
    await stopping.told_all()
    writer.write(ASK % way.encode())
    assert CLOSES in await answer(reader)
    assert await rest(reader) == b""
    writer.close()
    await stopping.stopped()


@pytest.mark.parametrize("way", WAYS)
async def test_who_has_connected_and_said_nothing_is_answered(stopping: Stopping, way: str) -> None:
    reader, writer = await stopping.open()
    async with asyncio.timeout(PATIENCE):
        while not stopping.server.server_state.connections:
            await asyncio.sleep(0)
    stopping.stop()
    await stopping.told_all()
    writer.write(ASK % way.encode())
    assert CLOSES in await answer(reader)
    assert await rest(reader) == b""
    writer.close()
    await stopping.stopped()


async def test_an_answer_whose_head_promised_another_is_not_the_last(stopping: Stopping) -> None:
    reader, writer = await stopping.open()
    writer.write(ASK % b"/part")
    async with asyncio.timeout(PATIENCE):
        head = await reader.readuntil(b"\r\n\r\n")
    assert CLOSES not in head
    stopping.stop()
    await stopping.told_all()
    stopping.application.go.set()
    async with asyncio.timeout(PATIENCE):
        assert await reader.readexactly(100) == b"x" * 100
    writer.write(ASK % b"/long")
    assert CLOSES in await answer(reader)
    assert await rest(reader) == b""
    writer.close()
    await stopping.stopped()


async def test_an_answer_whose_head_is_not_sent_is_the_last_and_says_so(stopping: Stopping) -> None:
    reader, writer = await stopping.open()
    writer.write(ASK % b"/wait")
    async with asyncio.timeout(PATIENCE):
        while not stopping.application.seen:
            await asyncio.sleep(0)
    stopping.stop()
    await stopping.told_all()
    stopping.application.go.set()
    assert CLOSES in await answer(reader)
    assert await rest(reader) == b""
    writer.close()
    await stopping.stopped()


async def test_whom_the_kernel_has_let_in_is_answered(stopping: Stopping) -> None:
    assert await _answers_of_a_queue(stopping) == [True] * 5


async def test_closing_alone_would_turn_them_away(stopping: Stopping, monkeypatch: pytest.MonkeyPatch) -> None:
    async def leave_out(_: Server, listener: socket.socket) -> None:
        listener.close()

    monkeypatch.setattr(Server, "_let_in", leave_out)
    assert False in await _answers_of_a_queue(stopping), "the loop may have let one in already"


async def test_who_goes_on_coming_does_not_keep_it_from_stopping(
    stopping: Stopping, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is always another one in the queue."""
    monkeypatch.setattr(wire_server, "BACKLOG", 50)
    make, let_in, clients = stopping.server._protocol, stopping.server._let_in, list[socket.socket]()
    address = stopping.listener.getsockname()

    async def let_in_whom_there_is(listener: socket.socket) -> None:
        def come() -> None:
            clients.append(socket.create_connection(address, timeout=PATIENCE))
            select.select([listener], [], [], PATIENCE)

        def another_comes() -> asyncio.Protocol:
            assert len(clients) < 300, "it lets in whoever comes"
            come()
            return make()

        monkeypatch.setattr(stopping.server, "_protocol", another_comes)
        come()
        try:
            await let_in(listener)
        finally:
            for client in clients:
                client.close()

    monkeypatch.setattr(stopping.server, "_let_in", let_in_whom_there_is)
    stopping.stop()
    await stopping.stopped()
    assert len(clients) == 51, "as many are let in as can have come before it was told to stop"


async def _answers_of_a_queue(stopping: Stopping) -> list[bool]:
    """Whether each was answered, for the last time, of five who wait to be let in when the server stops."""
    clients = [stopping.connect() for _ in range(5)]  # without a turn of the loop, so that it can't let them in
    for client in clients:
        client.sendall(ASK % b"/long")
    stopping.stop()
    return list(await asyncio.gather(*(asyncio.to_thread(_is_answered, client) for client in clients)))


def _is_answered(client: socket.socket) -> bool:
    received = b""
    with client, contextlib.suppress(ConnectionError):
        while piece := client.recv(65536):
            received += piece
    return received.endswith(b"/long ") and CLOSES in received


async def test_a_request_that_nobody_has_read_is_no_silence(
    stopping: Stopping, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loop was busy while it came, and its clock rings before it looks at its connections."""
    client = await _kept(stopping)
    monkeypatch.setattr(protocol, "LAST_REQUEST_SECONDS", 0.05)
    stopping.stop()
    await stopping.told_all()
    client.sendall(ASK % b"/long")
    time.sleep(0.2)
    assert await asyncio.to_thread(_is_answered, client)
    await stopping.stopped()


async def test_silence_ends_a_connection(stopping: Stopping, monkeypatch: pytest.MonkeyPatch) -> None:
    client = await _kept(stopping)
    monkeypatch.setattr(protocol, "LAST_REQUEST_SECONDS", 0.05)
    stopping.stop()
    assert await asyncio.to_thread(client.recv, 1) == b""
    client.close()
    await stopping.stopped()


async def _kept(stopping: Stopping) -> socket.socket:
    client = stopping.connect()
    client.sendall(ASK % b"/long")
    received = b""
    while not received.endswith(b"/long "):
        received += await asyncio.to_thread(client.recv, 65536)
    return client
