"""Tokens that were verified a moment ago."""

from __future__ import annotations

from collections import OrderedDict

from gateway.core.quantity import MINUTE
from gateway.ports.identity import Identified

REMEMBERED_MS = MINUTE
REMEMBERED_TOKENS = 2048


class VerifiedTokens:
    """What verified tokens said, by the SHA-256 of the token, for a minute and never past the expiry.

    Only the one canonical spelling of a token is ever verified, so the digest of its text stands for the token.
    """

    def __init__(self, limit: int = REMEMBERED_TOKENS) -> None:
        self._limit = limit
        self._tokens: OrderedDict[bytes, tuple[int, int, Identified]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._tokens)

    def recall(self, digest: bytes, now_ms: int) -> Identified | None:
        """What this token said; None when it must be verified (again)."""
        found = self._tokens.get(digest)
        if found is None:
            return None
        since, until, who = found
        if not since <= now_ms < until:
            del self._tokens[digest]
            return None
        self._tokens.move_to_end(digest)
        return who

    def remember(self, digest: bytes, who: Identified, now_ms: int, expires_ms: int | None) -> None:
        """Keep what a verified token said; the one not asked for longest makes room."""
        until = now_ms + REMEMBERED_MS
        self._tokens[digest] = (now_ms, until if expires_ms is None else min(until, expires_ms), who)
        if len(self._tokens) > self._limit:
            self._tokens.popitem(last=False)

    def clear(self) -> None:
        """Forget all: the keys have changed."""
        self._tokens.clear()
