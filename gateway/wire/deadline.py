"""A deadline that is moved with every request and hardly ever reached."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import inf

_CLOCK_GRAIN = 0.01
"""Seconds by which the loop may ring too early."""


class Deadline:
    """Calls back once its instant has come, unless it was moved or lifted before.

    A timer for every move would cost more than the request. The alarm is set rarely: it rings where the deadline was
    once, and is put off if that has moved.
    """

    __slots__ = ("_alarm", "_loop", "_on_reached", "due")

    def __init__(self, loop: asyncio.AbstractEventLoop, on_reached: Callable[[], None]) -> None:
        self._loop, self._on_reached = loop, on_reached
        self._alarm: asyncio.TimerHandle | None = None
        self.due = inf
        """Instant of the loop's clock; `inf` while there is none."""

    def move(self, seconds: float) -> None:
        """It is this far away from now on."""
        self.due = due = self._loop.time() + seconds
        alarm = self._alarm
        if alarm is None or alarm.when() > due:
            if alarm is not None:
                alarm.cancel()
            self._alarm = self._loop.call_at(due, self._ring)

    def lift(self) -> None:
        """There is none any more."""
        self.due = inf

    def cancel(self) -> None:
        """There will never be one again."""
        self.due = inf
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _ring(self) -> None:
        self._alarm = None
        if self.due == inf:
            return
        if self.due > self._loop.time() + _CLOCK_GRAIN:
            self._alarm = self._loop.call_at(self.due, self._ring)
        else:
            self.due = inf
            self._on_reached()
