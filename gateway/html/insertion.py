"""Find the place for a snippet in a page that is still arriving: before its last `</body`, else at its very end.

A `</body` may just as well stand in a script, a comment or an attribute, and what is put in there would break it. Only
what follows tells: up to the end of the page nothing but the end tag of the page, white space and comments. Whatever it
would have to be for the candidate not to be real is then never closed, and no browser runs or shows it. In every other
case the snippet goes to the end: HTML puts what comes behind `</html>` into the body all the same.

A page that is in a character set other than those of `head` must not be given to it.
"""

from __future__ import annotations

import re

LOOK_AHEAD = 4096
"""How much of a page is held back behind a `</body`: a longer end is none."""
_BODY = b"</body"
_MORE = re.compile(rb"<(?:[a-z]|/(?!body|html)[a-z][\s\S]{3})", re.IGNORECASE)
"""A tag that shows that the end of the page was not there; read only once it can't become one of the other two."""
_OVERLAP = 6
"""What begins so many bytes before the end of a piece may become clear with the next."""
_END = re.compile(
    rb"</body(?:[\s/][^<>]*+)?+>(?:\s++|</html(?:[\s/][^<>]*+)?+>|<!--(?:[^<>-]++|[->](?<!-->))*+>)*+", re.IGNORECASE
)


class Insertion:
    """One page, given piece by piece. What comes out does not depend on how it was cut into pieces."""

    __slots__ = ("_candidate", "_held")

    def __init__(self) -> None:
        self._held = bytearray()
        """Either the beginning of what may become a `</body`, or a candidate with all that followed it."""
        self._candidate = False

    def take(self, data: bytes) -> bytes:
        """More of the page; what of it can go on."""
        held = self._held
        unread = max(0, len(held) - _OVERLAP)
        held += data
        newest = held[unread:].lower().rfind(_BODY)
        passed = b""
        if newest >= 0:
            passed = self._pass(unread + newest)
            self._candidate, unread = True, 0
        if self._candidate:
            if len(held) <= LOOK_AHEAD and _MORE.search(held, max(unread, len(_BODY))) is None:
                return passed
            self._candidate = False
        return passed + self._pass(len(held) - _begun(held))

    def end(self, snippet: bytes) -> bytes:
        """The page is complete: the rest of it, with the snippet in its place."""
        rest, self._held = bytes(self._held), bytearray()
        return snippet + rest if self._candidate and _END.fullmatch(rest) else rest + snippet

    def _pass(self, size: int) -> bytes:
        passed = bytes(self._held[:size])
        del self._held[:size]
        return passed


def _begun(held: bytearray) -> int:
    """How many bytes at the end may be the beginning of a `</body`."""
    start = held.rfind(b"<", max(0, len(held) - len(_BODY) + 1))
    return len(held) - start if start >= 0 and _BODY.startswith(held[start:].lower()) else 0
