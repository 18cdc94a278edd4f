"""The command `python -m tests.model`: histories for as long as you like; Ctrl-C ends it and says how far it came."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Sequence

from tests.model.histories import FIND_THE_SHORTEST, STEPS, Stage, stage
from tests.model.servers import NAMES, MissingServer, running

_AT_ONCE = 100
"""Histories of one seed."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Plays the histories; gives the exit code."""
    options = _parser().parse_args(arguments)
    for name in options.servers:
        try:
            with running(name) as url, stage(url) as on:
                whole = _play(name, on, options)
        except MissingServer as missing:
            print(missing, file=sys.stderr)
            return 2
        if not whole:
            return 130
    return 0


def _play(name: str, on: Stage, options: argparse.Namespace) -> bool:
    """Whether all of them were played. What is found is raised, with the seed that finds it again."""
    start, seed = time.monotonic(), options.seed
    signal.signal(signal.SIGINT, lambda _signal, _frame: setattr(on.machine, "is_to_end", True))
    try:
        while on.told["histories"] < options.histories:
            wanted = min(_AT_ONCE, options.histories - on.told["histories"])
            try:
                on.play(wanted, seed, options.steps, FIND_THE_SHORTEST)
            except Exception as error:
                again = f"--servers {name} --seed {seed} --histories {wanted} --steps {options.steps}"
                error.add_note(f"again: python -m tests.model {again}")
                raise
            seed += 1
            done = f"{on.told['histories']:,} of {options.histories:,} histories"
            print(f"{name}: {done}, {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
    outcomes = ", ".join(f"{count:,} {word}" for word, count in sorted(on.told.items()) if word != "histories")
    print(f"{name}: {on.told['histories']:,} histories, nothing found. Outcomes: {outcomes}")
    return bool(on.told["histories"] >= options.histories)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.model", description="The store's verbs beside their model.")
    parser.add_argument("--histories", type=int, default=5000, help="how many on each server (5000)")
    parser.add_argument("--steps", type=int, default=STEPS, help=f"how long each may be ({STEPS})")
    parser.add_argument("--seed", type=int, default=1, help="where chance begins (1)")
    parser.add_argument("--servers", nargs="+", default=NAMES, choices=NAMES, help="on which")
    return parser


if __name__ == "__main__":
    sys.exit(main())
