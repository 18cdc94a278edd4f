"""A server that stalls just as a connection is opened: whoever asks is told, and the next connection is opened."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from gateway.ports.state import StoreUnavailable
from gateway.store.connection import open_link
from gateway.store.transport import node

from .conftest import until

HELLO = b"%1\r\n$5\r\nproto\r\n:3\r\n"


async def test_one_that_says_too_late_what_it_is_is_left_and_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node, "ANSWER_TIMEOUT", 0.1)
    opened, gone = 0, list[asyncio.StreamWriter]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal opened
        opened += 1
        await reader.readuntil(b"HELLO\r\n$1\r\n3\r\n")
        writer.write(HELLO)
        await reader.readuntil(b"ROLE\r\n")
        if opened == 1:
            await reader.read()  # nothing more is heard of it
        else:
            writer.write(b"*1\r\n$6\r\nmaster\r\n")
            with contextlib.suppress(asyncio.IncompleteReadError):
                while await reader.readuntil(b"PING\r\n"):
                    writer.write(b"+PONG\r\n")
        writer.close()
        await writer.wait_closed()
        gone.append(writer)

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    link = open_link(f"redis://127.0.0.1:{listening.sockets[0].getsockname()[1]}")
    try:
        with pytest.raises(StoreUnavailable, match="no answer"):
            await link.ping()
        async with asyncio.timeout(20):
            while True:
                try:
                    await link.ping()
                    break
                except StoreUnavailable:
                    await asyncio.sleep(0.01)
        assert opened == 2
    finally:
        await link.close()
        await until(lambda: len(gone) == opened, "nothing is left open")
        listening.close()
