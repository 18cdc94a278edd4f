"""The gateways of the rig: the naive one, and the real one as its users start it."""

from __future__ import annotations

import contextlib
import http.client
import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.free_port import free_port

from .message import EXPIRED
from .rig import OWN_CODE, Absent, Server, running, uvicorn

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
routes:
  - {{path: "/api/result/{{id}}", class: result, name: the-result}}
  - {{path: "/**", class: open}}
holds: {{max_count: 10000}}
"""
"""No limit to the holds of one subject: a gateway that has ceased to hold would only be tried at refusing."""


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


@contextlib.contextmanager
def real(upstream: Server, mode: str, folder: Path) -> Iterator[Server]:
    """The real gateway before this application, with the expired subject prepared.

    `mode` is how it keeps results back: `block` or `hold`. Raises `Absent` or `StartFailed`.
    """
    program = paywall()
    config = folder / f"{upstream.name}-{mode}.yaml"

    def command(port: int, _: Path) -> list[str]:
        data = folder / f"{upstream.name}-{mode}-data"
        values = {"port": port, "admin_port": free_port(), "upstream_port": upstream.port, "data": data, "mode": mode}
        config.write_text(_CONFIG.format(**values))
        return [*program, "run", "--config", str(config), "--listen", f"127.0.0.1:{port}"]

    with running(f"{mode}-{upstream.name}", command, folder, ready=is_ready) as server:
        prepare_expired(config)
        yield server


def prepare_expired(config: Path) -> None:
    """End the expired subject's trial at the running gateway with this config."""
    arguments = [*paywall(), "subject", "expire", f"person:{EXPIRED}", "--config", str(config)]
    subprocess.run(arguments, check=True, timeout=60, stdin=subprocess.DEVNULL)


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
