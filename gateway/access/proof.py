"""A right to results that its holder carries along: whoever has paid is let through while the store is away.

The proof is a cookie, given with results to clients that keep cookies, and looked at only where the store does not
answer. It names no subject and is good for one alone: whoever it is from is proven as always.
"""

from __future__ import annotations

import re

from gateway.core.header import Headers
from gateway.core.keyring import same, tag
from gateway.core.quantity import MINUTE
from gateway.core.standing import SubjectState
from gateway.core.subject import Subject

GOOD_MS = 15 * MINUTE
"""How long a proof is good at most: what an operator takes away meanwhile is still had while the store is away."""
RENEWED_MS = 5 * MINUTE
"""A proof older than this is replaced by a new one with the next result."""
COOKIE = b"paywall_right"

_TEXT = re.compile(rb"(?:^|;)[ \t]*" + COOKIE + rb"=([0-9]{1,15})\.([0-9]{1,15})\.([A-Za-z0-9_-]{20})[ \t]*(?=;|$)")


class Proofs:
    """Makes and reads them."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def renewed(self, subject: Subject, state: SubjectState, headers: Headers, *, secure: bool, now: int) -> bytes:
        """The `set-cookie` value for the answer to a request with these headers; empty where none is due: for clients
        that keep no cookies, without a right by date, or with a young proof at hand."""
        if state.entitled_until <= now:
            return b""
        cookies = b";".join([value for name, value in headers if name == b"cookie"])
        if not cookies and not any(name == b"sec-fetch-mode" for name, _ in headers):
            return b""
        found = _TEXT.search(cookies)
        # Not looked into any further: a forged one is of no use, and deprives nobody else.
        if found is not None and 0 <= now - int(found[2]) < RENEWED_MS:
            return b""
        until = min(state.entitled_until, now + GOOD_MS)
        value = f"{until}.{now}.{self._mac(subject, until, now)}"
        more = "; Secure" if secure else ""
        return f"{COOKIE.decode()}={value}; Path=/; Max-Age={GOOD_MS // 1000}; HttpOnly; SameSite=Lax{more}".encode()

    def good_until(self, subject: Subject, headers: Headers, now: int) -> int:
        """The instant up to which a proof among the cookies shows a right of this subject; 0 where none does."""
        best = 0
        for name, value in headers:
            if name != b"cookie":
                continue
            for until, issued, mac in _TEXT.findall(value):
                last, first = int(until), int(issued)
                is_fresh = first <= now + MINUTE and now < last <= first + GOOD_MS
                if is_fresh and same(mac, self._mac(subject, last, first)):
                    best = max(best, last)
        return best

    def _mac(self, subject: Subject, until: int, issued: int) -> str:
        return tag(self._key, "right", subject.key, str(until), str(issued))
