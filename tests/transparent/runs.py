"""Each oracle with all that it needs, started and ended: for the tests in short, for the command at length."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.hostile.gateways import naive
from tests.hostile.rig import Server

from . import stale, users
from .exchanges import Difference, Tell, compare_all, site
from .rig import EXACT, Passage, beside_the_loop, gateway, passages

TRIALS = ("14d", "0s")
"""Subjects of the races: first with a right to every result, then with results to spend."""


@dataclass(slots=True)
class Comparison:
    """The exchanges of one application."""

    differences: list[Difference]
    short_way: dict[str, int] = field(default_factory=dict)
    """By passage, how many requests crossed from protocol to protocol."""


async def compare(
    application: str, folder: Path, numbers: Iterable[int], seed: int, done: Tell = lambda _: None, twin: bool = False
) -> Comparison:
    """Exchanges with this application, with a gateway and without; `twin`: with the known-bad one."""
    async with site(application, folder) as there:
        started = _past_the_naive(there.port, folder) if twin else passages(there.port, folder, application == EXACT)
        async with beside_the_loop(started) as ways:
            found = await compare_all(there, ways, numbers, seed, done)
            counts = {way.name: way.gateway.short_way_requests() for way in ways if way.gateway is not None}
    complaints = there.exact.complaints if there.exact is not None else []
    return Comparison(found + [Difference(application, "any", -1, [each]) for each in complaints], counts)


async def mingle(folder: Path, count: int, seed: int, done: Tell = lambda _: None, twin: bool = False) -> users.Report:
    """Many users over shared connections."""
    async with (
        users.Sessions.running(seed) as application,
        _before(application.port, folder, users.ROUTES, twin) as port,
    ):
        return await users.mingle(application, port, count, seed, done)


async def race(
    folder: Path, races: int, seed: int, trial: str, done: Tell = lambda _: None, twin: bool = False
) -> stale.Report:
    """An application that ends connections at the worst moment."""
    async with (
        stale.Fickle.running(seed) as application,
        _before(application.port, folder, stale.routes(trial), twin) as port,
    ):
        report = await stale.race(application, port, races, seed, done)
    report.faults += application.complaints
    return report


@contextlib.asynccontextmanager
async def _before(upstream: int, folder: Path, more: str, twin: bool) -> AsyncIterator[int]:
    """The port of a gateway before this one."""
    if twin:
        async with beside_the_loop(naive(Server("twin", upstream), folder, "localhost")) as server:
            yield server.port
    else:
        async with beside_the_loop(gateway("gateway", upstream, folder, more)) as started:
            yield started.port


@contextlib.contextmanager
def _past_the_naive(upstream: int, folder: Path) -> Iterator[list[Passage]]:
    with naive(Server("twin", upstream), folder, "localhost") as server:
        yield [Passage("direct", upstream), Passage("naive", server.port)]
