"""The hostile test's application in FastAPI, with FastAPI's own routing and no option changed."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse

from .beacon import report

app = FastAPI(openapi_url=None)


def _target(request: Request) -> str:
    query: bytes = request.scope["query_string"]
    path: bytes = request.scope["raw_path"]
    return (path + (b"?" + query if query else b"")).decode("latin-1")


def _text(request: Request, body: str) -> PlainTextResponse:
    return PlainTextResponse(f"{body} nonce={request.headers.get('X-Nonce', '-')}\n")


@app.api_route("/api/result/{identifier}", methods=["GET", "POST"])
async def result(identifier: str, request: Request) -> PlainTextResponse:
    report(request.headers.get("X-Nonce"), _target(request))
    return _text(request, "MARKER-RESULT")


@app.api_route("/{rest:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
async def opened(rest: str, request: Request) -> PlainTextResponse:
    return _text(request, f"OPEN {_target(request)}")
