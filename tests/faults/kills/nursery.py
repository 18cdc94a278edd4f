"""Gateway processes by the hundred: one process imports everything once, and each gateway is a fork of it.

What comes out of it is `paywall run` with its arguments, its sockets and its files; it only has not to be imported
again.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SECRET = "PAYWALL_SECRET"


class Process:
    """A gateway that was started, as seen from outside."""

    def __init__(self, pid: int) -> None:
        self.pid, self._handle = pid, os.pidfd_open(pid)

    @property
    def ended(self) -> bool:
        """Whether it is gone."""
        return bool(select.select([self._handle], [], [], 0)[0])

    def end(self, number: signal.Signals = signal.SIGKILL, seconds: float = 20.0) -> None:
        """Send it this and wait for its end."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._handle, number)
        if not select.select([self._handle], [], [], seconds)[0]:
            raise AssertionError(f"process {self.pid} did not end by {number.name} within {seconds:g} s")

    def close(self) -> None:
        """Look at it no longer."""
        os.close(self._handle)


class Nursery:
    """The process that gateways are forked from. For several threads."""

    def __init__(self) -> None:
        # A session of its own: Ctrl-C in the terminal is for whoever started us, and ends this in order.
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.forking"], cwd=ROOT, text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, start_new_session=True, env={**os.environ, SECRET: secrets.token_hex(32)},
        )  # fmt: skip
        self._turn = threading.Lock()

    def start(self, arguments: Sequence[str], log: Path, countdown: Path, twin: str = "") -> Process:
        """A gateway with these arguments of `paywall`; what it says goes to the log."""
        order = {"arguments": list(arguments), "log": str(log), "countdown": str(countdown), "twin": twin}
        assert self._process.stdin is not None and self._process.stdout is not None
        with self._turn:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            return Process(int(self._process.stdout.readline()))

    def close(self) -> None:
        """End it, and every gateway that is left."""
        self._process.kill()
        self._process.communicate()
