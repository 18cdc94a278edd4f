"""The notice: a few words in the application's own pages, for people to know where they stand and what comes.

It stands in the flow of the page, at its end, and covers nothing. It needs no script and no inline style: a style sheet
of ours where the page's policies let it in, else nothing but HTML that takes the colours of the page.

The script of the overlay is put into pages in the same way, where the config says so.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from importlib.resources import files
from urllib.parse import urlsplit

from markupsafe import Markup

from gateway.access.notice import notice_of, quiet_until
from gateway.core.header import Headers, first
from gateway.core.reason import Reason
from gateway.core.rule import NoticeShow, OverlayPlace
from gateway.core.standing import Standing, SubjectState
from gateway.html.coding import GzipPage
from gateway.html.head import changed_head, coding_of, forbids_change
from gateway.html.page import Page, Snippet
from gateway.html.script_policy import lets_script_in
from gateway.html.style_policy import lets_style_in
from gateway.language.catalogue import phrase
from gateway.language.choice import Languages
from gateway.language.language import Language
from gateway.ports.upstream import Answer
from gateway.web.answers import OwnAnswer, wants_page
from gateway.web.changed_page import ChangedPage
from gateway.web.message import Message
from gateway.web.offer_view import instant
from gateway.web.overlay.script import scripts
from gateway.web.patience import Patience
from gateway.web.runtime import Runtime

REMEMBERED = 200_000
_STYLE_SECONDS = 7 * 86_400
_OF_A_PART = frozenset(
    {
        b"range", b"x-requested-with", b"hx-request", b"turbo-frame", b"x-turbo-request-id", b"x-pjax", b"x-inertia",
        b"x-up-version", b"x-up-target",
    }
)  # fmt: skip
"""Whoever sends one of these puts the answer into a page that is there already, or has a part of it."""

_IN_TRIAL = (
    phrase("Your trial ends %(when)s. Then browsing stays open, and results need a plan."),
    phrase("Your trial ends %(when)s. Then browsing stays open, and results beyond the free ones need a plan."),
)
_WITHOUT_TRIAL = (
    phrase("Browsing is open, results need a plan."),
    phrase("Browsing is open, results beyond the free ones need a plan."),
)
_AFTER_TRIAL = (
    phrase("Your trial is over: browsing stays open, results need a plan."),
    phrase("Your trial is over: browsing stays open, results beyond the free ones need a plan."),
)
"""What is said, where no results are free and where some are."""


class Notices:
    """The notices of one config."""

    def __init__(self, runtime: Runtime, languages: Languages) -> None:
        policy = runtime.policy
        self._runtime, self._show, self._languages = runtime, policy.notice, languages
        self._script = b""
        if policy.overlay is OverlayPlace.INJECT:
            # Not deferred: it watches before the page's modules and deferred scripts begin.
            version = scripts()["overlay.js"].version
            self._script = f'<script src="{runtime.prefix}/overlay.js?v={version}"></script>'.encode("ascii")
        self._is_off = self._show is NoticeShow.NEVER and not self._script
        self.patience = Patience()
        """For reading where somebody stands: no page waits long for its notice."""
        self._quiet: dict[int, int] = {}
        """Whoever has nothing to be told (`IdentityChain.trace`), and until when: they are not made to wait for it."""
        self._some_are_free = any(rule.grace.count for rule in (*policy.rules, policy.default_result))
        self._vary = ", ".join(filter(None, (languages.vary, runtime.identities.vary)))
        self._style = files("gateway.web").joinpath("templates/notice.css").read_bytes()
        self._version = hashlib.sha256(self._style).hexdigest()[:12]
        self._own_host = urlsplit(runtime.public_url).netloc.lower().encode("ascii")

    def may_be_due(self, message: Message) -> bool:
        """Whether the answer may be a page with a notice, as far as can be said without asking the store."""
        if self._is_off or not _asks_for_page(message):
            return False
        trace = self._runtime.identities.trace(message.headers)
        return bool(trace) and self._quiet.get(trace, 0) <= self._runtime.now()

    def words(self, state: SubjectState, message: Message) -> Snippet | None:
        """What somebody who stands here is to be told on a page; None where that is nothing."""
        if self._is_off or not _asks_for_page(message):
            return None
        now = self._runtime.now()
        standing = notice_of(self._show, state, now)
        # In the trial too: it may end while the page stays open.
        script = b"" if state.standing(0, now) is Standing.ENTITLED else self._script
        if standing is None and not script:
            if len(self._quiet) >= REMEMBERED:
                self._quiet.clear()
            self._quiet[self._runtime.identities.trace(message.headers)] = quiet_until(state, now)
            return None
        if standing is None:
            return Snippet(b"", b"", script)
        language = self._languages.of(message.headers)
        return replace(self._snippet(self._sentence(standing, state, now, language), language), script=script)

    def put_into(self, answer: Answer, headers: Headers, snippet: Snippet, message: Message) -> tuple[Answer, Headers]:
        """The answer with these words in it, and the head that it has then. `html.head.is_changeable` it must be."""
        scripted = bool(snippet.script) and lets_script_in(headers)
        if not scripted and not snippet.plain:
            return answer, headers
        forwarded = first(message.headers, b"x-forwarded-host").partition(b",")[0].strip()
        hosts = frozenset({message.host.lower(), forwarded.lower(), self._own_host} - {b""})
        page = Page(snippet, hosts, lets_style_in(headers), scripted)
        coded = GzipPage(page) if coding_of(headers) else page
        headers = changed_head(headers, self._vary)
        return ChangedPage(answer, coded, headers), headers

    def style_sheet(self, version: str) -> OwnAnswer:
        """How a notice looks. Its address in the notice changes with it, so it may be kept, but no other for it."""
        keep = f"public, max-age={_STYLE_SECONDS}, immutable" if version == self._version else "no-cache"
        headers = [(b"content-type", b"text/css; charset=utf-8"), (b"cache-control", keep.encode("ascii"))]
        return OwnAnswer(200, Reason.PAGE, headers, self._style)

    def _sentence(self, standing: Standing, state: SubjectState, now: int, language: Language) -> Markup:
        if standing is Standing.TRIAL:
            left = language.time_left(state.trial_ends - now)
            when = Markup('<time datetime="{}">{}</time>').format(instant(state.trial_ends), left)
            return language.mark_up(_IN_TRIAL[self._some_are_free], when=when)
        sentences = _AFTER_TRIAL if self._runtime.policy.trial.length_ms else _WITHOUT_TRIAL
        return language.mark_up(sentences[self._some_are_free])

    def _snippet(self, sentence: Markup, language: Language) -> Snippet:
        prefix = self._runtime.prefix
        link = Markup('<a href="{}/offer" target="_self">{}</a>').format(prefix, language.say("See the offer"))
        start = Markup('<div class="paywall-notice" role="region" aria-label="{}" lang="{}" dir="{}">').format(
            language.say("Your access"), language.tag, language.direction
        )
        style = Markup('<link rel="stylesheet" href="{}/notice.css?v={}">').format(prefix, self._version)
        rest = Markup("<hr><p>{} {}</p></div>").format(sentence, link)
        return Snippet(_in_ascii(start + style + rest), _in_ascii(start + rest))


def _in_ascii(text: Markup) -> bytes:
    """For pages in any character set: what ASCII does not have, by its number."""
    return text.encode("ascii", "xmlcharrefreplace")


def _asks_for_page(message: Message) -> bool:
    """Whether a browser goes to a page of its own, or a client that does not say so asks for HTML."""
    headers = message.headers
    if message.method != "GET" or message.length != 0 or message.overrides:
        return False
    if first(headers, b"sec-fetch-dest") not in (b"", b"document") or not wants_page(headers):
        return False
    return _OF_A_PART.isdisjoint(name for name, _ in headers) and not forbids_change(headers)
