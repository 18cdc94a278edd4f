"""What a proxy adds to the time of an answer while it is half busy."""

from __future__ import annotations

import statistics

from bench.candidate import BODY
from bench.gateway import with_token
from bench.load import run_load
from bench.openloop import run_open_load
from bench.peers import NGINX_UPSTREAM
from bench.peers import PEERS as PEER_PROXIES
from bench.rounds import Stage, Taken, take_turns
from bench.row import PEERS, Result, Row, remarks
from bench.setting import Setting

_MOST_PER_SECOND = 4000.0
"""Above this the generator would measure itself."""
_PERCENTILES = {"p50": 0.5, "p99": 0.99}


def measure_latency(setting: Setting) -> Result:
    """Every turn finds the proxy's own maximum, and sends half of it to the proxy and then past it."""
    seconds, cores = setting.scale.seconds, setting.cores

    def turn(stage: Stage) -> Taken:
        target = stage.running.target
        most = run_load(target, seconds / 2, cores.load, stage.folder, len(BODY))
        if most.trouble:
            return Taken({}, most.trouble)
        rate = min(most.requests / most.seconds / 2, _MOST_PER_SECOND)
        through = run_open_load(target, rate, seconds)
        direct = run_open_load(stage.upstream.target, rate, seconds)
        values = {"rate": rate}
        trouble = through.trouble or (f"direct: {direct.trouble}" if direct.trouble else "")
        for name, share in _PERCENTILES.items() if not trouble else ():
            whole, bare = through.percentile(share), direct.percentile(share)
            values |= {name: whole, f"direct_{name}": bare, f"added_{name}": whole - bare}
        return Taken(values, trouble)

    own = with_token()
    series = take_turns(setting, NGINX_UPSTREAM, (*PEER_PROXIES, own), turn)
    rates = [f"{series[name].title} {rate:,.0f}" for name in series if (rate := series[name].median("rate"))]
    noise = series[own.name].values("direct_p99")
    notes = [f"Latency was taken at these requests per second: {', '.join(rates)}."] if rates else []
    if noise:
        notes.append(
            f"The generator's own noise: direct p99 of {min(noise):.2f} to {max(noise):.2f} ms, "
            f"median {statistics.median(noise):.2f}."
        )
    limits = {"p50": ("shown", None), "p99": ("< 2 ms", 2.0)}
    rows = [
        Row(
            f"latency-{name}", f"added latency at half load, {name}", series[own.name].values(f"added_{name}"), "ms",
            goal, limit, "ms",
            {
                "paywall": series[own.name].median(name),
                "against": series[own.name].median(f"direct_{name}"),
                **{peer: series[peer].median(name) for peer in PEERS},
            },
            (*notes, *remarks(list(series.values()))),
        )
        for name, (goal, limit) in limits.items()
    ]  # fmt: skip
    return Result(rows, series)
