"""Render the gateway's HTML pages: one style sheet inside the page, no script, nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from gateway.core.header import Headers
from gateway.core.reason import Reason
from gateway.web.answers import OwnAnswer
from gateway.web.runtime import Site

_TURNS = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
"""The characters that turn the direction of the text after them (UAX 9): they make `fdp.exe` read `exe.pdf`."""


def _upright(value: object) -> object:
    """Whatever a template writes, without the characters that could turn the page's own words around."""
    return value.translate(_TURNS) if isinstance(value, str) else value


class Pages:
    """The templates of one config."""

    def __init__(self, site: Site, prefix: str) -> None:
        self._environment = Environment(
            loader=PackageLoader("gateway.web"),
            autoescape=select_autoescape(default=True, default_for_string=True),
            undefined=StrictUndefined,
            finalize=_upright,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        style = files("gateway.web").joinpath("templates/style.css").read_text("utf-8")
        contact = site.contact_link
        self._shared = {"site": site, "contact": contact, "prefix": prefix, "style": style, "lang": "en", "dir": "ltr"}
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii")
        self._policy = (
            f"default-src 'none'; style-src 'sha256-{digest}'; img-src 'self' data:; base-uri 'none'; "
            "frame-ancestors 'none'; form-action 'self'"
        )

    def answer(
        self,
        template: str,
        context: Mapping[str, object],
        status: int,
        reason: Reason,
        headers: Headers | None = None,
        form_origins: tuple[str, ...] = (),
    ) -> OwnAnswer:
        """A page. `form_origins` are where its forms may lead by redirect (a provider's checkout)."""
        body = self._environment.get_template(template).render({**self._shared, **context})
        policy = " ".join([self._policy, *form_origins])
        head: Headers = [
            (b"content-type", b"text/html; charset=utf-8"),
            (b"content-security-policy", policy.encode("ascii")),
            (b"referrer-policy", b"same-origin"),
            *(headers or []),
        ]
        return OwnAnswer(status, reason, head, body.encode())

    def dress(self, own: OwnAnswer, origins: tuple[str, ...] = ()) -> OwnAnswer:
        """A provider's HTML fragment (`<title>`, then the content) as one of our pages, under the same policy; with
        `origins` that of a page which scripts of theirs and of our own may fill."""
        fragment = own.body.decode("utf-8")
        title, _, content = fragment.partition("\n")
        context = {"title": title, "content": content}
        dressed = self.answer("provider.html", context, own.status, own.reason)
        head = [
            (name, _scripted(origins) if origins and name == b"content-security-policy" else value)
            for name, value in dressed.headers
        ]
        kept = [pair for pair in own.headers if pair[0] not in (b"content-type", b"content-length")]
        return OwnAnswer(dressed.status, dressed.reason, [*head, *kept], dressed.body)


def _scripted(origins: tuple[str, ...]) -> bytes:
    """The policy of a page that is filled by scripts of these origins, with whatever these load from there."""
    theirs = " ".join(origins)
    # Such scripts write styles of their own into the page, which no hash can name beforehand.
    return (
        f"default-src 'none'; script-src 'self' {theirs}; style-src 'unsafe-inline' {theirs}; "
        f"img-src 'self' data: {theirs}; font-src {theirs}; connect-src {theirs}; frame-src {theirs}; "
        "base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
    ).encode("ascii")
