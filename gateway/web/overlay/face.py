"""What the overlay asks the gateway for: its script, its words, and the page that the payment window ends at."""

from __future__ import annotations

import json
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from gateway.core.header import Headers, first
from gateway.core.reason import Reason
from gateway.html.head import coding_to_ask_for
from gateway.web.answers import OwnAnswer
from gateway.web.faces import Faces
from gateway.web.overlay.script import Script, scripts
from gateway.web.overlay.words import DIRECTION, LANGUAGE, WORDS
from gateway.web.person import as_response
from gateway.web.runtime import Runtime

_KEEP_SECONDS = 7 * 86_400


class Overlay:
    """The overlay's addresses under the prefix. Nothing there is about anybody."""

    def __init__(self, runtime: Runtime, faces: Faces) -> None:
        self._prefix, self._faces, self._site = runtime.prefix, faces, runtime.site
        self._providers = [
            {"name": name, "label": provider.label} for name, provider in runtime.cashier.providers.items()
        ]

    async def script(self, request: Request) -> Response:
        """GET overlay.js, overlay.mjs, overlay.d.mts. With its version in the address it may be kept for ever."""
        script = scripts()[request.url.path.rpartition("/")[2]]
        return as_response(script_answer(script, request.query_params.get("v", ""), request.scope["headers"]))

    async def words(self, request: Request) -> Response:
        """GET overlay.json?lang=…: what the overlay says, the reasons to choose from, the ways to pay."""
        content = {
            "lang": LANGUAGE,
            "dir": DIRECTION,
            **WORDS,
            "reasons": [{"id": each.id, "text": each.text} for each in self._site.reasons],
            "providers": self._providers,
            "contact": self._site.contact_link,
        }
        body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
        return as_response(OwnAnswer(200, Reason.PAGE, [(b"content-type", b"application/json")], body))

    async def back(self, request: Request) -> Response:
        """GET back?checkout=…: where a payment window ends. It is nobody's: the window may not know who opened it."""
        checkout = request.query_params.get("checkout", "")
        context = back_page(self._prefix, checkout)
        return as_response(self._faces.pages.answer("message.html", context, 200, Reason.PAGE))


def script_answer(script: Script, version: str, headers: Headers) -> OwnAnswer:
    """The script, in gzip for whoever takes it."""
    keep = f"public, max-age={_KEEP_SECONDS}, immutable" if version == script.version else "no-cache"
    coded = coding_to_ask_for(first(headers, b"accept-encoding")) == b"gzip"
    head: Headers = [
        (b"content-type", script.media_type.encode("ascii")),
        (b"cache-control", keep.encode("ascii")),
        (b"vary", b"accept-encoding"),
        (b"cross-origin-resource-policy", b"same-origin"),
    ]
    if coded:
        head.append((b"content-encoding", b"gzip"))
    return OwnAnswer(200, Reason.PAGE, head, script.zipped if coded else script.plain)


def back_page(prefix: str, checkout: str) -> dict[str, object]:
    """What is said to whoever comes back from a provider in a window of its own."""
    links: list[dict[str, object]] = []
    if checkout:
        address = f"{prefix}/paid?checkout={quote(checkout, safe='')}"
        links = [{"address": address, "text": "That page is gone: see what became of the payment", "primary": False}]
    return {
        "title": "You can close this window",
        "detail": "The page that you came from is still open, and goes on by itself. If you have paid, it notices "
        "within a few seconds.",
        "facts": {},
        "code": "",
        "refresh": "",
        "links": links,
    }
