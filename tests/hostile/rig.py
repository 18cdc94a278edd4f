"""Starts the applications behind the gateway and the gateways before them, each on a free port, and ends them all."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.free_port import free_port

_HERE = Path(__file__).parent
_APPS = _HERE / "upstreams"
NODE_MODULES = _APPS / "node_modules"
"""Express and the other frameworks of Node.js, once they are installed."""
_PACKAGE = __name__.rpartition(".")[0]

OWN_CODE = {"PYTHONPATH": str(_HERE.parents[_PACKAGE.count(".")])}
"""The environment in which another Python finds this package under the name it has here."""

_START_S = 30.0
_STOP_S = 10.0
_ATTEMPTS = 3


class Absent(Exception):
    """Something that is not installed here; says what, and how to get it."""


class StartFailed(Exception):
    """A server did not come up; carries its last words."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server on 127.0.0.1."""

    name: str
    port: int


Command = Callable[[int, Path], list[str]]
"""Makes the command line of a server from its port and a folder of its own."""


@contextlib.contextmanager
def running(
    name: str,
    command: Command,
    folder: Path,
    environment: Mapping[str, str] | None = None,
    ready: Callable[[int], bool] | None = None,
) -> Iterator[Server]:
    """A server process, from the moment it is ready until the end of the block. Raises `StartFailed`."""
    process, port = _start(name, command, folder, environment or {}, ready or _listens)
    try:
        yield Server(name, port)
    finally:
        _stop(process)


def _start(
    name: str, command: Command, folder: Path, environment: Mapping[str, str], ready: Callable[[int], bool]
) -> tuple[subprocess.Popen[bytes], int]:
    log = folder / f"{name}.log"
    # Between choosing a port and listening on it, anyone may take it: then the process ends, and another port is tried.
    for _ in range(_ATTEMPTS):
        port = free_port()
        with log.open("wb") as output:
            process = subprocess.Popen(
                command(port, folder),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **environment},
                cwd=folder,
                start_new_session=True,
            )
        end = time.monotonic() + _START_S
        while process.poll() is None and time.monotonic() < end:
            if ready(port):
                return process, port
            time.sleep(0.02)
        _stop(process)
    raise StartFailed(f"{name} did not come up. It said: {log.read_text(errors='replace')[-2000:] or 'nothing'}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        pass
    finally:
        # Whatever it started and left behind is in its own process group.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def uvicorn(module: str, *options: str, package: str = _PACKAGE) -> Command:
    """An ASGI application of a package: its module, whose `app` it is, and uvicorn's options."""
    arguments = ("-m", "uvicorn", *options, f"{package}.{module}:app")
    return lambda port, folder: [sys.executable, *arguments, f"--port={port}"]


def waitress(module: str, package: str = _PACKAGE) -> Command:
    """A WSGI application of a package: its module, whose `app` it is."""
    arguments = ("-m", "waitress", "--threads=4", "--connection-limit=1000", "--channel-timeout=30")
    return lambda port, folder: [sys.executable, *arguments, f"--listen=127.0.0.1:{port}", f"{package}.{module}:app"]


def express(script: Path, *options: str) -> Command:
    """An application on Node.js, such as one in Express: its script, and Node's options."""

    def command(port: int, folder: Path) -> list[str]:
        if shutil.which("node") is None or shutil.which("npm") is None:
            raise Absent("node and npm are not installed: Express cannot run. Install Node.js 20 or later.")
        if not NODE_MODULES.is_dir():
            subprocess.run(
                ["npm", "ci", "--no-audit", "--no-fund"], cwd=_APPS, check=True, capture_output=True, timeout=300
            )
        return ["node", *options, str(script), str(port)]

    return command


def program(name: str) -> str:
    """Where a program of the host is. Raises `Absent`."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        raise Absent(f"{name} is not installed: install the package that has it.")
    return found


def nginx(template: Path, **values: object) -> Command:
    """nginx with a config made of this template; its folder and port are filled in besides the values."""

    def command(port: int, folder: Path) -> list[str]:
        config = _filled(template, folder, port, values)
        return [program("nginx"), "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(config)]

    return command


def haproxy(template: Path, **values: object) -> Command:
    """HAProxy with a config made of this template, as nginx."""
    return lambda port, folder: [program("haproxy"), "-db", "-f", str(_filled(template, folder, port, values))]


def php(script: Path) -> Command:
    """A PHP script that every request to PHP's own server goes to."""
    return lambda port, folder: [program("php"), "-S", f"127.0.0.1:{port}", str(script)]


def _filled(template: Path, folder: Path, port: int, values: Mapping[str, object]) -> Path:
    text = template.read_text()
    for name, value in {"folder": folder, "port": port, **values}.items():
        text = text.replace(f"${{{name}}}", str(value))
    config = folder / template.name.removesuffix(".template")
    config.write_text(text)
    return config
