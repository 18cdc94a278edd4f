"""The gateways of the rig: the naive one, and the real one as its users start it."""

from __future__ import annotations

import contextlib
import http.client
import importlib.util
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.free_port import free_port

from .message import EXPIRED
from .rig import OWN_CODE, Absent, Server, StartFailed, running, uvicorn

_CONFIG = """\
listen: 127.0.0.1:{port}
admin: {{listen: "127.0.0.1:{admin_port}"}}
upstream: {{url: "http://127.0.0.1:{upstream_port}"}}
store: embedded
data: "{data}"
trusted_proxies: [127.0.0.1/32]
identity:
  - header: {{name: x-user-id}}
trial: {{length: 14d, starts: first-visit}}
results_after_trial: {{mode: {mode}, grace: 0 per 30d}}
frameworks: [{frameworks}]
routes:{before}
  - {{path: "/api/result/{{id}}", class: result, name: the-result{methods}}}
  - {{path: "/**", class: open}}
holds: {{max_count: 10000, ttl: 2s}}
# {number}
"""
"""No limit to the holds of one subject: a gateway that has ceased to hold would only be tried at refusing.
And each is forgotten soon: to count thousands of them takes the store longer than anybody waits for it."""


@dataclass(frozen=True, slots=True)
class Site:
    """How an application is put behind the gateway: what the config says besides the one route that yields results."""

    methods: str = ""
    """Those of that route, such as `GET, POST`; every method when empty."""
    before: tuple[str, ...] = ()
    """Routes that stand before it, each as the config has them."""
    frameworks: str = ""
    """What the application is built with."""

    def settings(self) -> dict[str, object]:
        """What it is in the config."""
        return {
            "methods": f", methods: [{self.methods}]" if self.methods else "",
            "before": "".join(f"\n  - {route}" for route in self.before),
            "frameworks": self.frameworks,
        }


AS_EVERYWHERE = Site()

_FACTORY = "gateway.asgi:create_app"

FRONTS = ("uvicorn", "granian")
"""What the gateway can be started on."""


def paywall() -> list[str]:
    """The `paywall` command: `PAYWALL_COMMAND` if set, else the one installed beside this Python. Raises `Absent`."""
    if chosen := os.environ.get("PAYWALL_COMMAND"):
        return shlex.split(chosen)
    installed = shutil.which("paywall", path=str(Path(sys.executable).parent))
    if installed is None or importlib.util.find_spec("gateway.cli.main") is None:
        raise Absent("the paywall command is not installed beside this Python: run `pip install -e .`.")
    return [installed]


@contextlib.contextmanager
def naive(upstream: Server, folder: Path, host: str = "127.0.0.1") -> Iterator[Server]:
    """The known-bad twin before this application, which it calls by this name."""

    command = uvicorn("naive", "--lifespan=off", "--log-level=critical")
    environment = OWN_CODE | {"UPSTREAM": f"http://{host}:{upstream.port}"}
    with running(f"naive-{upstream.name}", command, folder, environment) as server:
        yield server


class RealGateway:
    """The real gateway, running, with the expired subject prepared; it can be sent before one application after another
    by a new config, as its users do it."""

    def __init__(self, config: Path, port: int, settings: dict[str, object]) -> None:
        self.port = port
        self._config, self._settings = config, settings
        self._number = 0

    def stand_before(self, upstream: Server, mode: str, site: Site = AS_EVERYWHERE) -> Server:
        """From now on it is before this application. `mode` is how it keeps results back: `block` or `hold`."""
        self._write(upstream, mode, site)
        connection = http.client.HTTPConnection("127.0.0.1", int(str(self._settings["admin_port"])), timeout=10)
        with contextlib.closing(connection):
            connection.request("POST", "/reload")
            answer = connection.getresponse().read()
        if json.loads(answer)["result"] not in ("accepted", "unchanged"):
            raise StartFailed(f"the config for {upstream.name} is not taken: {answer!r}")
        return Server(f"{mode}-{upstream.name}", self.port)

    def _write(self, upstream: Server, mode: str, site: Site) -> None:
        self._number += 1  # so that it is another config each time, and everything is made anew
        self._settings |= {"upstream_port": upstream.port, "mode": mode, "number": self._number, **site.settings()}
        self._config.write_text(_CONFIG.format(**self._settings))


class HostedGateway(RealGateway):
    """The same on granian, where no config is read again: it is started anew before each application."""

    def __init__(self, folder: Path, settings: dict[str, object], resources: contextlib.ExitStack) -> None:
        super().__init__(folder / "gateway-granian.yaml", 0, settings)
        self._folder, self._resources = folder, resources

    def stand_before(self, upstream: Server, mode: str, site: Site = AS_EVERYWHERE) -> Server:
        """See the base."""
        self._resources.close()
        self._settings.update(port=free_port(), admin_port=free_port())
        self._write(upstream, mode, site)
        environment = {"PAYWALL_CONFIG": str(self._config)}
        started = running("gateway-granian", self._command, self._folder, environment, ready=is_ready)
        self.port = self._resources.enter_context(started).port
        prepare_expired(self._config)
        return Server(f"{mode}-{upstream.name}-granian", self.port)

    @staticmethod
    def _command(port: int, _: Path) -> list[str]:
        where = ("--host", "127.0.0.1", "--port", str(port))
        return [sys.executable, "-m", "granian", "--interface", "asgi", "--http", "1", "--factory", *where, _FACTORY]


@contextlib.contextmanager
def real(folder: Path, front: str = "uvicorn", program: Sequence[str] = ()) -> Iterator[RealGateway]:
    """The real gateway, on one of `FRONTS`; `program` in place of the `paywall` command. Raises `Absent`,
    `StartFailed`."""
    config = folder / f"gateway-{front}.yaml"
    settings: dict[str, object] = {
        **{"upstream_port": 1, "mode": "block", "number": 0, **AS_EVERYWHERE.settings()},
        "data": folder / f"data-{front}",
    }
    if front != "uvicorn":
        if importlib.util.find_spec(front) is None:
            raise Absent(f"{front} is not installed beside this Python: run `pip install {front}`.")
        with contextlib.ExitStack() as resources:
            yield HostedGateway(folder, settings, resources)
        return
    command_line = program or paywall()

    def command(port: int, _: Path) -> list[str]:
        settings.update(port=port, admin_port=free_port())
        config.write_text(_CONFIG.format(**settings))
        return [*command_line, "run", "--config", str(config), "--listen", f"127.0.0.1:{port}"]

    with running(f"gateway-{front}", command, folder, ready=is_ready) as server:
        prepare_expired(config)
        yield RealGateway(config, server.port, settings)


def prepare_expired(config: Path) -> None:
    """End the expired subject's trial at the running gateway with this config."""
    arguments = [*paywall(), "subject", "expire", f"person:{EXPIRED}", "--config", str(config)]
    subprocess.run(arguments, check=True, timeout=60, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def is_ready(port: int) -> bool:
    """Whether a gateway answers on this port, and its store too."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/_paywall/health/ready")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
