"""Whether one of several addresses can be relied upon, learnt from nothing but the requests that it gets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from gateway.ports.upstream import UpstreamError, UpstreamFailure, WebSocketRefused

FAILURES_MOST = 3
"""So many failures in a row, and an address is set aside."""
FIRST_PAUSE = 1.0
"""Seconds until it is tried again; twice as long each time that this fails."""
LONGEST_PAUSE = 30.0

_FAILURES = frozenset((UpstreamFailure.UNREACHABLE, UpstreamFailure.TIMEOUT, UpstreamFailure.BROKEN))
"""What speaks against an address: not that all its connections are in use, nor an answer that is badly written."""


class Witness(Protocol):
    """Who else knows of answers: not every request is seen here."""

    def has_answered_since(self, instant: float) -> bool:
        """Whether an answer was complete after this instant of the loop's clock."""
        ...


def _loop_time() -> float:
    return asyncio.get_running_loop().time()


class Health:
    """The health of one address. Set aside, it is left alone for a while; then one request at a time tries it again."""

    def __init__(
        self, address: str, witness: Witness, log: Callable[[str], None], now: Callable[[], float] = _loop_time
    ) -> None:
        self._address = address
        self._witness = witness
        self._now = now
        self._log = log
        self._failures = 0
        """In a row."""
        self._failed_at = 0.0
        self.set_aside = False
        self._pause = FIRST_PAUSE
        self._due_at = 0.0
        self._on_trial = False
        """A request is trying it again."""

    @property
    def is_due(self) -> bool:
        """Set aside for long enough: the next request may try it."""
        return self.set_aside and not self._on_trial and self._now() >= self._due_at

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Around one request: learn from how it ends. One that is cancelled, or can't be sent at all, says nothing."""
        is_trial = self.is_due
        self._on_trial = self._on_trial or is_trial
        try:
            yield
        except UpstreamError as error:
            if error.failure in _FAILURES:
                self._note_failure(error, is_trial)
            raise
        except WebSocketRefused:
            self._note_answer()
            raise
        else:
            self._note_answer()
        finally:
            if is_trial:
                self._on_trial = False

    def note_unanswered(self, error: UpstreamError) -> None:
        """A request that nobody waited for in `attempt` failed before an answer."""
        if error.failure in _FAILURES:
            self._note_failure(error, False)

    def _note_answer(self) -> None:
        self._failures = 0
        if self.set_aside:
            self.set_aside = False
            self._log(f"upstream {self._address} is back: it takes its turn again")

    def _note_failure(self, error: UpstreamError, is_trial: bool) -> None:
        now = self._now()
        if self.set_aside:
            # The others were under way before, or had nowhere else to go: they are no news.
            if is_trial:
                self._pause = min(2 * self._pause, LONGEST_PAUSE)
                self._due_at = now + self._pause
            return
        if self._witness.has_answered_since(self._failed_at):
            self._failures = 0
        self._failures += 1
        self._failed_at = now
        if self._failures >= FAILURES_MOST:
            self.set_aside = True
            self._pause = FIRST_PAUSE
            self._due_at = now + self._pause
            self._log(f"upstream {self._address} is set aside after {self._failures} failures in a row, last {error}")
