"""The hostile test's application in aiohttp's server, with aiohttp's own routing and no option changed."""

from __future__ import annotations

import sys

from aiohttp import web

from .beacon import report


def _text(request: web.Request, body: str) -> web.Response:
    return web.Response(text=f"{body} nonce={request.headers.get('X-Nonce', '-')}\n")


async def result(request: web.Request) -> web.Response:
    report(request.headers.get("X-Nonce"), request.raw_path)
    return _text(request, "MARKER-RESULT")


async def opened(request: web.Request) -> web.Response:
    return _text(request, f"OPEN {request.raw_path}")


if __name__ == "__main__":
    app = web.Application()
    app.router.add_get("/api/result/{identifier}", result)
    app.router.add_post("/api/result/{identifier}", result)
    app.router.add_route("*", "/{rest:.*}", opened)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)
