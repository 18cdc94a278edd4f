"""The running parts of the hostile test, started when first asked for and ended with the session."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

from . import gateways
from .applications import APPLICATIONS, REPRESENTATIVES, upstream
from .collector import Collector
from .judge import Judge
from .rig import Absent, Server

_COUNTS = pytest.StashKey[list[str]]()


class Bench:
    """Applications, their beacons, and the judge. `absent` says why an application is missing."""

    def __init__(self, folder: Path, counts: list[str]) -> None:
        self._resources = contextlib.ExitStack()
        self._started: dict[str, Server] = {}
        self._gateway: gateways.RealGateway | None = None
        self._counts = counts
        self.folder = folder
        self.collector = Collector()
        self._resources.callback(self.collector.close)
        self.judge = Judge(self.collector)
        self.reached_directly: dict[str, set[str]] = {}
        """By application, the names of the variants that reach its result without a gateway; filled by that test."""

    def application(self, name: str) -> Server:
        """This application, started at its first use. Raises `Absent`."""
        if name not in self._started:
            folder = self.folder / name
            folder.mkdir(exist_ok=True)
            self._started[name] = self._resources.enter_context(upstream(name, self.collector, folder))
        return self._started[name]

    def gateway(self, application: Server, mode: str) -> Server:
        """The real gateway before this application: always the same one, with another config. Raises `Absent`."""
        if self._gateway is None:
            self._gateway = self._resources.enter_context(gateways.real(self.folder))
        return self._gateway.stand_before(application, mode)

    def count(self, line: str) -> None:
        """A line for the summary."""
        self._counts.append(line)

    def close(self) -> None:
        """End everything."""
        self._resources.close()


def skip_absent(reason: Absent) -> NoReturn:
    """Skip here; fail in continuous integration, where nothing may be absent."""
    if os.environ.get("CI") == "true":
        pytest.fail(str(reason), pytrace=False)
    pytest.skip(str(reason))


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_COUNTS] = []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if lines := config.stash.get(_COUNTS, []):
        terminalreporter.section("hostile variants")
        for line in lines:
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Bench]:
    running = Bench(tmp_path_factory.mktemp("hostile"), pytestconfig.stash[_COUNTS])
    yield running
    running.close()


@pytest.fixture(params=APPLICATIONS)
def application(request: pytest.FixtureRequest, bench: Bench) -> Server:
    """Each application in turn."""
    try:
        return bench.application(request.param)
    except Absent as reason:
        skip_absent(reason)


@dataclass(frozen=True, slots=True)
class Gated:
    """The real gateway, the application behind it, and how it keeps results back."""

    server: Server
    application: Server
    mode: str


_PAIRS = [(name, "block") for name in APPLICATIONS] + [(name, "hold") for name in REPRESENTATIVES]


@pytest.fixture(scope="module", params=_PAIRS, ids="-".join)
def gateway(request: pytest.FixtureRequest, bench: Bench) -> Gated:
    """The real gateway before each application, with the expired subject prepared."""
    name, mode = request.param
    try:
        application = bench.application(name)
        return Gated(bench.gateway(application, mode), application, mode)
    except Absent as reason:
        skip_absent(reason)
