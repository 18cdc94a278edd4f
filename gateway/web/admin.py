"""The operators' side, on a listener of its own: health, metrics, the config in force. Never on the public address."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from gateway import __version__
from gateway.eventlog.metrics import CONTENT_TYPE


@dataclass(frozen=True, slots=True)
class AdminActions:
    """What operators can ask of a running gateway."""

    metrics: Callable[[], Awaitable[bytes]]
    """All numbers, in Prometheus' text format."""
    health: Callable[[], Awaitable[Mapping[str, bool]]]
    """What must be well for the gateway to be ready, by its name."""
    status: Callable[[], Awaitable[dict[str, Any]]]
    """The config in force: its digest, its routes, the newest problems."""
    reload: Callable[[], Awaitable[dict[str, Any]]]


def make_admin(actions: AdminActions) -> ASGIApp:
    """The operators' application."""

    async def live(request: Request) -> Response:
        return JSONResponse({"status": "live"})

    async def ready(request: Request) -> Response:
        health = await actions.health()
        well = all(health.values())
        return JSONResponse({"status": "ready" if well else "not ready", **health}, 200 if well else 503)

    async def metrics(request: Request) -> Response:
        return Response(await actions.metrics(), media_type=CONTENT_TYPE)

    async def status(request: Request) -> Response:
        return JSONResponse({"version": __version__, **await actions.status()})

    async def reload(request: Request) -> Response:
        outcome = await actions.reload()
        return JSONResponse(outcome, 200 if outcome["result"] != "refused" else 422)

    return Starlette(
        routes=[
            Route("/health/live", live),
            Route("/health/ready", ready),
            Route("/metrics", metrics),
            Route("/status", status),
            Route("/reload", reload, methods=["POST"]),
        ]
    )
