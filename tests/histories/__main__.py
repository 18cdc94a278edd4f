"""`python -m tests.histories`: thousands of histories, on Valkey; exit 1 at the first that is wrong."""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from pathlib import Path

from gateway.core.subject import Subject
from gateway.store.connection import open_store
from gateway.store.embedded.server import EmbeddedStore
from tests.histories.history import History
from tests.histories.play import play

_SAID_EVERY = 500


async def run(url: str, count: int, first: int) -> int:
    """How many were wrong: none, or one."""
    workers = [open_store(url) for _ in range(2)]
    for worker in workers:
        await worker.start()
    began, deliveries = time.monotonic(), 0
    try:
        for number in range(count):
            await workers[0].link.ask(("FLUSHDB",))
            dice = random.Random(first + number)
            history = History.by_chance(dice)
            found = await play(workers, Subject.parse("person:1"), history, dice)
            deliveries += len(history.payments) + len(history.refunds) + len(history.changes) + len(history.failures)
            for each in found:
                print(f"history {first + number}: {each}", flush=True)
            if found:
                return 1
            if (number + 1) % _SAID_EVERY == 0:
                print(f"{number + 1} of {count}, {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    finally:
        for worker in workers:
            await worker.stop()
    print(f"{count} histories of {deliveries} events, each delivered one to ten times by two workers: no difference")
    return 0


def main() -> int:
    """Read the command line and play."""
    parser = argparse.ArgumentParser(prog="python -m tests.histories", description=__doc__)
    parser.add_argument("--histories", type=int, default=5_000)
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="where the seeds begin")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="paywall-") as folder, EmbeddedStore(Path(folder), print) as url:
        return asyncio.run(run(url, given.histories, given.first))


if __name__ == "__main__":
    sys.exit(main())
