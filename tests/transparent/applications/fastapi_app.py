"""The rig's application in FastAPI."""

from __future__ import annotations

from collections.abc import AsyncIterator

from fastapi import FastAPI, Request
from fastapi.responses import Response, StreamingResponse

from .telling import METHODS, body_of, order, pieces

app = FastAPI(openapi_url=None)


@app.api_route("/{rest:path}", methods=METHODS)
async def anything(rest: str, request: Request) -> Response:
    told = order(request.headers.get("X-Answer"))
    target = (request.scope["raw_path"] + b"?" + request.scope["query_string"]).decode("latin-1")
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw]
    data = body_of(told, request.method, target, headers, await request.body())
    response: Response
    if told.stream and told.status not in (204, 205, 304):
        response = StreamingResponse(_stream(data), told.status)
    else:
        response = Response(data, told.status)
    response.raw_headers += [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in told.headers]
    return response


async def _stream(data: bytes) -> AsyncIterator[bytes]:
    for piece in pieces(data):
        yield piece
