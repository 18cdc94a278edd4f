"""What is known of a request once it is answered."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class AccessEntry:
    """What is logged of one request. Durations are in nanoseconds."""

    at_ms: int
    method: str
    path: str
    status: int
    decision: str
    reason: str
    route: str
    subject: str
    size: int
    duration_ns: int
    waited_ns: int
    """The part of `duration_ns` spent waiting for the application and for the client."""
    detail: str = ""
    short_way: bool = False
    """Whether it crossed from protocol to protocol, without an ASGI application."""

    @property
    def overhead_us(self) -> int:
        """What the gateway itself took, in microseconds."""
        return max(0, self.duration_ns - self.waited_ns) // 1000
