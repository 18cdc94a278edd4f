"""Applications that run within the rig: a socket, and one coroutine for each connection."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from .message import HEAD_LIMIT, Unreadable

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
"""Serves one connection; it is closed afterwards."""


@contextlib.asynccontextmanager
async def listening(serve: Serve, complaints: list[str]) -> AsyncIterator[int]:
    """Serve connections on a port of its own, which this yields. What comes and is no request is a complaint."""
    lines: set[asyncio.Task[None]] = set()

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        lines.add(task)
        try:
            await serve(reader, writer)
        except Unreadable as error:
            complaints.append(str(error))
        except (ConnectionError, asyncio.CancelledError):
            pass  # the other side is done with it, or the test is
        finally:
            lines.discard(task)
            writer.close()

    server = await asyncio.start_server(one, "127.0.0.1", 0, limit=HEAD_LIMIT)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for line in tuple(lines):
            line.cancel()
        await asyncio.gather(*lines, return_exceptions=True)
        await server.wait_closed()
