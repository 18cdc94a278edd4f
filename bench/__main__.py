"""The command `python -m bench`."""

from __future__ import annotations

import argparse
import datetime
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import FrameType

from bench.machine import describe_machine, split_cores
from bench.measure.every import EVERY, Measure, chosen
from bench.processes import Unavailable
from bench.report import Conditions, page, write_results
from bench.row import Result, Row
from bench.setting import FULL, SHORT, Setting

_RESULTS = Path(__file__).with_name("results.json")
INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""


def say(line: str) -> None:
    """Progress, on stderr, so that stdout holds the report and nothing else."""
    print(line, file=sys.stderr, flush=True)


def end_like_ctrl_c(_signal: int, _frame: FrameType | None) -> None:
    """Signal handler: a polite request to end takes the same way out as Ctrl-C, past every `finally`."""
    raise KeyboardInterrupt


def measure_all(measures: Mapping[str, Measure], setting: Setting) -> dict[str, Result]:
    """One result after the other; an interruption keeps those there are, and what the rounds of the last brought."""
    results: dict[str, Result] = {}
    for number, (name, measure) in enumerate(measures.items(), 1):
        setting.say(f"{name} ({number} of {len(measures)})")
        try:
            results[name] = measure(setting)
        except Unavailable as problem:
            setting.say(f"  {problem}")
            results[name] = Result([Row(name, name, [], "", notes=(f"{name}: {problem}",))], {})
        except KeyboardInterrupt:
            setting.stopped = True
        if setting.stopped:
            say("interrupted: everything started here has been ended")
            break
    return results


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, prints the report, writes the results; gives the exit code."""
    options = _parser().parse_args(arguments)
    try:
        measures = chosen(options.only)
    except ValueError as problem:
        say(str(problem))
        return 2
    signal.signal(signal.SIGTERM, end_like_ctrl_c)
    scale = SHORT if options.short else FULL
    scale = replace(scale, rounds=options.rounds or scale.rounds, seconds=options.seconds or scale.seconds)
    cores = split_cores()
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
    machine = describe_machine()
    # Some of the load is made in this process.
    os.sched_setaffinity(0, cores.load)
    setting = Setting(scale, cores, say)
    results = measure_all(measures, setting)
    whole = measures.keys() == EVERY.keys()
    conditions = Conditions(now, machine, scale, cores.shared, not setting.stopped, whole)
    print(page(results, conditions, markdown=options.markdown))
    write_results(options.json, results, conditions)
    say(f"all samples: {options.json}")
    return INTERRUPTED if setting.stopped else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="What the gateway costs, beside others.")
    parser.add_argument("--short", action="store_true", help="a minute: to see that it works, not to be quoted")
    parser.add_argument("--rounds", type=_count, help=f"how often every proxy has its turn ({FULL.rounds})")
    parser.add_argument("--seconds", type=_duration, help=f"length of one turn of load ({FULL.seconds:g})")
    parser.add_argument("--only", nargs="+", metavar="NAME", help=f"some of: {', '.join(EVERY)}")
    parser.add_argument("--json", type=Path, default=_RESULTS, metavar="PATH", help="where all samples go")
    parser.add_argument("--markdown", action="store_true", help="print the table in Markdown")
    return parser


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return value


def _duration(text: str) -> float:
    value = float(text)
    # Below this the kernel's clock ticks of 10 ms are too coarse to divide by.
    if not 0.2 <= value <= 3600:
        raise argparse.ArgumentTypeError("between 0.2 and 3600 seconds")
    return value


if __name__ == "__main__":
    sys.exit(main())
