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

from gateway.access.notice import notice_of, quiet_until
from gateway.core.header import Headers, first
from gateway.core.quantity import DAY, HOUR, MINUTE
from gateway.core.reason import Reason
from gateway.core.rule import NoticeShow, OverlayPlace
from gateway.core.standing import Standing, SubjectState
from gateway.html.coding import GzipPage
from gateway.html.head import changed_head, coding_of, forbids_change
from gateway.html.page import Page, Snippet
from gateway.html.script_policy import lets_script_in
from gateway.html.style_policy import lets_style_in
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


class Notices:
    """The notices of one config."""

    def __init__(self, runtime: Runtime) -> None:
        policy = runtime.policy
        self._runtime, self._show = runtime, policy.notice
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
        grace = any(rule.grace.count for rule in (*policy.rules, policy.default_result))
        self._results = "results beyond the free ones" if grace else "results"
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
        return replace(self._snippet(self._sentence(standing, state, now)), script=script)

    def put_into(self, answer: Answer, headers: Headers, snippet: Snippet, message: Message) -> tuple[Answer, Headers]:
        """The answer with these words in it, and the head that it has then. `html.head.is_changeable` it must be."""
        scripted = bool(snippet.script) and lets_script_in(headers)
        if not scripted and not snippet.plain:
            return answer, headers
        forwarded = first(message.headers, b"x-forwarded-host").partition(b",")[0].strip()
        hosts = frozenset({message.host.lower(), forwarded.lower(), self._own_host} - {b""})
        page = Page(snippet, hosts, lets_style_in(headers), scripted)
        coded = GzipPage(page) if coding_of(headers) else page
        headers = changed_head(headers, self._runtime.identities.vary)
        return ChangedPage(answer, coded, headers), headers

    def style_sheet(self, version: str) -> OwnAnswer:
        """How a notice looks. Its address in the notice changes with it, so it may be kept, but no other for it."""
        keep = f"public, max-age={_STYLE_SECONDS}, immutable" if version == self._version else "no-cache"
        headers = [(b"content-type", b"text/css; charset=utf-8"), (b"cache-control", keep.encode("ascii"))]
        return OwnAnswer(200, Reason.PAGE, headers, self._style)

    def _sentence(self, standing: Standing, state: SubjectState, now: int) -> str:
        if standing is Standing.TRIAL:
            when = f'<time datetime="{instant(state.trial_ends)}">{time_left(state.trial_ends - now)}</time>'
            return f"Your trial ends {when}. Then browsing stays open, and {self._results} need a plan."
        if not self._runtime.policy.trial.length_ms:
            return f"Browsing is open, {self._results} need a plan."
        return f"Your trial is over: browsing stays open, {self._results} need a plan."

    def _snippet(self, sentence: str) -> Snippet:
        prefix = self._runtime.prefix
        link = f'<a href="{prefix}/offer" target="_self">See the offer</a>'
        start = '<div class="paywall-notice" role="region" aria-label="Your access" lang="en" dir="ltr">'
        style = f'<link rel="stylesheet" href="{prefix}/notice.css?v={self._version}">'
        rest = f"<hr><p>{sentence} {link}</p></div>"
        return Snippet((start + style + rest).encode("ascii"), (start + rest).encode("ascii"))


def _asks_for_page(message: Message) -> bool:
    """Whether a browser goes to a page of its own, or a client that does not say so asks for HTML."""
    headers = message.headers
    if message.method != "GET" or message.length != 0 or message.overrides:
        return False
    if first(headers, b"sec-fetch-dest") not in (b"", b"document") or not wants_page(headers):
        return False
    return _OF_A_PART.isdisjoint(name for name, _ in headers) and not forbids_change(headers)


def time_left(milliseconds: int) -> str:
    """`in 14 days`, rounded down; what lacks but a twenty-fourth of a unit counts as whole, as on the first day."""
    for unit, name in ((DAY, "days"), (HOUR, "hours"), (MINUTE, "minutes")):
        count = (milliseconds + unit // 24) // unit
        if count >= 2:
            return f"in {count} {name}"
    return "within two minutes"
