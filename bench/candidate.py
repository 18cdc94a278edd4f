"""What a measured proxy is, and how one is brought up until it answers rightly."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.cpu import process_stat
from bench.load import Target, check_answer
from bench.processes import LOG_NAME, Command, Unavailable, find_program, free_ports, last_words, running

BODY = json.dumps({"filler": "x" * 1010}).encode()
"""The 1,024 bytes every upstream here answers with."""

# Ten thousand rules are read in some seconds of a core that others may want too.
_START_SECONDS = 60.0


@dataclass(frozen=True)
class Site:
    """Where one proxy runs: its program, its own folder, its port, the upstream's, and one to spare."""

    program: str
    folder: Path
    port: int
    upstream_port: int
    spare_port: int


@dataclass(frozen=True)
class Candidate:
    """A proxy: how it is found, set up and asked. `prepare` may write files into the site's folder.

    `variants` above 1 stands for so many requests in turn, with their numbers for `{n}` in path and headers. Where
    `decision` is given, the proxy's log must have it for the load to count: what is measured is what was meant.
    """

    name: str
    title: str
    program: str
    install: str
    version_arguments: tuple[str, ...]
    prepare: Callable[[Site], Command]
    path: str = "/bench"
    headers: tuple[str, ...] = ()
    drop_privileges: bool = True
    variants: int = 1
    decision: str = ""


@dataclass(frozen=True)
class Running:
    """A candidate that has answered rightly: its process id, where to send the load, and what it has printed."""

    pid: int
    target: Target
    log: Path


@contextmanager
def started(candidate: Candidate, folder: Path, upstream_port: int, cores: set[int]) -> Iterator[Running]:
    """Runs the candidate until the block ends; the block begins only once it has answered 200 with `BODY`.

    Raises Unavailable when its program is missing, ends, or gives no right answer within a minute.
    """
    program = find_program(candidate.program)
    if program is None:
        raise Unavailable(f"`{candidate.program}` is not on this machine: {candidate.install}.")
    folder.mkdir(parents=True)
    port, spare_port = free_ports(2)
    command = candidate.prepare(Site(program, folder, port, upstream_port, spare_port))
    with running(command, folder, cores, drop_privileges=candidate.drop_privileges) as pid:
        target = Target(port, candidate.path, candidate.headers, candidate.variants)
        _wait_for_answer(candidate.title, pid, folder, target)
        yield Running(pid, target, folder / LOG_NAME)


def version_of(candidate: Candidate) -> str:
    """The program's name and version as it tells it, or an empty string."""
    program = find_program(candidate.program)
    if program is None:
        return ""
    done = subprocess.run(
        [program, *candidate.version_arguments], capture_output=True, text=True, timeout=30, check=False
    )
    number = re.search(r"\d+\.\d[\w.+~-]*", done.stdout + done.stderr)
    return f"{candidate.program} {number[0]}" if number and done.returncode == 0 else ""


def _wait_for_answer(title: str, pid: int, folder: Path, target: Target) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while problem := check_answer(target, BODY):
        stat = process_stat(pid)
        if stat is None or stat.has_ended:
            raise Unavailable(f"{title} ended at its start; its last words: {last_words(folder)}")
        if time.monotonic() > deadline:
            raise Unavailable(
                f"{title} gave no right answer within {_START_SECONDS:.0f} s: {problem}; "
                f"its last words: {last_words(folder)}"
            )
        time.sleep(0.05)
