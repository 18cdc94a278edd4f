"""The command `python -m tests.restarts`: new configs and restarts under load, and who noticed; Ctrl-C ends it."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import uvloop

from tests.hostile.rig import Absent

from .progress import progress
from .runs import SCENARIOS, Outcome, run

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""
_SHOWN = 20
_HEADS = ("gateways", "requests", "failed", "asked again", "new configs", "refused", "replaced", "stopped", "grace")
_ROW = "{:9}  {:>8}  {:>6}  {:>11}  {:>11}  {:>7}  {:>8}  {:>7}  {}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for; the exit code, 1 when anybody noticed anything."""
    parser = argparse.ArgumentParser(prog="make restarts", description=__doc__)
    parser.add_argument("--scenarios", nargs="+", choices=SCENARIOS, default=list(SCENARIOS), metavar="NAME")
    parser.add_argument("--requests", type=int, default=100_000, help="in each scenario")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    try:
        return uvloop.run(_all(options))
    except Absent as absent:
        print(absent, file=sys.stderr)
        return 2
    except asyncio.CancelledError:
        print("ended before its time", file=sys.stderr)
        return INTERRUPTED


async def _all(options: argparse.Namespace) -> int:
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    outcomes = []
    for scenario in options.scenarios:
        with tempfile.TemporaryDirectory(prefix="restarts-") as folder:
            tell = progress(scenario, options.requests, "requests")
            outcomes.append(await run(scenario, Path(folder), options.requests, options.seed, tell))
    print(_ROW.format(*_HEADS))
    for outcome in outcomes:
        print(_row(outcome))
    for outcome in outcomes:
        for line in [*outcome.tally.failures, *outcome.wrong][:_SHOWN]:
            print(f"    {outcome.scenario}: {line[:400]}")
    return 0 if all(outcome.is_met for outcome in outcomes) else 1


def _row(outcome: Outcome) -> str:
    tally, done = outcome.tally, outcome.done
    grace = f"{outcome.people - len(outcome.wrong):,} of {outcome.people:,} people right"
    return _ROW.format(
        outcome.scenario, f"{tally.asked:,}", f"{len(tally.failures):,}", f"{tally.retried:,}", done.accepted,
        done.refused, done.replaced, done.stopped, grace,
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
