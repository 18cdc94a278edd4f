"""A server on a socket of its own for every test, which runs on asyncio's own loop and on production's, uvloop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
import uvloop

from tests.wire.application import Client, Server, running
from tests.wire.road import Road


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture
def road() -> Road:
    """The lane of the server, which takes what begins with `/short`."""
    return Road()


@pytest.fixture
async def server(road: Road) -> AsyncIterator[Server]:
    """The server; `server.application` tells what it has seen."""
    async with running(road) as made:
        yield made


@pytest.fixture
async def client(server: Server) -> Client:
    """A connection to it."""
    return await server.client()
