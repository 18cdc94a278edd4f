"""What the overlay asks the gateway for: its script and its words."""

from __future__ import annotations

import json

from starlette.requests import Request
from starlette.responses import Response

from gateway.core.header import Headers, first
from gateway.core.reason import Reason
from gateway.html.head import coding_to_ask_for
from gateway.language.choice import Languages
from gateway.web.answers import OwnAnswer
from gateway.web.fact_words import FACTS, fact_name
from gateway.web.overlay.script import Script, scripts
from gateway.web.overlay.words import WORDS
from gateway.web.person import as_response
from gateway.web.runtime import Runtime

_KEEP_SECONDS = 7 * 86_400


class Overlay:
    """The overlay's addresses under the prefix. Nothing there is about anybody."""

    def __init__(self, runtime: Runtime, languages: Languages) -> None:
        self._site, self._languages = runtime.site, languages
        self._providers = tuple((name, provider.label) for name, provider in runtime.cashier.providers.items())

    async def script(self, request: Request) -> Response:
        """GET overlay.js, overlay.mjs, overlay.d.mts. With its version in the address it may be kept for ever."""
        script = scripts()[request.url.path.rpartition("/")[2]]
        return as_response(script_answer(script, request.query_params.get("v", ""), request.scope["headers"]))

    async def words(self, request: Request) -> Response:
        """GET overlay.json: what the overlay says, the reasons to choose from, the ways to pay."""
        language = self._languages.of(request.scope["headers"])
        content = {
            "lang": language.tag,
            "dir": language.direction,
            **{name: language.say(text) for name, text in WORDS.items()},
            "facts": {name: fact_name(name, language) for name in FACTS},
            "reasons": [{"id": each.id, "text": language.own(each.text)} for each in self._site.reasons],
            "providers": [{"name": name, "label": language.say(label)} for name, label in self._providers],
            "contact": self._site.contact_link,
        }
        body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
        head: Headers = [(b"content-type", b"application/json"), (b"content-language", language.tag.encode("ascii"))]
        if self._languages.vary:
            head.append((b"vary", self._languages.vary.encode("ascii")))
        return as_response(OwnAnswer(200, Reason.PAGE, head, body))


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
