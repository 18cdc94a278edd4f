"""What many rules cost."""

from __future__ import annotations

from bench.gateway import with_rules
from bench.measure.load_turn import CPU, load_turn, warm_up
from bench.peers import NGINX_UPSTREAM
from bench.rounds import take_turns
from bench.row import Result, ratio_row
from bench.setting import Setting


def measure_rules(setting: Setting) -> Result:
    """Ten thousand against ten, for the same ten thousand paths."""
    few, many = with_rules(10), with_rules(setting.scale.rules)
    series = take_turns(setting, NGINX_UPSTREAM, (few, many), load_turn(setting), warm_up=warm_up(setting))
    title = f"{setting.scale.rules:,} rules against 10"
    row = ratio_row(
        "rules", title, series, many.name, few.name, CPU,
        unit="x 10 rules", beside_unit="us", goal="<= 1.2 x 10 rules", limit=1.2,
    )  # fmt: skip
    return Result([row], series)
