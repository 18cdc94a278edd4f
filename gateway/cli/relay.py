"""Passes on what workers write, in whole lines: writes of several processes to one pipe can end up within each other.

In threads, since whoever reads the logs may be slow, and nothing else should wait for that.
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress

AGAIN_SECONDS = 5.0
"""The same words of another worker within this time are not passed on: it is one thing that both have met."""


class Relay:
    """Writes lines of several sources to one descriptor."""

    def __init__(self, target: int, told_once: bool = False) -> None:
        self._target, self._told_once = target, told_once
        self._turn = threading.Lock()
        self._said: dict[bytes, tuple[float, object]] = {}

    def begin(self, source: int) -> threading.Thread:
        """Pass on what comes out of this pipe until its end. The pipe is the relay's from now on."""
        thread = threading.Thread(target=self._pass_on, args=(source,), name="relay", daemon=True)
        thread.start()
        return thread

    def _pass_on(self, source: int) -> None:
        started = b""
        with open(source, "rb", buffering=0) as pipe:
            while piece := pipe.read(65536):
                whole, end, rest = (started + piece).rpartition(b"\n")
                started = rest
                if end:
                    self._write(whole + end, pipe)
        # What a killed process began to write is no line, and no reader of the access log could make sense of it.
        if started and self._told_once:
            self._write(started + b"\n", pipe)

    def _write(self, lines: bytes, source: object) -> None:
        # A log that can't be written must not stop anything.
        with self._turn, suppress(OSError):
            if self._told_once and self._is_known(lines, source):
                return
            left = memoryview(lines)
            while left:
                left = left[os.write(self._target, left) :]

    def _is_known(self, lines: bytes, source: object) -> bool:
        now = time.monotonic()
        self._said = {said: told for said, told in self._said.items() if now - told[0] < AGAIN_SECONDS}
        told = self._said.setdefault(lines, (now, source))
        return told[1] is not source
