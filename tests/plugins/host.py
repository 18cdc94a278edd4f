"""A host for plugins whose clock stands still until it is set."""

from __future__ import annotations

import hashlib

START_MS = 1_700_000_000_000


class FakeHost:
    def __init__(self) -> None:
        self.prefix = "/_paywall"
        self.now_ms = START_MS
        self.lines: list[str] = []

    def key(self, purpose: str) -> bytes:
        return hashlib.sha256(b"host:" + purpose.encode()).digest()

    def now(self) -> int:
        return self.now_ms

    def log(self, message: str) -> None:
        self.lines.append(message)

    def pass_time(self, milliseconds: int) -> None:
        self.now_ms += milliseconds
