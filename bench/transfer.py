"""One great body through one proxy: what arrived, what it cost, and how much memory it took."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass

from bench.application import DOWN_PATH, UP_PATH
from bench.candidate import Running
from bench.cpu import tree_use
from bench.messages import CHUNK, content_length, drain_with_stall, expect, read_head, request_head, send_zeros

_LONGEST_SECONDS = 300.0
_LOOK_SECONDS = 0.02


@dataclass(frozen=True)
class Transfer:
    """What arrived at the far end, how long it took, and what went wrong (empty: nothing)."""

    received: int
    seconds: float
    trouble: str


@dataclass(frozen=True)
class Passage:
    """One body through one proxy. Memory is that of its whole process tree, the embedded store included."""

    way: str
    resident_before: int
    resident_peak: int
    cpu_us: int
    transfer: Transfer

    @property
    def growth(self) -> int:
        """Bytes by which the memory stood, at its highest, above what it was before."""
        return self.resident_peak - self.resident_before


def pass_bodies(running: Running, size: int) -> list[Passage]:
    """Sends `size` bytes down and then up through the proxy."""
    target = running.target
    return [
        asyncio.run(_watched(running, way, transfer(target.port, target.headers, size)))
        for way, transfer in (("down", download), ("up", upload))
    ]


async def download(port: int, headers: tuple[str, ...], size: int) -> Transfer:
    """Fetches DOWN_PATH, stalling for a second after a quarter of it, and counts what comes."""
    return await _timed(_download(port, headers, size), size)


async def upload(port: int, headers: tuple[str, ...], size: int) -> Transfer:
    """Sends `size` bytes to UP_PATH and asks the upstream how many arrived."""
    return await _timed(_upload(port, headers, size), size)


async def _watched(running: Running, way: str, work: Coroutine[None, None, Transfer]) -> Passage:
    try:
        before = tree_use(running.pid)
    except ProcessLookupError as ended:
        work.close()
        return Passage(way, 0, 0, 0, Transfer(0, 0.0, str(ended)))
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
    return Passage(way, resident_before, peak, spent, transfer)


async def _timed(work: Coroutine[None, None, int], size: int) -> Transfer:
    begun = time.monotonic()
    try:
        received = await asyncio.wait_for(work, _LONGEST_SECONDS)
    except (OSError, EOFError, ValueError, TimeoutError) as problem:
        return Transfer(0, time.monotonic() - begun, f"{type(problem).__name__}: {problem}")
    trouble = "" if received == size else f"{received} bytes arrived instead of {size}"
    return Transfer(received, time.monotonic() - begun, trouble)


async def _download(port: int, headers: tuple[str, ...], size: int) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=len(CHUNK))
    try:
        writer.write(request_head("GET", DOWN_PATH, headers))
        head = await read_head(reader)
        expect(200, head)
        length = content_length(head)
        if length != size:
            raise ValueError(f"the answer was announced with a length of {length} instead of {size}")
        return await drain_with_stall(reader, size)
    finally:
        writer.close()


async def _upload(port: int, headers: tuple[str, ...], size: int) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request_head("POST", UP_PATH, (*headers, f"content-length: {size}")))
        await send_zeros(writer, size)
        head = await read_head(reader)
        expect(200, head)
        return int(await reader.readexactly(content_length(head) or 0))
    finally:
        writer.close()
