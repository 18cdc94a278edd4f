"""A host for plugins whose clock stands still until it is turned."""

from __future__ import annotations

import hashlib

START_MS = 1_700_000_000_000
"""When every test begins: 2023-11-14T22:13:20Z."""


class StandingHost:
    """The port `Host`."""

    def __init__(self) -> None:
        self.prefix = "/_paywall"
        self.now_ms = START_MS
        self.lines: list[str] = []
        """What was logged."""

    def key(self, purpose: str) -> bytes:
        """32 bytes that are the same in every test."""
        return hashlib.sha256(b"host:" + purpose.encode()).digest()

    def now(self) -> int:
        """What the clock was turned to."""
        return self.now_ms

    def log(self, message: str) -> None:
        """Keep a line."""
        self.lines.append(message)

    def pass_time(self, milliseconds: int) -> None:
        """Turn the clock forward."""
        self.now_ms += milliseconds
