"""Servers that send the gateway on without end, or are relieved just as a connection to them is opened."""

from __future__ import annotations

import asyncio

import pytest

from gateway.ports.state import StoreUnavailable
from gateway.store.connection import open_link
from gateway.store.transport import cluster

HELLO = b"%1\r\n$5\r\nproto\r\n:3\r\n"
MASTER = b"*1\r\n$6\r\nmaster\r\n"


async def test_a_node_that_names_more_and_more_others_misleads_nobody_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "NODES_LIMIT", 1)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            if b"SLOTS" in data:
                writer.write(b"*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$9\r\n127.0.0.1\r\n:%d\r\n" % port)
            else:
                writer.write(HELLO if b"HELLO" in data else b"-MOVED 16287 10.0.0.1:1\r\n")
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    link = open_link(f"redis+cluster://127.0.0.1:{port}")
    try:
        await link.look()
        with pytest.raises(StoreUnavailable, match="names more than 1 nodes"):
            await link.ask(("GET", "x"))
        assert len(link.nodes) == 1, "what it was told to have is still all that there is"
    finally:
        await link.close()
        listening.close()


async def test_a_connection_opened_while_the_server_goes_away_is_not_used() -> None:
    """Whoever answered on it may have been relieved by another since."""
    bulk, lines, echoes = (list[asyncio.StreamWriter]() for _ in range(3))
    is_gone = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            if b"ECHO" in data:
                echoes.append(writer)
                writer.write(b"$1\r\nx\r\n")
            elif b"HELLO" in data and not bulk and lines:
                bulk.append(writer)
                await is_gone.wait()
                writer.write(HELLO)
            elif b"HELLO" in data:
                writer.write(HELLO)
            else:
                lines.append(writer)
                writer.write(MASTER if b"ROLE" in data else b"+PONG\r\n")
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    link = open_link(f"redis://127.0.0.1:{listening.sockets[0].getsockname()[1]}")
    node = link.nodes[0]
    try:
        await link.ping()
        asks = asyncio.create_task(link.ask(("ECHO", "x")))
        async with asyncio.timeout(20):
            while not bulk:
                await asyncio.sleep(0)
            pings = asyncio.create_task(link.ping())
            lines[-1].close()
            with pytest.raises(StoreUnavailable):
                await pings
            while node.is_away:
                await asyncio.sleep(0.01)
            is_gone.set()
            assert await asks == [b"x"]
            assert echoes and bulk[0] not in echoes
    finally:
        await link.close()
        listening.close()
