"""What lets the gateway in and greets it with something that is no greeting."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest

from gateway.ports.state import StoreUnavailable
from gateway.store.connection import open_link

SAID = [b"+OK\r\n", b":1\r\n", b"_\r\n", b"*1\r\n+x\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n"]


@pytest.mark.parametrize("said", SAID)
async def test_it_is_away_and_nothing_is_left_of_the_attempt(said: bytes) -> None:
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65536):
            writer.write(said)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    for first in ("a connection of one's own", "the line"):
        link = open_link(f"redis://user:secret@127.0.0.1:{server.sockets[0].getsockname()[1]}")
        with pytest.raises(StoreUnavailable, match="does not answer") as told:
            await (link.ping() if first == "the line" else link.ask(("ECHO", "x")))
        assert "stopping" not in str(told.value)
        await link.close()
    server.close()
    gc.collect()
    await asyncio.sleep(0)
    assert not complaints
