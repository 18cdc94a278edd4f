"""A server that lets everybody in and never says a word, as a hung one does, or a proxy whose server is gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from gateway.store.connection import Store, open_store

PATIENCE = 20.0


@pytest.fixture
async def silent() -> AsyncIterator[Store]:
    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65536):
            pass
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    yield open_store(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    server.close()


async def test_the_gateway_can_be_stopped_all_the_same(silent: Store) -> None:
    before = asyncio.all_tasks()
    async with asyncio.timeout(PATIENCE):
        await silent.start(print)
        await asyncio.sleep(0.1)
        await silent.stop()
    names = {task.get_name() for task in asyncio.all_tasks() - before}
    assert not names & {"changes", "checkup", "event writer", "store line", "is the store back"}
