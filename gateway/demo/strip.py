"""The strip on top of every page of the demo: who one is, who one could be.

It wraps the gateway from outside, so that the gateway in the demo is the gateway as it always is.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Awaitable, Callable
from html import escape
from typing import Any

from gateway.core.header import Headers, first, media_type_of
from gateway.demo.personas import COOKIE, PERSONAS, current, new_person
from gateway.web.answers import PRIVATE

PREFIX = b"/_demo/"
START = "/flights/flights"
SEARCH_BYTES_LIMIT = 64 * 1024

STYLE = """
.paywall-strip{all:initial;display:block;font:14px/1.45 system-ui,sans-serif;color:#f4f2ec;background:#23303b;
padding:8px 16px}
.paywall-strip *{font:inherit;color:inherit}
.paywall-strip .row{display:flex;flex-wrap:wrap;gap:4px 6px;align-items:center}
.paywall-strip .lead{margin-inline-end:6px;opacity:.85}
.paywall-strip a,.paywall-strip a:link,.paywall-strip a:visited{color:#f4f2ec;
display:inline-block;padding:5px 12px;border-radius:999px;border:1px solid #5b6b78;
text-decoration:none}
.paywall-strip a:hover,.paywall-strip a:focus-visible{background:#3a4b59;outline:2px solid #ffd479;outline-offset:1px}
.paywall-strip a[aria-current],.paywall-strip a[aria-current]:link,.paywall-strip a[aria-current]:visited{
background:#ffd479;color:#23303b;border-color:#ffd479;font-weight:600}
.paywall-strip .hint{margin:4px 0 0;opacity:.9}
@media print{.paywall-strip{display:none}}
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode("ascii")

Prepare = Callable[[str], Awaitable[None]]


class Strip:
    """The gateway with the strip around it."""

    def __init__(self, gateway: Any, prepare: Prepare) -> None:
        self._gateway = gateway
        self._prepare = prepare

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Switch persons, or pass the request on as the current one and put the strip into the page."""
        if scope["type"] not in ("http", "websocket"):
            await self._gateway(scope, receive, send)
            return
        if scope["type"] == "http" and scope["raw_path"].startswith(PREFIX):
            await self._switch(scope["raw_path"].removeprefix(PREFIX).decode("latin-1"), send)
            return
        person = current(first(scope["headers"], b"cookie"))
        fresh = not person
        person = person or new_person("trial")
        scope["headers"] = _as_person(scope["headers"], person)
        if scope["type"] == "http":
            send = Insertion(send, person.partition("-")[0], _cookie(person) if fresh else b"").send
        await self._gateway(scope, receive, send)

    async def _switch(self, persona: str, send: Any) -> None:
        known = any(persona == each.name for each in PERSONAS)
        headers: Headers = [PRIVATE, (b"content-length", b"0"), (b"location", START.encode())]
        if known:
            person = new_person(persona)
            await self._prepare(person)
            headers.append((b"set-cookie", _cookie(person)))
        await send({"type": "http.response.start", "status": 303 if known else 404, "headers": headers})
        await send({"type": "http.response.body", "body": b""})


class Insertion:
    """Puts the strip behind the `<body>` tag of a page; everything else passes as it is."""

    def __init__(self, send: Any, persona: str, cookie: bytes) -> None:
        self._send, self._persona, self._cookie = send, persona, cookie
        self._start: Any = None
        self._held = b""

    async def send(self, event: Any) -> None:
        """An event of the gateway's answer."""
        if event["type"] == "http.response.start":
            if self._cookie:
                event = {**event, "headers": [*event["headers"], (b"set-cookie", self._cookie)]}
            if _is_page(event["headers"]):
                self._start = event
                return
        elif self._start is not None:
            await self._look(event)
            return
        await self._send(event)

    async def _look(self, event: Any) -> None:
        self._held += event.get("body", b"")
        more = event.get("more_body", False)
        position = _behind_body_tag(self._held)
        if position is None and more and len(self._held) < SEARCH_BYTES_LIMIT:
            return
        start, self._start = self._start, None
        body = self._held
        if position is not None:
            strip = render(self._persona)
            body = body[:position] + strip + body[position:]
            start = {**start, "headers": _with_strip(start["headers"], len(strip))}
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body, "more_body": more})


def render(persona: str) -> bytes:
    """The strip, as seen by this persona."""
    links = "".join(
        f'<a href="/_demo/{each.name}"{" aria-current=true" if each.name == persona else ""}>{escape(each.label)}</a>'
        for each in PERSONAS
    )
    hint = next((each.hint for each in PERSONAS if each.name == persona), "")
    return (
        f'<style>{STYLE}</style><nav class="paywall-strip" aria-label="Demo: look as"><div class="row">'
        f'<span class="lead">Paywall Gateway demo. Look as:</span>{links}</div>'
        f'<p class="hint">{escape(hint)}</p></nav>'
    ).encode()


def _as_person(headers: Headers, person: str) -> Headers:
    kept = [pair for pair in headers if pair[0] not in (b"x-demo-person", b"accept-encoding")]
    return [*kept, (b"x-demo-person", person.encode("ascii")), (b"accept-encoding", b"identity")]


def _cookie(person: str) -> bytes:
    return COOKIE + b"=" + person.encode("ascii") + b"; Path=/; HttpOnly; SameSite=Lax"


def _is_page(headers: Headers) -> bool:
    return media_type_of(first(headers, b"content-type")) == "text/html" and not first(headers, b"content-encoding")


def _behind_body_tag(html: bytes) -> int | None:
    start = html.lower().find(b"<body")
    end = html.find(b">", start) if start >= 0 else -1
    return end + 1 if end >= 0 else None


def _with_strip(headers: Headers, added: int) -> Headers:
    changed: Headers = []
    for name, value in headers:
        if name == b"content-length":
            value = b"%d" % (int(value) + added)
        elif name == b"content-security-policy":
            value = value.replace(b"style-src ", b"style-src 'sha256-" + _STYLE_HASH.encode() + b"' ")
        changed.append((name, value))
    return changed
