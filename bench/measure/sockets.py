"""What an idle WebSocket takes of memory."""

from __future__ import annotations

import asyncio
import resource
import time

from bench.application import SOCKET_PATH, application
from bench.cpu import tree_use
from bench.gateway import PLAIN
from bench.load import Target
from bench.messages import expect, read_head, request_head
from bench.peers import PEERS as PEER_PROXIES
from bench.rounds import Stage, Taken, take_turns
from bench.row import Result, Row, remarks
from bench.setting import Setting

_AT_ONCE = 50
_PER_SOURCE = 2000
_SPARE_FILES = 200
_LONGEST_SECONDS = 300.0
_SETTLE_SECONDS = 1.0
_KIBIBYTE = 1024
_SHAKE = (
    "upgrade: websocket",
    "connection: Upgrade",
    "sec-websocket-version: 13",
    "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
)
# A text message of four letters: towards the server under a mask, which may be zeros; from it without.
_ASKED = b"\x81\x84\0\0\0\0idle"
_ECHOED = b"\x81\x04idle"

_Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def measure_sockets(setting: Setting) -> Result:
    """Memory after so many have been opened and have echoed once, above that before, divided by their number."""
    count = min(setting.scale.sockets, (_raise_file_limit() - _SPARE_FILES) // 2)

    def turn(stage: Stage) -> Taken:
        return asyncio.run(asyncio.wait_for(_hold(stage, count), _LONGEST_SECONDS))

    # HAProxy takes its memory for all connections at the start, so that there is nothing to see.
    peers = [peer for peer in PEER_PROXIES if peer.name != "haproxy"]
    series = take_turns(setting, application(), (*peers, PLAIN), turn, rounds=1)
    beside = {"paywall" if each.name == PLAIN.name else each.name: each.median("kib") for each in series.values()}
    notes = remarks(list(series.values()))
    if count < setting.scale.sockets:
        notes.append(f"Only {count:,} WebSockets: a process may have no more open files here; raise it with ulimit -n.")
    values = series[PLAIN.name].values("kib")
    title = f"{count:,} idle WebSockets: memory of each"
    return Result([Row("sockets", title, values, "KiB", "< 40 KiB", 40.0, "KiB", beside, tuple(notes))], series)


def _raise_file_limit() -> int:
    """As many open files as this process may have; those started later inherit it. A proxy needs two per socket."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


async def _hold(stage: Stage, count: int) -> Taken:
    target, pid = stage.running.target, stage.running.pid
    first = await _open(target, 0)  # what is loaded with the first is not the price of one more
    before = _resident(pid)
    free = asyncio.Semaphore(_AT_ONCE)

    async def one(number: int) -> _Connection:
        async with free:
            return await _open(target, number)

    begun = time.monotonic()
    opened = [first, *await asyncio.gather(*map(one, range(count)))]
    seconds = time.monotonic() - begun
    await asyncio.sleep(_SETTLE_SECONDS)
    taken = _resident(pid) - before
    silent = 0
    for reader, writer in opened:
        writer.write(_ASKED)
        silent += await reader.readexactly(len(_ECHOED)) != _ECHOED
    for _, writer in opened:
        writer.transport.abort()
    trouble = f"{silent} of them did not echo" if silent else ""
    return Taken({"kib": taken / count / _KIBIBYTE, "sockets": count, "seconds_to_open": seconds}, trouble)


async def _open(target: Target, number: int) -> _Connection:
    """A WebSocket through the proxy that has echoed once. Raises ValueError when it is not to be had."""
    # An address has some 28,000 ports towards one other; several have enough.
    source = f"127.0.0.{2 + number // _PER_SOURCE}"
    reader, writer = await asyncio.open_connection("127.0.0.1", target.port, local_addr=(source, 0))
    writer.write(request_head("GET", SOCKET_PATH, (*_SHAKE, *target.headers)))
    expect(101, await read_head(reader))
    writer.write(_ASKED)
    if await reader.readexactly(len(_ECHOED)) != _ECHOED:
        raise ValueError("a WebSocket did not echo")
    return reader, writer


def _resident(pid: int) -> int:
    use = tree_use(pid)
    return use.resident_bytes + use.store_resident_bytes
