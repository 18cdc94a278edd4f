"""The command `python -m bench.memory`: how much memory a proxy takes to pass a gibibyte down and up."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.__main__ import INTERRUPTED, all_candidates, chosen, end_like_ctrl_c, say
from bench.candidate import Candidate, Running, started
from bench.cpu import tree_use
from bench.machine import Cores, split_cores
from bench.processes import Unavailable
from bench.report import replace_file, text_table
from bench.rounds import workshop
from bench.streaming import Transfer, download, streaming_upstream, upload

_MEBIBYTE = 1024 * 1024
_LOOK_SECONDS = 0.02
_DEFAULT_ROWS = ("nginx", "haproxy", "caddy", "paywall-open", "paywall-zero")
_HEADINGS = ("proxy", "way", "at rest MiB", "growth MiB", "CPU s/GiB", "MiB/s")
_RESULTS = Path(__file__).with_name("memory.json")


@dataclass(frozen=True)
class Passage:
    """One body through one proxy. Memory is that of its whole process tree, the embedded store included."""

    name: str
    title: str
    way: str
    resident_before: int
    resident_peak: int
    cpu_us: int
    transfer: Transfer

    @property
    def growth(self) -> int:
        """Bytes by which the memory stood, at its highest, above what it was before."""
        return self.resident_peak - self.resident_before


def measure_passages(candidate: Candidate, size: int, cores: Cores) -> list[Passage]:
    """Sends `size` bytes down and then up through the candidate.

    Raises Unavailable when it or the upstream cannot take part.
    """
    with (
        workshop() as folder,
        started(streaming_upstream(size), folder / "upstream", 0, cores.load) as upstream,
        started(candidate, folder / "proxy", upstream.target.port, cores.proxy) as running,
    ):
        target = running.target
        return [
            asyncio.run(_watched(candidate, running, way, transfer(target.port, target.headers, size)))
            for way, transfer in (("down", download), ("up", upload))
        ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, prints a table, writes the results; gives the exit code: 1 when a body was cut."""
    options = _parser().parse_args(arguments)
    try:
        candidates = chosen(all_candidates(), options.only)
    except ValueError as problem:
        say(str(problem))
        return 2
    signal.signal(signal.SIGTERM, end_like_ctrl_c)
    cores = split_cores()
    # The client lives in this process, and belongs where the load is.
    os.sched_setaffinity(0, cores.load)
    passages: list[Passage] = []
    absences: list[str] = []
    try:
        for candidate in candidates:
            say(f"{candidate.title}: {options.mebibytes} MiB down and up")
            try:
                passages += measure_passages(candidate, options.mebibytes * _MEBIBYTE, cores)
            except Unavailable as reason:
                absences.append(f"Not available: {reason}")
    except KeyboardInterrupt:
        say("interrupted: everything started here has been ended")
        return INTERRUPTED
    troubles = [f"{each.title}, {each.way}: {each.transfer.trouble}" for each in passages if each.transfer.trouble]
    print(text_table([_HEADINGS, *map(_cells, passages)], markdown=options.markdown))
    print("\n".join(["", *troubles, *dict.fromkeys(absences)]))
    results = [{**asdict(each), "growth": each.growth} for each in passages]
    replace_file(options.json, json.dumps({"passages": results, "absent": absences}, indent=2) + "\n")
    say(f"all numbers: {options.json}")
    return 1 if troubles else 0


async def _watched(candidate: Candidate, running: Running, way: str, work: Coroutine[None, None, Transfer]) -> Passage:
    try:
        before = tree_use(running.pid)
    except ProcessLookupError as ended:
        work.close()
        return Passage(candidate.name, candidate.title, way, 0, 0, 0, Transfer(0, 0.0, str(ended)))
    resident_before = before.resident_bytes + before.store_resident_bytes
    peak = resident_before

    async def watch() -> None:
        nonlocal peak
        while True:
            use = tree_use(running.pid)
            peak = max(peak, use.resident_bytes + use.store_resident_bytes)
            await asyncio.sleep(_LOOK_SECONDS)

    watching = asyncio.create_task(watch())
    try:
        transfer = await work
        spent = tree_use(running.pid).cpu_us - before.cpu_us
    except ProcessLookupError as ended:
        transfer, spent = Transfer(0, 0.0, str(ended)), 0
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError, ProcessLookupError):
            await watching
    return Passage(candidate.name, candidate.title, way, resident_before, peak, spent, transfer)


def _cells(passage: Passage) -> tuple[str, ...]:
    transfer = passage.transfer
    known = (passage.title, passage.way, f"{passage.resident_before / _MEBIBYTE:.1f}")
    if transfer.trouble:
        return (*known, "failed", "-", "-")
    mebibytes = transfer.received / _MEBIBYTE
    return (
        *known,
        f"{passage.growth / _MEBIBYTE:.1f}",
        f"{passage.cpu_us / 1e6 / (mebibytes / 1024):.2f}",
        f"{mebibytes / transfer.seconds:,.0f}",
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.memory", description="Memory for great bodies.")
    parser.add_argument("--mebibytes", type=int, default=1024, help="size of the body (1024)")
    parser.add_argument("--only", nargs="+", metavar="NAME", default=_DEFAULT_ROWS, help="rows to measure")
    parser.add_argument("--json", type=Path, default=_RESULTS, metavar="PATH", help="where all numbers go")
    parser.add_argument("--markdown", action="store_true", help="print the table in Markdown")
    return parser


if __name__ == "__main__":
    sys.exit(main())
