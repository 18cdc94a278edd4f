"""Datasette, an application like those the gateway is made for, with the flights in it."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

START_SECONDS = 30.0


class ApplicationFailed(Exception):
    """Datasette did not start. `str()` says why."""


@contextlib.contextmanager
def datasette(database: Path, folder: Path) -> Iterator[str]:
    """Run Datasette while the block lasts; gives its address. Raises `ApplicationFailed`."""
    if find_spec("datasette") is None:
        raise ApplicationFailed("Datasette is not installed: pip install 'paywall-gateway[demo]'")
    port = _free_port()
    log = folder / "datasette.log"
    command = [
        sys.executable, "-m", "datasette", "serve", "--immutable", str(database), "--host", "127.0.0.1",
        "--port", str(port), "--setting", "max_csv_mb", "0", "--setting", "sql_time_limit_ms", "10000",
    ]  # fmt: skip
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)  # noqa: S603
        try:
            _wait(process, port, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            _end(process)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            words = log.read_text("utf-8", "replace").strip().splitlines()[-3:]
            raise ApplicationFailed("Datasette ended at once: " + " / ".join(words))
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise ApplicationFailed(f"Datasette did not answer within {START_SECONDS:.0f} s; see {log}")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
