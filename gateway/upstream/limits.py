"""How long and how much: the limits of all exchanges with one application."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class UpstreamLimits:
    """Limits of one connector. Times are seconds, sizes bytes; every one must be above zero.

    Time-outs are kept by one coarse clock per connector: they end at most a second, or a quarter of the shortest
    of them, too late, and never too early.
    """

    connect_timeout: float = 5.0
    """For opening a connection, TLS included; and again for waiting until one may be opened."""
    read_timeout: float = 60.0
    """For the head of the answer once the request is sent, and for each next piece of its body.

    Runs only while somebody waits for the application: not while the client sends or reads slowly.
    """
    max_connections: int = 512
    keepalive_idle: float = 4.0
    """How long an unused connection is kept. Below the application's own limit, or requests meet a closing door
    (Node.js, the shortest of the well-known, closes after 5 s)."""
    max_head_bytes: int = 64 * 1024
    max_headers: int = 1000
    read_high_water: int = 64 * 1024
    """Unread bytes of one answer above which its connection is not read any more."""

    def __post_init__(self) -> None:
        for field in fields(self):
            if not getattr(self, field.name) > 0:
                raise ValueError(f"upstream limit {field.name} is {getattr(self, field.name)}, but must be above zero")
