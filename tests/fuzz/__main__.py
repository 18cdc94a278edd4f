"""The command `python -m tests.fuzz`: fuzz for as long as you like; Ctrl-C ends it and says how far it came."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from random import Random

from tests.fuzz.mutate import mutated
from tests.fuzz.targets import TARGETS, Target

_TURN_SECONDS = 5.0


def attack(target: Target, seed: str) -> None:
    """One input. Raises what the target raises, with the seed that makes it again."""
    luck = Random(seed)
    data = mutated(luck, target.seeds, target.words)
    try:
        target.check(data, luck)
    except Exception as error:
        error.add_note(f"{target.name}: python -m tests.fuzz --only {target.name} --seed {seed}")
        error.add_note(f"the input: {data!r}"[:4000])
        raise


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs until the time is over or something is found; gives the exit code."""
    options = _parser().parse_args(arguments)
    targets = [target for target in TARGETS if options.only in ("", target.name)]
    if options.seed:
        attack(targets[0], options.seed)
        print("nothing found")
        return 0
    done = dict.fromkeys((target.name for target in targets), 0)
    start, run = time.monotonic(), str(time.time_ns())
    try:
        while time.monotonic() - start < options.minutes * 60:
            for target in targets:
                turn = time.monotonic()
                while time.monotonic() - turn < _TURN_SECONDS:
                    attack(target, f"{run}-{done[target.name]}")
                    done[target.name] += 1
            print(_told(done, start), file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
    print(_told(done, start) + ", nothing found")
    return 0


def _told(done: dict[str, int], start: float) -> str:
    return f"{time.monotonic() - start:.0f} s: " + ", ".join(f"{count:,} {name}" for name, count in done.items())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Fuzz what reads strangers' bytes.")
    parser.add_argument("--minutes", type=float, default=1.0, help="how long (1)")
    parser.add_argument("--only", default="", choices=["", *(target.name for target in TARGETS)], help="one target")
    parser.add_argument("--seed", default="", help="make one input again, of the target in --only")
    return parser


if __name__ == "__main__":
    sys.exit(main())
