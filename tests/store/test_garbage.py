"""What lets the gateway in and answers with something that is no answer."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from redis.exceptions import ConnectionError as NoConnection

from gateway.core.quantity import Allowance
from gateway.ports.state import GraceAsked, StoreUnavailable
from gateway.store.connection import open_link, open_store
from gateway.store.transport.place import Place
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


@pytest.mark.parametrize("said", [*SAID, b"*1\r\n*2\r\n$4\r\nname\r\n$4\r\nmain\r\n", b"*1\r\n*1\r\n$4\r\nname\r\n"])
async def test_a_sentinel_that_answers_nonsense_hides_no_other(said: bytes) -> None:
    """One says nonsense, the other names the primary; and alone it is one that knows none."""

    served: set[asyncio.StreamWriter] = set()

    def answering(masters: bytes) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            served.add(writer)
            while asked := await reader.read(65536):
                greeting = b"%1\r\n+proto\r\n:3\r\n" if b"HELLO" in asked else b"+OK\r\n" * asked.count(b"*")
                writer.write(masters if b"masters" in asked.lower() else greeting)
            writer.close()

        return serve

    named = {"name": "main", "ip": "127.0.0.1", "port": "1", "flags": "master", "num-other-sentinels": "1"}
    flat = [part for pair in named.items() for part in pair]
    good = b"*1\r\n%%%d\r\n" % len(named) + b"".join(b"$%d\r\n%s\r\n" % (len(each), each.encode()) for each in flat)
    servers = [await asyncio.start_server(answering(each), "127.0.0.1", 0) for each in (said, good)]
    hosts = ",".join(f"127.0.0.1:{each.sockets[0].getsockname()[1]}" for each in servers)
    place = Place.read(f"redis+sentinel://{hosts}/main")
    pool: Any = place.client(1.0, 3).connection_pool
    for _ in range(3):
        assert await pool.named_primary() == ("127.0.0.1", 1)
    servers[1].close()
    for each in served:
        each.close()
    with pytest.raises(NoConnection, match="no sentinel that answers knows a primary of 'main'"):
        await pool.named_primary()
    await pool.aclose()
    servers[0].close()
