"""A host for plugins whose clock stands still until it is set."""

from __future__ import annotations

from gateway.testing.host import START_MS, StandingHost

__all__ = ["START_MS", "FakeHost"]

FakeHost = StandingHost
