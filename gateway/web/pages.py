"""Render the gateway's HTML pages: one style sheet inside the page, no script, nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from functools import lru_cache

from jinja2 import Environment, StrictUndefined, pass_context, select_autoescape
from jinja2.runtime import Context

from gateway.core.header import Headers, first
from gateway.core.reason import Reason
from gateway.core.wording import LANGUAGES
from gateway.language.language import ENGLISH, Language, language
from gateway.web.answers import OwnAnswer, language_header
from gateway.web.own_templates import loader, style_sheet
from gateway.web.runtime import Site
from gateway.web.theme import theme_style

_TURNS = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
"""The characters that turn the direction of the text after them (UAX 9): they make `fdp.exe` read `exe.pdf`."""


_REPLACED = (b"content-type", b"content-length", b"content-language")
"""Headers of a provider's fragment that do not hold for the page it becomes a part of."""


def _upright(value: object) -> object:
    """Whatever a template writes, without the characters that could turn the page's own words around."""
    return value.translate(_TURNS) if isinstance(value, str) else value


@pass_context
def _gettext(context: Context, message: str) -> str:
    return _language(context).sentences.gettext(message)


@pass_context
def _ngettext(context: Context, one: str, many: str, number: int) -> str:
    return _language(context).sentences.ngettext(one, many, number)


@pass_context
def _kept(context: Context, address: str) -> str:
    """The address of a link; of one to a page of ours, that of the page in the language that was asked for."""
    return _language(context).keep(address, context["prefix"])


def _language(context: Context) -> Language:
    spoken = context["language"]
    assert isinstance(spoken, Language)
    return spoken


def environment_for(folder: str) -> Environment:
    """How templates are read: the owner's in this folder before ours, or ours alone."""
    environment = Environment(
        loader=loader(folder),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        finalize=_upright,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n"],
    )
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_callables(  # type: ignore[attr-defined] # of the extension
        _gettext, _ngettext, newstyle=True
    )
    environment.filters["kept"] = _kept
    return environment


class Pages:
    """The templates of one config."""

    def __init__(self, site: Site, prefix: str, complain: Callable[[str], None] = lambda line: None) -> None:
        """`complain` tells the operator of a template of the owner's that can't be shown."""
        self._environment, self._ours = environment_for(site.templates), environment_for("")
        self._complain = lru_cache(maxsize=64)(complain)
        style = "\n".join(filter(None, (style_sheet(site.templates), theme_style(site.theme))))
        self._site = site
        self._shared = {"site": site, "contact": site.contact_link, "prefix": prefix, "style": style}
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
        language: Language = ENGLISH,
    ) -> OwnAnswer:
        """A page in this language. `form_origins` are where its forms may lead by redirect (a provider's checkout)."""
        service = language.own(self._site.name)
        shared = {**self._shared, "language": language, "service": service}
        body = self._render(template, {**shared, **context})
        policy = " ".join([self._policy, *form_origins])
        head: Headers = [
            (b"content-type", b"text/html; charset=utf-8"),
            (b"content-security-policy", policy.encode("ascii")),
            (b"referrer-policy", b"same-origin"),
            language_header(language),
            *(headers or []),
        ]
        return OwnAnswer(status, reason, head, body.encode())

    def _render(self, template: str, context: Mapping[str, object]) -> str:
        if not self._site.templates:
            return self._ours.get_template(template).render(context)
        try:
            return self._environment.get_template(template).render(context)
        except Exception as error:  # whatever a template of the owner's raises: people are to see an offer all the same
            self._complain(
                f"the template {template} in {self._site.templates} can't be shown, so ours is: "
                f"{type(error).__name__}: {error}"
            )
            return self._ours.get_template(template).render(context)

    def dress(self, own: OwnAnswer, origins: tuple[str, ...] = ()) -> OwnAnswer:
        """A provider's HTML fragment (`<title>`, then the content) as one of our pages, under the same policy; with
        `origins` that of a page which scripts of theirs and of our own may fill. It is in English, unless its
        `Content-Language` is another language that the gateway speaks."""
        tag = first(own.headers, b"content-language").decode("latin-1")
        fragment = own.body.decode("utf-8")
        title, _, content = fragment.partition("\n")
        context = {"title": title, "content": content}
        spoken = language(tag) if tag in LANGUAGES else ENGLISH
        dressed = self.answer("provider.html", context, own.status, own.reason, language=spoken)
        head = [
            (name, _scripted(origins) if origins and name == b"content-security-policy" else value)
            for name, value in dressed.headers
        ]
        kept = [pair for pair in own.headers if pair[0] not in _REPLACED]
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
