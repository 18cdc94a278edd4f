"""Run the application on a socket until told to stop, then let what is under way finish."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any

import uvicorn

from gateway.ports.wire import Lane
from gateway.wire.protocol import GatewayProtocol
from gateway.wire.server import BACKLOG, Server

DRAIN_SECONDS = 30
"""How long requests under way may go on after the gateway was told to stop."""
BESIDE_SECONDS = 2
"""The same for what is served beside something that has ended already."""
KEEP_ALIVE_SECONDS = 75
"""Longer than proxies in front keep their connections, so that it is never us who closes first."""
UNSENT_BYTES_LIMIT = 128 * 1024
"""What the kernel keeps of an answer that can't be sent yet: else it takes megabytes for a client that reads nothing,
as fast as the application gives them. What is on its way to a client does not count, so that nobody is slowed down."""


def listen(host: str, port: int) -> socket.socket:
    """Open the listening socket; port 0 takes a free one. Raises `OSError`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    if hasattr(socket, "TCP_NOTSENT_LOWAT"):  # connections have it from their listener
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES_LIMIT)
    return listener


async def serve(
    application: Any,
    listener: socket.socket,
    on_ready: Callable[[], Awaitable[None]],
    on_hangup: Callable[[], None],
    admin: tuple[Any, socket.socket] | None = None,
    lane: Lane | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT; SIGHUP calls `on_hangup`. A second signal ends at once.

    `lane` is the short way past `application`. `admin` is the operators' application and the socket it is served on.
    The application's own start and stop are the caller's: an error of its start is then an error like any other.
    """
    server = Server(_config(application, lane))
    servers = [server] + ([Server(_config(admin[0]))] if admin else [])
    loop = asyncio.get_running_loop()

    def stop() -> None:
        for each in servers:
            each.force_exit = each.should_exit
            each.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    loop.add_signal_handler(signal.SIGHUP, on_hangup)
    ready = asyncio.create_task(_tell_when_started(server, on_ready))
    try:
        listeners = [listener] + ([admin[1]] if admin else [])
        await asyncio.gather(*(each.serve(sockets=[own]) for each, own in zip(servers, listeners, strict=True)))
    finally:
        ready.cancel()
        await asyncio.gather(ready, return_exceptions=True)


@contextlib.asynccontextmanager
async def serve_beside(application: Any, listener: socket.socket) -> AsyncIterator[None]:
    """Serve meanwhile, leaving signals to the caller."""
    config = _config(application)
    config.timeout_graceful_shutdown = BESIDE_SECONDS
    server = Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await serving


def _config(application: Any, lane: Lane | None = None) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        http=partial(GatewayProtocol, lane=lane),  # type: ignore[arg-type]
        ws="none",  # the protocol has its own way with them
        lifespan="off",
        interface="asgi3",
        proxy_headers=False,
        server_header=False,
        date_header=False,
        access_log=False,
        log_config=None,
        log_level="critical",
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )


async def _tell_when_started(server: uvicorn.Server, on_ready: Callable[[], Awaitable[None]]) -> None:
    while not server.started:  # noqa: ASYNC110 - uvicorn has a flag, not an event
        await asyncio.sleep(0.01)
    await on_ready()
