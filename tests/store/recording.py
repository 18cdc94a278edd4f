"""A process that records events until it is killed: `python recording.py URL FOLDER ROUND`.

It says of each event when it recorded it: `NUMBER SECONDS`, by the clock that all processes share.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

from gateway.core.event import TrialBegan
from gateway.store.connection import open_store


async def record_for_ever(url: str, folder: str, number: str) -> None:
    store = open_store(url, Path(folder))
    await store.start()
    at = 0
    while True:
        for _ in range(7):
            store.events.record(TrialBegan(at=at, ends=int(number)))
            sys.stdout.write(f"{at} {time.monotonic()}\n")
            at += 1
        sys.stdout.flush()
        await asyncio.sleep(0.002)


if __name__ == "__main__":
    asyncio.run(record_for_ever(*sys.argv[1:]))
