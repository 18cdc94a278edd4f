"""The command `python -m tests.races`: crowds who want the same few free results; Ctrl-C ends it."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import uvloop

from tests.restarts.progress import progress

from .rounds import GRACE, Plan, Report, run

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""
_SHOWN = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for; the exit code, 1 when anything was wrong."""
    plan = Plan()
    parser = argparse.ArgumentParser(prog="make races", description=__doc__)
    parser.add_argument("--rounds", type=int, default=plan.rounds)
    parser.add_argument("--clients", type=int, default=plan.clients, help="at once")
    parser.add_argument("--workers", type=int, default=plan.workers)
    parser.add_argument(
        "--leaving", type=float, default=plan.leaving, help="the part of them that leaves, at the least"
    )
    parser.add_argument("--kill-every", type=int, default=plan.kill_every, metavar="ROUNDS", help="0 for never")
    parser.add_argument("--seed", type=int, default=plan.seed)
    try:
        report = uvloop.run(_run(Plan(**vars(parser.parse_args(arguments)))))
    except asyncio.CancelledError:
        print("ended before its time", file=sys.stderr)
        return INTERRUPTED
    _print(report)
    return 1 if report.wrong else 0


async def _run(plan: Plan) -> Report:
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with tempfile.TemporaryDirectory(prefix="races-") as folder:
        return await run(Path(folder), plan, progress("races", plan.rounds, "rounds"))


def _print(report: Report) -> None:
    for what, count in {
        "rounds": report.rounds,
        "clients": report.clients,
        "of them left": report.left,
        "workers killed": report.kills,
        "of them told to come again": report.turned_away,
        "delivered in the crowd": report.delivered,
        f"most in one round, of {GRACE}": report.most,
        "to be had afterwards": report.given_back,
        "rounds that were wrong": len(report.wrong),
    }.items():
        print(f"{what:28}{count:>10,}")
    for line in report.wrong[:_SHOWN]:
        print(f"    {line}")


if __name__ == "__main__":
    sys.exit(main())
