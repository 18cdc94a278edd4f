"""A word now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

_SECONDS = 10.0


def progress(name: str, total: int, what: str) -> Callable[[int], None]:
    """Tells, from time to time, how far it is."""
    due = 0.0

    def tell(count: int) -> None:
        nonlocal due
        now = time.monotonic()
        if now >= due:
            due = now + _SECONDS
            print(f"{name}: {count:,} of {total:,} {what}", file=sys.stderr, flush=True)

    tell(0)
    return tell
