"""The command `python -m bench.connector`: CPU of one small GET, our connector beside aiohttp's ClientSession."""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import uvloop
from yarl import URL

from bench.candidate import BODY, started
from bench.machine import split_cores
from bench.peers import NGINX_UPSTREAM
from bench.processes import Unavailable
from gateway.upstream.address import parse_address
from gateway.upstream.connector import UpstreamConnector

_CONCURRENCY = 32
_TARGET = "/bench?page=1"
_HEADERS = {
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Safari/537.36",
    "accept": "*/*",
    "accept-encoding": "gzip, deflate, br, zstd",
    "cookie": "session=0123456789abcdef0123456789abcdef",
    "x-forwarded-for": "203.0.113.7",
}

Get = Callable[[], Awaitable[int]]
"""One GET: gives the number of body bytes."""


@asynccontextmanager
async def our_connector(port: int) -> AsyncIterator[Get]:
    """The gateway's own connector."""
    upstream = UpstreamConnector(parse_address(f"http://127.0.0.1:{port}"))
    headers = [(b"host", upstream.address.authority)]
    headers += [(name.encode(), value.encode()) for name, value in _HEADERS.items()]
    target = _TARGET.encode()

    async def get() -> int:
        answer = await upstream.send(b"GET", target, headers, None)
        size = 0
        while piece := await answer.read():
            size += len(piece)
        return size

    try:
        yield get
    finally:
        await upstream.close()


@asynccontextmanager
async def aiohttp_session(port: int) -> AsyncIterator[Get]:
    """aiohttp's ClientSession, set up to change nothing on the way, as a proxy needs it."""
    url = URL(f"http://127.0.0.1:{port}{_TARGET}", encoded=True)
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        headers=_HEADERS,
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=60),
    ) as session:

        async def get() -> int:
            size = 0
            async with session.get(url, allow_redirects=False) as answer:
                async for piece in answer.content.iter_any():
                    size += len(piece)
            return size

        yield get


CLIENTS = {"our connector": our_connector, "aiohttp ClientSession": aiohttp_session}


async def cpu_per_request(get: Get, requests: int) -> float:
    """Microseconds of this process, user and system, for one of `requests` GETs, 32 at a time."""

    async def ask(times: int) -> None:
        for _ in range(times):
            if await get() != len(BODY):
                raise RuntimeError("the upstream answered something else than its body")

    await asyncio.gather(*(ask(20) for _ in range(_CONCURRENCY)))  # opens the connections
    each = max(1, requests // _CONCURRENCY)
    before = time.process_time_ns()
    await asyncio.gather(*(ask(each) for _ in range(_CONCURRENCY)))
    return (time.process_time_ns() - before) / 1000 / (each * _CONCURRENCY)


async def measure(port: int, rounds: int, requests: int) -> dict[str, list[float]]:
    """Both take turns, so that a machine that gets slower makes both slower."""
    samples: dict[str, list[float]] = {name: [] for name in CLIENTS}
    for number in range(1, rounds + 1):
        for name, client in CLIENTS.items():
            async with client(port) as get:
                samples[name].append(await cpu_per_request(get, requests))
            print(f"round {number} of {rounds}: {name} {samples[name][-1]:.1f} us", file=sys.stderr, flush=True)
    return samples


def table(samples: dict[str, list[float]]) -> str:
    """Medians and ranges, and each as a multiple of the first."""
    first = next(iter(samples.values()))
    lines = [f"{'':24}{'CPU us/request':>16}{'range':>16}{'x ours':>8}"]
    for name, values in samples.items():
        ratio = statistics.median(value / ours for value, ours in zip(values, first, strict=True))
        spread = f"{min(values):.1f}-{max(values):.1f}"
        lines.append(f"{name:24}{statistics.median(values):>16.1f}{spread:>16}{ratio:>8.2f}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.connector", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=20_000, help="per client and round (20000)")
    options = parser.parse_args(arguments)
    cores = split_cores()
    os.sched_setaffinity(0, cores.proxy)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        Path(folder).chmod(0o755)  # nginx runs without privileges
        try:
            with started(NGINX_UPSTREAM, Path(folder) / "upstream", 0, cores.load) as upstream:
                print(table(uvloop.run(measure(upstream.target.port, options.rounds, options.requests))))
        except Unavailable as problem:
            print(problem, file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print("interrupted: nginx has been ended", file=sys.stderr)
            return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
