"""What lets the gateway in and answers with something that is no answer."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from typing import Any

import pytest

from gateway.core.quantity import Allowance
from gateway.ports.state import GraceAsked, StoreUnavailable
from gateway.store.connection import open_link, open_store
from tests.store.conftest import new_subject, until

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


@pytest.mark.parametrize("said", [b":1", b"$-1", b"*1\r\n+x", b"*2\r\n:1\r\n:2", b"*12" + b"\r\n$1\r\nx" * 12])
async def test_a_server_that_greets_well_and_answers_nonsense_is_no_store(said: bytes) -> None:
    """It greets as a server without HELLO does, and then says the same to every question."""

    served: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.add(writer)
        with contextlib.suppress(ConnectionError):
            while asked := await reader.read(65536):
                commands = asked.count(b"*")
                writer.write(b"%1\r\n+proto\r\n:3\r\n" if b"HELLO" in asked else (said + b"\r\n") * commands)
        writer.close()
        served.remove(writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    store = open_store(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    subject, heard = new_subject(), list[object]()
    try:
        await store.start(lambda line: None)
        with pytest.raises(StoreUnavailable):
            await store.subjects.visit(subject)
        store.subjects.visit_soon(subject, None, GraceAsked("r", Allowance(1, 0)), None, heard.append)
        await until(lambda: bool(heard), "an answer")
        assert isinstance(heard[0], StoreUnavailable)
        for _ in range(100):
            await asyncio.sleep(0)
        at_work = {task.get_name() for task in asyncio.all_tasks()}
        assert at_work >= {"changes", "checkup", "event writer"}, "all of them wait for a store that is one"
    finally:
        await store.stop()
        await until(lambda: not served, "every connection is closed")
        server.close()
