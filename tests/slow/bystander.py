"""Somebody else, at another address, who asks for something small again and again: how long it takes them."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass, field

PERIOD_S = 0.01
ANSWER_S = 10.0
_REQUEST = b"GET /small HTTP/1.1\r\nhost: a.example\r\n\r\n"
_ADDRESS = "127.0.0.2"


@dataclass
class Waits:
    """Seconds for each answer, in their order, and how often there was none."""

    seconds: list[float] = field(default_factory=list)
    failures: int = 0

    def quantile(self, part: float) -> float:
        """Milliseconds within which this part of the answers came."""
        ordered = sorted(self.seconds)
        return 1000 * ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else float("inf")


async def wait_for_answers(port: int, until: asyncio.Event, fresh: bool) -> Waits:
    """Ask until told to stop: over one connection, or (`fresh`) over a new one each time."""
    waits = Waits()
    connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
    while not until.is_set():
        begun = time.perf_counter()
        try:
            async with asyncio.timeout(ANSWER_S):
                if connection is None:
                    connection = await asyncio.open_connection("127.0.0.1", port, local_addr=(_ADDRESS, 0))
                await _ask(*connection)
            waits.seconds.append(time.perf_counter() - begun)
        except (TimeoutError, OSError, asyncio.IncompleteReadError):
            waits.failures += 1
            fresh_needed = True
        else:
            fresh_needed = fresh
        if fresh_needed and connection is not None:
            connection[1].close()
            connection = None
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(until.wait(), max(0.0, PERIOD_S - (time.perf_counter() - begun)))
    if connection is not None:
        connection[1].close()
    return waits


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(_REQUEST)
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200 "):
        raise ConnectionError(f"it was answered {head[:40]!r}")
    await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]))
