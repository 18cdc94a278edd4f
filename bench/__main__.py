"""The command `python -m bench`."""

from __future__ import annotations

import argparse
import datetime
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from bench.candidate import Candidate, version_of
from bench.gateway import gateway_candidates
from bench.machine import describe_machine, split_cores
from bench.peers import PEERS
from bench.processes import Unavailable
from bench.report import Conditions, page, write_results
from bench.rounds import Row, measure

_RESULTS = Path(__file__).with_name("results.json")
INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""


def all_candidates() -> tuple[Candidate, ...]:
    """Every proxy that can be measured, peers first."""
    return (*PEERS, *gateway_candidates())


def chosen(candidates: Sequence[Candidate], only: Sequence[str] | None) -> list[Candidate]:
    """The candidates named in `only`, all for None; `paywall` stands for every row that begins with it.

    Raises ValueError for a name that is none of theirs.
    """
    if only is None:
        return list(candidates)
    for name in only:
        if not any(_is_named(candidate, name) for candidate in candidates):
            known = ", ".join(candidate.name for candidate in candidates)
            raise ValueError(f"--only {name}: there is no such row; choose from {known}.")
    return [candidate for candidate in candidates if any(_is_named(candidate, name) for name in only)]


def say(line: str) -> None:
    """Progress, on stderr, so that stdout holds the report and nothing else."""
    print(line, file=sys.stderr, flush=True)


def end_like_ctrl_c(_signal: int, _frame: FrameType | None) -> None:
    """Signal handler: a polite request to end takes the same way out as Ctrl-C, past every `finally`."""
    raise KeyboardInterrupt


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, prints the report, writes the results; gives the exit code."""
    options = _parser().parse_args(arguments)
    try:
        rows = [Row(candidate) for candidate in chosen(all_candidates(), options.only)]
    except ValueError as problem:
        say(str(problem))
        return 2
    signal.signal(signal.SIGTERM, end_like_ctrl_c)
    cores = split_cores()
    finished = False
    try:
        for row in rows:
            row.version = version_of(row.candidate)
        measure(rows, options.rounds, options.seconds, cores, say)
        finished = True
    except Unavailable as problem:
        say(str(problem))
        return 1
    except KeyboardInterrupt:
        say("interrupted: everything started here has been ended")
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
    conditions = Conditions(now, describe_machine(), options.rounds, options.seconds, cores.shared, finished)
    print(page(rows, conditions, markdown=options.markdown))
    if not finished:
        return INTERRUPTED
    write_results(options.json, rows, conditions)
    say(f"all samples: {options.json}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="CPU per request, beside other proxies.")
    parser.add_argument("--rounds", type=_count, default=5, help="how often every proxy has its turn (5)")
    parser.add_argument("--seconds", type=_duration, default=4.0, help="length of one turn (4)")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="rows to measure, such as nginx or paywall")
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


def _is_named(candidate: Candidate, name: str) -> bool:
    return candidate.name == name or candidate.name.startswith(name + "-")


if __name__ == "__main__":
    sys.exit(main())
