"""How large a run is, on which cores, and whom it tells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench.machine import Cores

Say = Callable[[str], None]

_MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Scale:
    """How often and how much: rounds, seconds of load, rules, bytes of a body, WebSockets, event streams."""

    rounds: int = 5
    seconds: float = 4.0
    rules: int = 10_000
    body_bytes: int = 1024 * _MEBIBYTE
    sockets: int = 10_000
    event_streams: int = 300


FULL = Scale()
SHORT = Scale(rounds=1, seconds=1.0, rules=1000, body_bytes=64 * _MEBIBYTE, sockets=500, event_streams=50)
"""About a minute; good to see that everything works, not to be quoted."""


@dataclass
class Setting:
    """What every measurement is given; `stopped` becomes true when somebody wants the run to end."""

    scale: Scale
    cores: Cores
    say: Say
    stopped: bool = False
