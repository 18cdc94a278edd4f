"""A server on a socket of its own for every test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.wire.application import Client, Server, running


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """The server; `server.application` tells what it has seen."""
    async with running() as made:
        yield made


@pytest.fixture
async def client(server: Server) -> Client:
    """A connection to it."""
    return await server.client()
