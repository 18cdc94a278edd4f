"""A circuit breaker: while the store does not answer, only one question at a time waits for it."""

from __future__ import annotations

import time
from collections.abc import Callable

FIRST_PAUSE = 0.05
LONGEST_PAUSE = 0.5
"""Seconds. One lost packet costs the first, a dead store the longest for each probe."""


class Breaker:
    """Lets questions through until one fails; then none for a pause that doubles, and after it a single probe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._probe_at = 0.0
        self._probing = False

    @property
    def failures(self) -> int:
        """How many probes have failed in a row; 0 while the store answers."""
        return self._failures

    def admit(self) -> int | None:
        """A ticket to give back with `succeeded`, `failed` or `abandoned`; None when the answer is no."""
        if self._failures and (self._probing or self._clock() < self._probe_at):
            return None
        self._probing = self._failures > 0
        return self._failures

    def succeeded(self) -> None:
        """The store answered."""
        self._failures = 0
        self._probing = False

    def failed(self, ticket: int) -> None:
        """The store did not answer. Of questions that were under way together only the first counts."""
        if ticket != self._failures:
            return
        self._failures += 1
        self._probing = False
        self._probe_at = self._clock() + min(FIRST_PAUSE * 2 ** min(ticket, 10), LONGEST_PAUSE)

    def abandoned(self, ticket: int) -> None:
        """Nobody will ever know: the next question is the probe."""
        if ticket == self._failures:
            self._probing = False
