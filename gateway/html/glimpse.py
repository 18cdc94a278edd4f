"""Look at a page as it passes for what decides on a snippet: its byte order mark, a policy of its own, where its links
lead. Nothing is held up by it, and a few bytes are kept."""

from __future__ import annotations

import re

_WIDE = (b"\xfe\xff", b"\xff\xfe")
"""How UTF-16 begins, and UTF-32 in one of its orders; it wins over any header (Encoding Standard)."""
_POLICY = b"content-security-policy"
_BASE = re.compile(rb"<base[\s/]")
_BASE_LIMIT = 2048
"""A longer tag is read as one that leads elsewhere."""
_ABSOLUTE = re.compile(
    rb"""[\s/"']href\s*=\s*["']?\s*(?:[a-z][a-z0-9+.-]*:|(?=[/\\]{2}))(?:[/\\]{2})?([^/\\?#\s"'>]*)"""
)
"""A `href` with a scheme or two slashes, and the host it names."""


class Glimpse:
    """What one page has said of itself so far. It does not matter how it was cut into pieces."""

    __slots__ = ("_base_read", "_hosts", "_kept", "_start", "own_policy", "usable")

    def __init__(self, hosts: frozenset[bytes]) -> None:
        """`hosts` are the names, lower case and with their port, by which the page may have been asked for."""
        self._hosts = hosts
        self._start = b""
        self._kept = b""
        self._base_read = False
        self.own_policy = False
        """Whether it may bring a Content-Security-Policy in a `<meta>`."""
        self.usable = False
        """Whether there is a page, ASCII can be read in it, and links in it lead to where they say."""

    def see(self, data: bytes) -> None:
        """The next piece."""
        if len(self._start) < 2 and data:
            self._start = (self._start + data)[:2]
            self.usable = self._start not in _WIDE
        text = self._kept + data.lower()
        self.own_policy = self.own_policy or _POLICY in text
        self._kept = text[-len(_POLICY) :]
        if not self._base_read:
            self._look_for_base(text)

    def _look_for_base(self, text: bytes) -> None:
        # The first `<base>` with a `href` counts, wherever it stands.
        for begun in _BASE.finditer(text):
            tag, closed, _ = text[begun.start() : begun.start() + _BASE_LIMIT].partition(b">")
            if not closed and len(tag) < _BASE_LIMIT:
                self._kept = max(tag, self._kept, key=len)
                return
            if not closed or b"href" in tag:
                self._base_read = True
                absolute = _ABSOLUTE.search(tag)
                leads_here = absolute is None or absolute[1] in self._hosts
                self.usable = self.usable and closed == b">" and leads_here
                return
