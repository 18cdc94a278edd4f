"""Two real servers for every test of the store: the embedded Valkey, and the Redis 7.0 that Debian ships."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from gateway.core.subject import Subject
from gateway.store.connection import Store, open_store
from gateway.store.embedded.server import EmbeddedStore
from gateway.store.embedded.server_socket import Health, ask
from gateway.store.transport.script import Script

from .fleet import REDIS, cluster_address, fleet, require, start_cluster, wait_until
from .strict import strict


@pytest.fixture(scope="session", autouse=True)
def watched_verbs() -> None:
    """Every verb of the tests here refuses to be stopped half-way (see `strict`)."""
    for module in [module for name, module in sys.modules.items() if name.startswith("gateway.store.")]:
        for name, value in vars(module).copy().items():
            if isinstance(value, Script):
                setattr(module, name, strict(value))


@pytest.fixture(scope="session")
def embedded_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with EmbeddedStore(tmp_path_factory.mktemp("embedded"), report=print) as url:
        yield url


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    require()
    with redis_server(tmp_path_factory.mktemp("redis")) as url:
        yield url


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """Debian's Redis on the data of this folder; its address."""
    socket = folder / "s"
    arguments = ["--port", "0", "--unixsocket", str(socket), "--dir", str(folder), "--save", ""]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([REDIS, *arguments, "--appendonly", "yes", "--appendfsync", "always"], stdout=log)
    try:
        wait_until(lambda: ask(socket) is Health.READY, "Redis answers")
        yield f"unix://{socket}"
    finally:
        server.terminate()
        server.wait(10)


@pytest.fixture(scope="session")
def cluster_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with fleet(tmp_path_factory.mktemp("cluster")) as servers:
        yield cluster_address(start_cluster(servers))


class OwnServer:
    """A server of one test, which can go away and come back with its data."""

    def __init__(self, made: Callable[[], AbstractContextManager[str]]) -> None:
        self._made, self._running = made, ExitStack()
        self.url = ""

    def start(self) -> None:
        self.url = patient(self._running.enter_context(self._made()))

    def stop(self) -> None:
        self._running.close()


@pytest.fixture(params=["valkey", "redis"])
def own_server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OwnServer]:
    if request.param == "redis":
        request.getfixturevalue("redis_url")  # skips where there is none
    folder = tmp_path / "server"
    folder.mkdir()
    made: Callable[[], AbstractContextManager[str]] = lambda: EmbeddedStore(folder, report=print)  # noqa: E731
    server = OwnServer(made if request.param == "valkey" else lambda: redis_server(folder))
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=["embedded", "redis", "cluster"])
def url(request: pytest.FixtureRequest) -> str:
    return patient(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture(params=["embedded", "redis"])
def server_url(request: pytest.FixtureRequest) -> str:
    """One server, for what is about one connection."""
    return patient(request.getfixturevalue(f"{request.param}_url"))


def patient(url: str) -> str:
    """The same server with time to answer on a busy machine: for tests that are not about time."""
    return f"{url}?socket_timeout=20&socket_connect_timeout=20&timeout=20"


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    async with emptied(url) as opened:
        for node in opened.link.nodes:
            # Waiting for the disk is tested by itself; everywhere else it would only be slow.
            await node.ask(("CONFIG", "SET", "appendfsync", "always"))
        yield opened


@asynccontextmanager
async def emptied(url: str) -> AsyncIterator[Store]:
    """The store at this address, with nothing in it: payments of all tests have the same names, and one payment belongs
    to one subject for ever."""
    opened = open_store(url)
    await opened.link.ping()
    for node in opened.link.nodes:
        await node.ask(("FLUSHALL", "SYNC"))
    await opened.start()
    yield opened
    await opened.stop()


@pytest.fixture
def subject() -> Subject:
    return new_subject()


def new_subject() -> Subject:
    return Subject.parse(f"person:{uuid.uuid4().hex}@example.org")


async def until(condition: Callable[[], bool], what: str, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        await asyncio.sleep(0.01)


def plain(url: str) -> str:
    """The address alone, for a client that is not ours."""
    return url.partition("?")[0]
