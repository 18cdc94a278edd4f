"""A turn under wrk: CPU of the proxy for one request."""

from __future__ import annotations

from pathlib import Path

from bench.candidate import BODY
from bench.cpu import tree_use
from bench.load import CONNECTIONS, run_load
from bench.rounds import Stage, Taken, Turn
from bench.setting import Setting

_WARM_UP_SECONDS = 1.0
_LONGEST_WARM_UP_SECONDS = 60.0
_LOG_END_BYTES = 4096

CPU = "cpu_us"
STORE = "store_cpu_us"
WITH_STORE = "cpu_with_store_us"


def load_turn(setting: Setting) -> Turn:
    """A turn of the set length."""
    return _turn(setting, setting.scale.seconds)


def warm_up(setting: Setting) -> Turn:
    """What goes before the first round: a short load in which every variant has been asked for once.

    A subject's first request is dearer than all that follow.
    """

    def turn(stage: Stage) -> Taken:
        running = stage.running
        seconds = min(setting.scale.seconds, _WARM_UP_SECONDS)
        while seconds < _LONGEST_WARM_UP_SECONDS:
            load = run_load(running.target, seconds, setting.cores.load, stage.folder, len(BODY))
            if load.requests >= running.target.variants + CONNECTIONS:
                return Taken({})
            seconds *= 2  # the variants begin again with every load
        return Taken({}, "not every variant could be asked for")

    return turn


def _turn(setting: Setting, seconds: float) -> Turn:
    def turn(stage: Stage) -> Taken:
        running = stage.running
        before = tree_use(running.pid)
        load = run_load(running.target, seconds, setting.cores.load, stage.folder, len(BODY))
        after = tree_use(running.pid)
        requests = max(load.requests, 1)
        own, store = after.cpu_us - before.cpu_us, after.store_cpu_us - before.store_cpu_us
        values = {
            CPU: own / requests,
            "requests_per_second": load.requests / load.seconds if load.seconds else 0.0,
            "busy": (own + store) / (load.seconds * 1e6) if load.seconds else 0.0,
        }
        if after.store_resident_bytes:
            values |= {STORE: store / requests, WITH_STORE: (own + store) / requests}
        return Taken(values, load.trouble or _other_decision(running.log, stage.candidate.decision))

    return turn


def _other_decision(log: Path, decision: str) -> str:
    """Empty when the last lines of the access log have this decision; what is wrong otherwise."""
    if not decision:
        return ""
    with log.open("rb") as file:
        file.seek(max(log.stat().st_size - _LOG_END_BYTES, 0))
        # The last line may be half written, the first half read.
        lines = file.read().decode(errors="replace").splitlines()[1:-1]
    # When its time is over wrk leaves in the midst of requests.
    told = [line for line in lines if " 499 " not in line]
    other = next((line for line in told if f" {decision} " not in line), "" if told else "nothing")
    return f"the log has, instead of {decision}: {other}" if other else ""
