"""All measurements, in the order of the table."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bench.measure.cost import measure_cost
from bench.measure.events import measure_events
from bench.measure.grace import measure_grace
from bench.measure.latency import measure_latency
from bench.measure.rules import measure_rules
from bench.measure.sockets import measure_sockets
from bench.measure.stream import measure_stream
from bench.row import Result
from bench.setting import Setting

Measure = Callable[[Setting], Result]

EVERY: dict[str, Measure] = {
    "cost": measure_cost,
    "grace": measure_grace,
    "rules": measure_rules,
    "stream": measure_stream,
    "latency": measure_latency,
    "events": measure_events,
    "sockets": measure_sockets,
}


def chosen(only: Sequence[str] | None) -> dict[str, Measure]:
    """The ones named, all for None. Raises ValueError for a name that is none of theirs."""
    for name in only or ():
        if name not in EVERY:
            raise ValueError(f"--only {name}: there is no such measurement; choose from {', '.join(EVERY)}.")
    return {name: measure for name, measure in EVERY.items() if only is None or name in only}
