"""The command `python -m tests.transparent`: every oracle at length, with progress, and an orderly end by Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.hostile.rig import Absent

from .exchanges import Tell
from .rig import APPLICATIONS
from .runs import TRIALS, compare, mingle, race

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""
_SHOWN = 20
_SECONDS = 1.0
"""Between two words of progress."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for; the exit code, 1 when anything was found."""
    options = _parser().parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="transparent-") as folder:
        try:
            return asyncio.run(_run(options, Path(folder)))
        except asyncio.CancelledError:
            print("ended before its time", file=sys.stderr)
            return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make transparent", description=__doc__)
    parser.add_argument("--applications", nargs="+", choices=APPLICATIONS, default=APPLICATIONS, metavar="NAME")
    parser.add_argument("--exchanges", type=int, default=20_000, help="with each application; 0 for none")
    parser.add_argument("--only", type=int, metavar="NUMBER", help="this exchange alone, and no other oracle")
    parser.add_argument("--requests", type=int, default=100_000, help="of fifty users; 0 for none")
    parser.add_argument("--races", type=int, default=10_000, help="for connections that end; 0 for none")
    parser.add_argument("--seed", type=int, default=1)
    return parser


async def _run(options: argparse.Namespace, folder: Path) -> int:
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    found = 0
    numbers: Iterable[int] = range(options.exchanges) if options.only is None else (options.only,)
    alone = options.only is not None
    if options.exchanges or alone:
        for name in options.applications:
            found += await _compare(name, _made(folder / name), numbers, options)
    if options.requests and not alone:
        tell = _progress("users", options.requests, "requests")
        report = await mingle(_made(folder / "users"), options.requests, options.seed, tell)
        found += _conclude("users", f"{report.asked:,} requests, {report.answered:,} answered", report.leaks)
        found += _conclude("users", "requests that failed", report.failures)
    if options.races and not alone:
        for trial in TRIALS:
            name = f"stale connections, trial of {trial}"
            tell = _progress(name, options.races // len(TRIALS), "races")
            races = await race(
                _made(folder / f"stale-{trial}"), options.races // len(TRIALS), options.seed, trial, tell
            )
            counts = f"{races.asked:,} requests, {races.answered:,} answered, {races.failed:,} lost their connection"
            found += _conclude(name, counts, races.faults)
    return 1 if found else 0


async def _compare(name: str, folder: Path, numbers: Iterable[int], options: argparse.Namespace) -> int:
    count = options.exchanges if options.only is None else 1
    try:
        done = await compare(name, folder, numbers, options.seed, _progress(name, count, "exchanges"))
    except Absent as reason:
        print(f"{name}: left out. {reason}")
        return 0
    short = ", ".join(f"{each} {crossed:,}" for each, crossed in done.short_way.items())
    return _conclude(
        name, f"{count:,} exchanges by each passage (the short way: {short})", list(map(str, done.differences))
    )


def _conclude(name: str, what: str, found: list[str]) -> int:
    print(f"{name}: {what}: {len(found) or 'no'} complaints", flush=True)
    for line in found[:_SHOWN]:
        print(f"    {line[:800]}", flush=True)
    return len(found)


def _progress(name: str, total: int, what: str) -> Tell:
    """Tells, now and then, how far it is."""
    ends = "\r" if sys.stderr.isatty() else "\n"
    pause = _SECONDS if sys.stderr.isatty() else 10 * _SECONDS
    due = 0.0

    def tell(count: int) -> None:
        nonlocal due
        now = time.monotonic()
        if now >= due:
            due = now + pause
            print(f"{name}: {count:,} of {total:,} {what}", end=ends, file=sys.stderr, flush=True)

    tell(0)
    return tell


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


if __name__ == "__main__":
    sys.exit(main())
