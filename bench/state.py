"""The command `python -m bench.state`: what a subject costs in the store's memory, and what it costs to read one."""

from __future__ import annotations

import argparse
import asyncio
import datetime
import json
import os
import signal
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bench.machine import describe_machine, split_cores
from bench.processes import Command, Unavailable, last_words, running
from bench.report import text_table
from bench.rounds import workshop
from bench.standings import STANDINGS, CountingLink, Standings
from gateway.ports.state import StoreUnavailable
from gateway.store.connection import topology
from gateway.store.embedded.server_program import find_server, write_settings
from gateway.store.embedded.server_socket import Health, ask

SIZES = (100_000, 300_000, 1_000_000)
FAR = 10_000_000
GOAL = 400
"""Bytes of one subject at rest, at most."""

_RESULTS = Path(__file__).with_name("state.json")
_REDIS = Path("/usr/bin/redis-server")
_BATCH, _READS = 500, 300
_INTERRUPTED = 130


@dataclass
class Cost:
    """One standing on one server: memory used by so many subjects of it, and reading one of them."""

    server: str
    standing: str
    bytes_used: dict[int, int] = field(default_factory=dict)
    trips: float = 0.0
    read_ms: float = 0.0

    def each(self, size: int) -> float:
        """Bytes for each of so many."""
        return self.bytes_used[size] / size

    @property
    def far(self) -> float | None:
        """Bytes for each of ten million, by the line through the sizes; None with fewer than two."""
        if len(self.bytes_used) < 2:
            return None
        slope, base = statistics.linear_regression(list(self.bytes_used), list(self.bytes_used.values()))
        return slope + base / FAR

    @property
    def verdict(self) -> str:
        """Whether the goal is met, by the largest of what was measured and what follows from it."""
        known = [self.each(size) for size in self.bytes_used] + ([self.far] if self.far is not None else [])
        if not known:
            return "not measured"
        return "met" if max(known) <= GOAL else f"missed by {max(known) / GOAL - 1:.0%}"


def say(line: str) -> None:
    """Progress, on stderr."""
    print(line, file=sys.stderr, flush=True)


class Wish:
    """Whether somebody wants the run to end; asked between two batches, where nothing is under way."""

    def __init__(self) -> None:
        self.is_to_end = False
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, lambda _signal, _frame: setattr(self, "is_to_end", True))


@contextmanager
def server(name: str, folder: Path) -> Iterator[str]:
    """The address of a server with the settings that subjects have on it, but for the disk."""
    folder.mkdir()
    socket, arguments = folder / "s", ["--appendonly", "no", "--save", "", "--port", "0"]
    if name == "valkey":
        program, settings = find_server(), folder / "store.conf"
        write_settings(settings, folder, socket, folder / "pid")
        arguments = [str(settings), *arguments]
    else:
        program = _REDIS
        arguments += ["--unixsocket", str(socket), "--dir", str(folder)]
    if not program.exists():
        raise Unavailable(f"{program} is missing: install the Debian package redis-server.")
    with running(Command((str(program), *arguments)), folder, split_cores().proxy):
        deadline = time.monotonic() + 10
        while ask(socket) is not Health.READY:
            if time.monotonic() > deadline:
                raise Unavailable(f"{program} does not start: {last_words(folder)}")
            time.sleep(0.02)
        yield f"unix://{socket}?socket_timeout=60&timeout=60"


async def measure(url: str, cost: Cost, sizes: Sequence[int], wish: Wish) -> None:
    """Fill the server with subjects of one standing; at each size see what they take, at the last read some."""
    link = CountingLink(topology(url))
    try:
        standings = Standings(link, int(time.time() * 1000))
        await link.ask(("FLUSHALL", "SYNC"))
        await standings.fill(cost.standing, range(1))  # scripts and connections take room of their own
        await link.ask(("FLUSHDB", "SYNC"))
        empty, done = await _used(link), 0
        for size in sorted(sizes):
            while done < size:
                if wish.is_to_end:
                    return
                until = min(done + _BATCH, size)
                await standings.fill(cost.standing, range(done, until))
                if until // 100_000 > done // 100_000:
                    say(f"  {cost.standing}: {until:,}")
                done = until
            cost.bytes_used[size] = await _used(link) - empty
        await standings.read(0)  # the server has forgotten no script from here on
        link.trips, taken = 0, []
        for number in range(0, done, max(done // _READS, 1)):
            begun = time.perf_counter()
            await standings.read(number)
            taken.append(time.perf_counter() - begun)
        cost.trips, cost.read_ms = link.trips / len(taken), statistics.median(taken) * 1000
    finally:
        await link.close()


async def _used(link: CountingLink) -> int:
    (told,) = await link.ask(("INFO", "memory"))
    memory = dict(line.split(b":", 1) for line in told.splitlines() if b":" in line)
    return int(memory[b"used_memory"])


def table(costs: Sequence[Cost], sizes: Sequence[int], *, markdown: bool) -> str:
    """What was measured, in the form of bench's own table."""
    heads = ("server", f"goal: <= {GOAL} B each", *(f"at {size:,}" for size in sizes), f"at {FAR:,}", "read", "trips")
    lines = [("standing", *heads)]
    for cost in costs:
        measured = (f"{cost.each(size):.0f} B" if size in cost.bytes_used else "-" for size in sizes)
        far = "-" if cost.far is None else f"{cost.far:.0f} B"
        read = (f"{cost.read_ms:.2f} ms", f"{cost.trips:.1f}") if cost.trips else ("-", "-")
        lines.append((cost.standing, cost.server, cost.verdict, *measured, far, *read))
    return text_table(lines, markdown=markdown)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, prints the table, writes the results; gives the exit code."""
    options = _parser().parse_args(arguments)
    wish, costs, notes = Wish(), list[Cost](), list[str]()
    os.sched_setaffinity(0, split_cores().load)
    with workshop() as folder:
        for name in options.servers:
            try:
                with server(name, folder / name) as url:
                    _measure_all(url, name, options.sizes, wish, costs.append)
            except (Unavailable, StoreUnavailable) as problem:
                notes.append(str(problem))
    if wish.is_to_end:
        notes.append("The run was interrupted: the table holds what was measured before.")
    notes.append(f"At {FAR:,}: by the line through the sizes. Read: what the page `me` asks the store, one at a time.")
    print("\n".join([table(costs, sorted(options.sizes), markdown=options.markdown), "", *notes]))
    _write(options.json, costs, notes, finished=not wish.is_to_end)
    say(f"all samples: {options.json}")
    return _INTERRUPTED if wish.is_to_end else 0


def _measure_all(url: str, name: str, sizes: Sequence[int], wish: Wish, keep: Callable[[Cost], None]) -> None:
    for standing in STANDINGS:
        if wish.is_to_end:
            return
        say(f"{name}: {standing}")
        cost = Cost(name, standing)
        keep(cost)  # first, so that what it has when something goes wrong is shown
        asyncio.run(measure(url, cost, sizes, wish))


def _write(path: Path, costs: Sequence[Cost], notes: Sequence[str], *, finished: bool) -> None:
    date = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
    rows = [{**asdict(cost), "far": cost.far, "verdict": cost.verdict} for cost in costs]
    told = {"date": date, "machine": describe_machine(), "finished": finished, "goal": GOAL, "rows": rows}
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.write_text(json.dumps({**told, "notes": list(notes)}, indent=1) + "\n")
    unfinished.replace(path)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.state", description="What a subject costs in the store.")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help=f"how many subjects ({SIZES})")
    names = ("valkey", "redis")
    parser.add_argument("--servers", nargs="+", default=names, choices=names, help="on which")
    parser.add_argument("--json", type=Path, default=_RESULTS, metavar="PATH", help="where all samples go")
    parser.add_argument("--markdown", action="store_true", help="print the table in Markdown")
    return parser


if __name__ == "__main__":
    sys.exit(main())
