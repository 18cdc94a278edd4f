"""A circuit breaker: once the store has failed to answer, nobody waits for it until it is known to be back."""

from __future__ import annotations

FIRST_PAUSE = 0.05
LONGEST_PAUSE = 0.1
"""Seconds. One lost packet costs the first; a store that is back is found within the longest and one timeout."""


class Breaker:
    """Lets questions through until one fails; then none but the probes of whoever finds out whether it is back."""

    def __init__(self) -> None:
        self._failures = 0

    @property
    def failures(self) -> int:
        """How many have failed in a row; 0 while the store answers."""
        return self._failures

    @property
    def pause(self) -> float:
        """Seconds until the next probe: doubled with each that fails."""
        return min(FIRST_PAUSE * 2.0 ** min(self._failures - 1, 10), LONGEST_PAUSE)

    def admit(self) -> int | None:
        """A ticket to give back with `failed`; None when the answer is no."""
        return None if self._failures else 0

    def succeeded(self) -> None:
        """The store answered."""
        self._failures = 0

    def failed(self, ticket: int) -> None:
        """The store did not answer. Of questions that were under way together only the first counts; the ticket of a
        probe is the number of failures before it."""
        if ticket == self._failures:
            self._failures += 1
