"""A real server that speaks the protocol of S3, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from tests.free_port import free_port
from tests.store.fleet import wait_until

KEYS = {"HOLDS_KEY_ID": "key", "HOLDS_KEY": "secret"}
"""What stands in the environment of whoever uses it."""


@contextmanager
def server_of_buckets() -> Iterator[str]:
    """Its address; what it has is gone when it ends."""
    address = f"http://127.0.0.1:{(port := free_port())}"
    program = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: server.poll() is None and _answers(address), "the server of buckets answers")
        yield address
    finally:
        server.kill()
        server.wait(10)


def make_bucket(address: str, name: str) -> None:
    """Make a bucket."""
    urllib.request.urlopen(urllib.request.Request(f"{address}/{name}", method="PUT"), timeout=10).close()


def _answers(address: str) -> bool:
    try:
        urllib.request.urlopen(f"{address}/moto-api/", timeout=1).close()
    except OSError:
        return False
    return True
