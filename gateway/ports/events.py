"""Where events go."""

from __future__ import annotations

from typing import Protocol

from gateway.core.event import Event


class Events(Protocol):
    """Takes events at once and delivers them later, in batches: a request never waits for it."""

    def record(self, event: Event) -> None:
        """Note that this happened. Never raises and never blocks."""
        ...
