"""The applications of the rig and the gateways before them, each called by name: localhost."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import os
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path
from typing import TypeVar

from tests.free_port import free_port
from tests.hostile.gateways import is_ready, paywall
from tests.hostile.rig import (
    NODE_MODULES,
    OWN_CODE,
    Command,
    Server,
    express,
    nginx,
    running,
    uvicorn,
    waitress,
)

from .documented import FORWARDING, HOP_BY_HOP
from .questions import Habits

T = TypeVar("T")

_APPS = Path(__file__).parent / "applications"
_PACKAGE = f"{__name__.rpartition('.')[0]}.applications"

EXACT = "exact"
"""The application that answers byte for byte as told; it runs within the rig itself."""
FRAMEWORKS = ("express5", "flask", "django", "fastapi", "nginx")
APPLICATIONS = (EXACT, *FRAMEWORKS)

_FILES = {
    "a.txt": b"a line of text\n" * 500,
    "b.html": b"<p>hello",
    "c.json": b'{"a": 1}' * 90,
    "d.bin": bytes(range(256)) * 800,
    "empty.txt": b"",
}
_FILE_TIME = 783459811
_TOLD_BY_STATUS = (201, 204, 206, 301, 302, 304, 400, 401, 404, 405, 409, 410, 418, 422, 429, 500, 503)

_CONFIG = """\
listen: 127.0.0.1:{port}
admin: {{listen: "127.0.0.1:{admin}"}}
upstream: {{url: "http://localhost:{upstream}", keepalive: {keepalive}}}
store: embedded
data: "{data}"
{more}
"""
_EVERYTHING = """\
trusted_proxies: [{proxies}]
identity:
  - api_key: {{from: "header:x-user-id"}}
trial: {{length: 14d, starts: first-visit}}
routes:
  - {{path: "/**", class: {route_class}, name: everything}}
"""
_WEIGHED = """\
identity:
  - api_key: {from: "header:x-user-id"}
routes:
  - {path: "/**", body: {kind: report}, class: result, name: report}
  - {path: "/**", class: result, name: everything}
"""
"""Every body is read before it is decided what becomes of the request."""


@contextlib.asynccontextmanager
async def beside_the_loop(starting: contextlib.AbstractContextManager[T]) -> AsyncIterator[T]:
    """The same, with its start and its end in a thread: neither keeps the loop waiting."""
    entering = asyncio.create_task(asyncio.to_thread(starting.__enter__))
    try:
        yield await asyncio.shield(entering)
    finally:
        # Whoever is interrupted while it starts must end what has started all the same.
        await asyncio.wait([entering])
        if entering.exception() is None:
            await asyncio.to_thread(starting.__exit__, None, None, None)


@dataclass(frozen=True, slots=True)
class Gateway:
    """A running gateway: its port, its operators' port, and its config."""

    port: int
    admin: int
    config: Path

    def short_way_requests(self) -> int:
        """How many requests have crossed from protocol to protocol."""
        connection = http.client.HTTPConnection("127.0.0.1", self.admin, timeout=10)
        try:
            connection.request("GET", "/metrics")
            text = connection.getresponse().read().decode()
        finally:
            connection.close()
        found = re.search(r"^paywall_short_way_requests_total (\S+)$", text, re.MULTILINE)
        return int(float(found[1])) if found else 0


@contextlib.contextmanager
def gateway(name: str, upstream: int, folder: Path, more: str, keepalive: str = "4s") -> Iterator[Gateway]:
    """The real gateway before an application on this port. `more` is the rest of its config. Raises `Absent`."""
    program = paywall()
    config, admin = folder / f"{name}.yaml", free_port()

    def command(port: int, _: Path) -> list[str]:
        values = {"port": port, "admin": admin, "upstream": upstream, "keepalive": keepalive, "more": more}
        config.write_text(_CONFIG.format(data=folder / f"{name}-data", **values))
        return [*program, "run", "--config", str(config), "--listen", f"127.0.0.1:{port}"]

    with running(name, command, folder, ready=is_ready) as server:
        yield Gateway(server.port, admin, config)


def everything(route_class: str, trusted: bool = False) -> str:
    """The rest of a config in which every request is for a route of this class, by a subject in trial.

    `trusted`: whoever asks is a proxy whose word counts.
    """
    return _EVERYTHING.format(route_class=route_class, proxies="127.0.0.1/32" if trusted else "")


@dataclass(frozen=True, slots=True)
class Passage:
    """A way to the application: by a gateway, or without one."""

    name: str
    port: int
    on_result_route: bool = False
    trusted: bool = False
    """Whether the gateway takes its client for one of the proxies whose word counts."""
    gateway: Gateway | None = None


@contextlib.contextmanager
def passages(upstream: int, folder: Path, all_of_them: bool) -> Iterator[list[Passage]]:
    """Ways to the application on this port, the direct one first; all of them, or those that differ most."""

    @contextlib.contextmanager
    def way(
        name: str, more: str, results: bool = False, trusted: bool = False, keepalive: str = "4s"
    ) -> Iterator[Passage]:
        with gateway(name, upstream, folder, more, keepalive) as started:
            yield Passage(name, started.port, results, trusted, started)

    ways = [
        way("short", everything("open")),
        way("long", everything("open", trusted=True), trusted=True, keepalive="0s"),
        way("trial", everything("result"), results=True),
    ]
    if all_of_them:
        ways.append(way("weighed", _WEIGHED, results=True))
    with _at_once(ways) as started:
        yield [Passage("direct", upstream), *started]


@contextlib.contextmanager
def _at_once(starting: Sequence[contextlib.AbstractContextManager[T]]) -> Iterator[list[T]]:
    """All of these, which start and end beside each other."""
    with ThreadPoolExecutor(len(starting)) as pool:
        started = [pool.submit(each.__enter__) for each in starting]
        try:
            yield [each.result() for each in started]
        finally:
            there = [manager for manager, each in zip(starting, started, strict=True) if each.exception() is None]
            for ended in [pool.submit(manager.__exit__, None, None, None) for manager in there]:
                ended.result()


@contextlib.contextmanager
def framework(name: str, folder: Path) -> Iterator[tuple[Server, Habits]]:
    """One of `FRAMEWORKS`, and what it can be asked. Raises `Absent` or `StartFailed`."""
    commands: dict[str, Command] = {
        "express5": express(_APPS / "express_app.js", "--max-http-header-size=262144"),
        "flask": waitress("flask_app", _PACKAGE),
        "django": waitress("django_app", _PACKAGE),
        "fastapi": uvicorn("fastapi_app", "--log-level=error", "--timeout-keep-alive=75", package=_PACKAGE),
        "nginx": nginx(_APPS / "nginx.conf.template", statuses=_statuses()),
    }
    left_out = b" ".join((*sorted(HOP_BY_HOP | FORWARDING), b"x-answer")).decode()
    environment = OWN_CODE | {"LEFT_OUT": left_out, "EXPRESS": str(NODE_MODULES / "express5")}
    habits = Habits(files=_write_files(folder), conditions=_conditions()) if name == "nginx" else Habits()
    with running(name, commands[name], folder, environment) as server:
        yield server, habits


def _statuses() -> str:
    return "\n".join(
        f"            if ($http_x_status = {status}) {{ return {status} {_what(status)}; }}"
        for status in _TOLD_BY_STATUS
    )


def _what(status: int) -> str:
    return "/next?a=b" if status in (301, 302) else f'"status {status} $request_uri\\n"'


def _write_files(folder: Path) -> tuple[bytes, ...]:
    there = folder / "files"
    (there / "folder").mkdir(parents=True)
    for name, data in _FILES.items():
        (there / name).write_bytes(data)
        os.utime(there / name, (_FILE_TIME, _FILE_TIME))
    return tuple(f"/files/{name}".encode() for name in (*_FILES, "folder", "missing.txt", "a.txt/", "./a.txt"))


def _conditions() -> tuple[tuple[bytes, bytes], ...]:
    tag = f'"{_FILE_TIME:x}-{len(_FILES["a.txt"]):x}"'.encode()
    date = formatdate(_FILE_TIME, usegmt=True).encode()
    return (
        (b"Range", b"bytes=0-9"), (b"Range", b"bytes=-3"), (b"Range", b"bytes=99999999-"), (b"If-None-Match", tag),
        (b"If-Modified-Since", date), (b"If-Range", tag),
    )  # fmt: skip
