"""The gateway's own pages under its prefix, as one Starlette application.

`person` knows who asks; `offering` shows an offer and takes "not now"; `paying` opens a checkout, brings people back
from it and hears providers; `releasing` gives held results out; `overlay` is for single-page applications; `me` and
health are here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.core.reason import Reason
from gateway.language.catalogue import phrase
from gateway.language.language import Sentence
from gateway.ports.state import StoreUnavailable
from gateway.web.faces import Faces
from gateway.web.offering import Offering
from gateway.web.overlay.face import Overlay
from gateway.web.paying import Paying
from gateway.web.person import Denied, People, as_response
from gateway.web.releasing import Releasing
from gateway.web.runtime import Runtime
from gateway.web.standing_page import StandingPage
from gateway.web.subscribing import Subscribing

OwnHeaders = list[tuple[bytes, bytes]] | tuple[()]
Handlers = dict[Any, Callable[[Request, Exception], Awaitable[Response]]]


def make_site(runtime: Runtime, faces: Faces) -> ASGIApp:
    """The pages of one config."""
    people = People(runtime, faces)
    offering, paying = Offering(runtime, faces, people), Paying(runtime, faces, people)
    releasing, standing = Releasing(runtime, faces, people), StandingPage(runtime, faces, people)
    subscribing = Subscribing(runtime, faces, people)
    overlay = Overlay(runtime, faces.languages)
    prefix = runtime.prefix

    async def notice_style(request: Request) -> Response:
        return as_response(faces.notices.style_sheet(request.query_params.get("v", "")))

    routes = [
        Route(f"{prefix}/offer", offering.show, methods=["GET"]),
        Route(f"{prefix}/decline", offering.decline, methods=["POST"]),
        Route(f"{prefix}/checkout", offering.show, methods=["GET"]),
        Route(f"{prefix}/checkout", paying.begin, methods=["POST"]),
        Route(f"{prefix}/paid", paying.paid, methods=["GET"]),
        Route(f"{prefix}/paid", paying.disclaim, methods=["POST"]),
        Route(f"{prefix}/subscription", subscribing.change, methods=["POST"]),
        Route(f"{prefix}/provider/{{name}}/{{path:path}}", paying.provider, methods=["GET", "POST"]),
        Route(f"{prefix}/hold/{{hold}}", releasing.release, methods=["GET"]),
        Route(f"{prefix}/me", standing.me, methods=["GET"]),
        Route(f"{prefix}/notice.css", notice_style, methods=["GET"]),
        Route(f"{prefix}/overlay.js", overlay.script, methods=["GET"]),
        Route(f"{prefix}/overlay.mjs", overlay.script, methods=["GET"]),
        Route(f"{prefix}/overlay.d.mts", overlay.script, methods=["GET"]),
        Route(f"{prefix}/overlay.json", overlay.words, methods=["GET"]),
        Route(f"{prefix}/back", paying.back, methods=["GET"]),
        Route(f"{prefix}/problems/{{reason}}", standing.problem, methods=["GET"]),
        Route(f"{prefix}/health/live", standing.live, methods=["GET"]),
        Route(f"{prefix}/health/ready", standing.ready, methods=["GET"]),
    ]

    site = Starlette(routes=routes, exception_handlers=_handlers(faces))
    # A redirect of Starlette's would carry neither our reason nor our caching.
    site.router.redirect_slashes = False
    return _in_named_language(site, faces)


def _handlers(faces: Faces) -> Handlers:
    """What is answered where a page can't be made."""

    def refuse(
        request: Request, status: int, reason: Reason, detail: str | Sentence, more: OwnHeaders = ()
    ) -> Response:
        return as_response(faces.refuse(status, reason, detail, list(request.scope["headers"]), list(more)))

    async def on_http(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        if status == 405:
            allowed = error.headers or {} if isinstance(error, HTTPException) else {}
            more = [(b"allow", allowed.get("Allow", "").encode("ascii"))]
            return refuse(
                request,
                405,
                Reason.METHOD_NOT_ALLOWED,
                Sentence("This address does not take %(method)s.", {"method": request.method}),
                more,
            )
        return refuse(request, status, Reason.NOT_FOUND, phrase("The gateway has nothing at this address."))

    async def on_error(request: Request, error: Exception) -> Response:
        # Starlette raises the error again behind this answer; the gate tells it to the operator.
        detail = phrase(
            "It is not your fault, and nothing was counted twice. Try again; if it stays, tell the service."
        )
        return refuse(request, 500, Reason.INTERNAL, detail)

    async def on_store(request: Request, error: Exception) -> Response:
        detail = phrase("The page can't be made for a moment; nothing is lost. Try again in a second.")
        return refuse(request, 503, Reason.STORE_UNAVAILABLE, detail, [(b"retry-after", b"1")])

    async def on_denied(request: Request, error: Exception) -> Response:
        assert isinstance(error, Denied)
        return as_response(error.answer)

    return {Exception: on_error, HTTPException: on_http, StoreUnavailable: on_store, Denied: on_denied}


def _in_named_language(site: ASGIApp, faces: Faces) -> ASGIApp:
    """The pages, in the language that their address names (`?lang=de`), if it names one."""

    async def named(scope: Scope, receive: Receive, send: Send) -> None:
        headers = faces.languages.named_by(scope["query_string"], scope["headers"])
        await site({**scope, "headers": headers}, receive, send)

    return named
