"""A result that takes one of the free ones: one question to the store for each."""

from __future__ import annotations

import statistics

from bench.gateway import OPEN_TO_SUBJECTS, TAKING_GRACE
from bench.measure.load_turn import CPU, STORE, WITH_STORE, load_turn, warm_up
from bench.peers import NGINX_UPSTREAM
from bench.rounds import ratios, take_turns
from bench.row import Result, ratio_row
from bench.setting import Setting


def measure_grace(setting: Setting) -> Result:
    """Held against the open route of the same config, asked by the same subjects."""
    taking, opened = TAKING_GRACE.name, OPEN_TO_SUBJECTS.name
    candidates = (OPEN_TO_SUBJECTS, TAKING_GRACE)
    series = take_turns(setting, NGINX_UPSTREAM, candidates, load_turn(setting), warm_up=warm_up(setting))
    store, with_store = series[taking].median(STORE), ratios(series[taking], series[opened], WITH_STORE)
    notes = []
    if store is not None and with_store:
        notes.append(
            f"Taking grace: the store's own CPU is {store:.1f} us more for each; with it, "
            f"{statistics.median(with_store):.2f} x the open route."
        )
    row = ratio_row(
        "grace", "result route taking grace, 32 in flight", series, taking, opened, CPU,
        unit="x open route", beside_unit="us", goal="<= 2 x open route", limit=2.0, notes=notes,
    )  # fmt: skip
    return Result([row], series)
