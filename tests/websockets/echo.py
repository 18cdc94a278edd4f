"""Servers of three makes that send back every message: `python -m tests.websockets.echo NAME PORT`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import WSMsgType, web
from websockets.asyncio.server import ServerConnection, serve


async def application(scope: Any, receive: Any, send: Any) -> None:
    """An ASGI application, for servers of the third make."""
    if scope["type"] == "lifespan":
        for _ in range(2):
            await send({"type": (await receive())["type"] + ".complete"})
        return
    await receive()
    await send({"type": "websocket.accept"})
    while (event := await receive())["type"] == "websocket.receive":
        kind = "text" if event.get("text") is not None else "bytes"
        await send({"type": "websocket.send", kind: event[kind]})


async def serve_aiohttp(port: int) -> None:
    """Serve for ever."""

    async def handle(request: web.Request) -> web.WebSocketResponse:
        peer = web.WebSocketResponse(max_msg_size=0)
        await peer.prepare(request)
        async for message in peer:
            if message.type is WSMsgType.TEXT:
                await peer.send_str(message.data)
            elif message.type is WSMsgType.BINARY:
                await peer.send_bytes(message.data)
        return peer

    made = web.Application()
    made.router.add_get("/{path:.*}", handle)
    runner = web.AppRunner(made, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


async def serve_websockets(port: int) -> None:
    """Serve for ever."""

    async def handle(peer: ServerConnection) -> None:
        async for message in peer:
            await peer.send(message)

    async with serve(handle, "127.0.0.1", port, max_size=None):
        await asyncio.Event().wait()


def serve_granian(port: int) -> None:
    """Serve for ever. Its WebSockets are those of tungstenite, which is written in Rust."""
    from granian import Granian
    from granian.constants import Interfaces

    Granian(f"{__name__}:application", address="127.0.0.1", port=port, interface=Interfaces.ASGI).serve()


_MAKES: dict[str, Callable[[int], Awaitable[None]]] = {"aiohttp": serve_aiohttp, "websockets": serve_websockets}
MAKES = (*_MAKES, "granian")
COMPRESSING = tuple(_MAKES)
"""Those that compress where the client offers it."""


def main(name: str, port: int) -> None:
    """Serve for ever."""
    if name == "granian":
        serve_granian(port)
        return
    asyncio.run(_MAKES[name](port))  # type: ignore[arg-type]


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
