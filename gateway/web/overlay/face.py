"""What the overlay asks the gateway for: its script and its words."""

from __future__ import annotations

import json

from starlette.requests import Request
from starlette.responses import Response

from gateway.core.header import Headers, first
from gateway.core.reason import Reason
from gateway.html.head import coding_to_ask_for
from gateway.web.answers import OwnAnswer
from gateway.web.overlay.script import Script, scripts
from gateway.web.overlay.words import DIRECTION, LANGUAGE, WORDS
from gateway.web.person import as_response
from gateway.web.runtime import Runtime

_KEEP_SECONDS = 7 * 86_400


class Overlay:
    """The overlay's addresses under the prefix. Nothing there is about anybody."""

    def __init__(self, runtime: Runtime) -> None:
        self._site = runtime.site
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
