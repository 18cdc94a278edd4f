"""The application behind the gateway: `python -m tests.races.application PORT`. Its results come in several ways."""

from __future__ import annotations

import asyncio
import random
import sys

import uvloop
from aiohttp import web

SMALL, LARGE = b"a small result\n" * 60, b"a large result\n" * 40_000
_PIECE = 65536


async def _small(request: web.Request) -> web.Response:
    await request.read()
    return web.Response(body=SMALL, content_type="text/csv")


async def _late(request: web.Request) -> web.Response:
    await asyncio.sleep(random.uniform(0, 0.03))
    return await _small(request)


async def _large(request: web.Request) -> web.StreamResponse:
    await request.read()
    answer = web.StreamResponse(headers={"content-type": "text/csv"})
    await answer.prepare(request)
    for start in range(0, len(LARGE), _PIECE):
        await answer.write(LARGE[start : start + _PIECE])
        await asyncio.sleep(0.001)
    await answer.write_eof()
    return answer


def main() -> None:
    """Serve until told to stop."""
    application = web.Application()
    for name, handler in {"small": _small, "late": _late, "large": _large}.items():
        application.router.add_route("*", f"/metered/{{round}}/{name}", handler)
    uvloop.install()
    web.run_app(
        application, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None, keepalive_timeout=3600.0,
        backlog=1024, shutdown_timeout=1.0,
    )  # fmt: skip


if __name__ == "__main__":
    main()
