"""Where events go."""

from __future__ import annotations

from typing import Protocol

from gateway.core.event import Event


class Events(Protocol):
    """Takes events at once and delivers them later, in batches: a request never waits for it."""

    def record(self, event: Event) -> None:
        """Note that this happened. Never raises and never blocks."""
        ...

    def record_once(self, event: Event, mark: str) -> None:
        """Note what somebody may note again, who does not know whether it has been: of all events with this mark, a
        word without spaces, the first alone stands in the stream, for 90 days. What is noted when this returns outlives
        the process, which costs a write to a file. Never raises."""
        ...
