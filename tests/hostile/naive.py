"""A paywall as one would write it in an hour: the known-bad twin that proves the rig can see.

It matches the decoded path with a pattern and hands aiohttp a URL as text. Never put it before anything.
Environment: `UPSTREAM`, the address of the application without a slash at its end.
"""

from __future__ import annotations

import os
import re
from functools import cache

import aiohttp
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from .message import EXPIRED

_RESULT = re.compile(r"^/api/result/[^/]+$")


@cache
def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2))


async def _forward(request: Request) -> Response:
    target = request.scope["raw_path"].decode("latin-1") + ("?" + request.url.query if request.url.query else "")
    headers = [(name, value) for name, value in request.headers.items() if name != "host"]
    # Announced to the application all the same: the next request on that connection is then read as this one's body.
    body = None if request.method in ("GET", "HEAD", "OPTIONS") else await request.body()
    try:
        async with _session().request(
            request.method, os.environ["UPSTREAM"] + target, headers=headers, data=body, allow_redirects=False
        ) as answer:
            return Response(await answer.read(), answer.status, media_type=answer.content_type)
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        return PlainTextResponse(f"bad gateway: {type(error).__name__}\n", 502)


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """402 for the expired subject's result, everything else straight on."""
    if scope["type"] != "http":
        return
    request = Request(scope, receive)
    if _RESULT.match(scope["path"]) and request.headers.get("x-user-id") == EXPIRED:
        response: Response = PlainTextResponse("payment required\n", 402)
    else:
        response = await _forward(request)
    await response(scope, receive, send)
