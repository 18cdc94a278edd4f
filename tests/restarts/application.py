"""The application behind the gateway: `python -m tests.restarts.application PORT`. Every answer can be checked."""

from __future__ import annotations

import asyncio
import hashlib
import sys

import uvloop
from aiohttp import WSMsgType, web

from .pieces import EVENT_SECONDS, EVENTS, PIECE, PIECE_SECONDS, PIECES

_IDLE_SECONDS = 3600.0
"""It never closes a connection of its own accord: what fails is the gateway's doing."""


async def _open(request: web.Request) -> web.Response:
    return web.Response(body=f"open {request.path_qs}".encode() * 20, content_type="text/html")


async def _result(request: web.Request) -> web.Response:
    digest = hashlib.sha256(await request.read()).hexdigest()
    return web.Response(text=f"{request.path_qs} {digest}", content_type="text/csv")


async def _download(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse(headers={"content-type": "application/octet-stream"})
    if "length" in request.query:
        answer.content_length = PIECES * len(PIECE)
    await answer.prepare(request)
    for _ in range(PIECES):
        await answer.write(PIECE)
        await asyncio.sleep(PIECE_SECONDS)
    await answer.write_eof()
    return answer


async def _events(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse(headers={"content-type": "text/event-stream"})
    await answer.prepare(request)
    for number in range(EVENTS):
        await answer.write(b"data: %d\n\n" % number)
        await asyncio.sleep(EVENT_SECONDS)
    await answer.write_eof()
    return answer


async def _socket(request: web.Request) -> web.StreamResponse:
    peer = web.WebSocketResponse()
    await peer.prepare(request)
    async for message in peer:
        if message.type is WSMsgType.TEXT:
            await peer.send_str("echo " + message.data)
    return peer


def main() -> None:
    """Serve until told to stop."""
    application = web.Application(client_max_size=2**30)
    for path, handler in {
        "/open/{rest:.*}": _open, "/results/{rest:.*}": _result, "/metered/{rest:.*}": _result,
        "/upload": _result, "/download": _download, "/events": _events, "/socket": _socket,
    }.items():  # fmt: skip
        application.router.add_route("*", path, handler)
    uvloop.install()
    web.run_app(
        application, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None,
        keepalive_timeout=_IDLE_SECONDS, backlog=1024, shutdown_timeout=1.0,
    )  # fmt: skip


if __name__ == "__main__":
    main()
