"""The config in use, and how a new one takes its place."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from gateway.settings.load import Loaded, load_settings
from gateway.settings.overlay import Override
from gateway.settings.problem import ConfigProblems, Problem, Severity


class ReloadResult(StrEnum):
    """What became of a new config."""

    ACCEPTED = "accepted"
    UNCHANGED = "unchanged"
    """The file holds, byte for byte, what is in use."""
    REFUSED = "refused"
    """It has errors: the old one goes on."""


@dataclass(frozen=True, slots=True)
class ReloadOutcome:
    """The result, and what is to be said of the new config: errors where it was refused, else warnings at most."""

    result: ReloadResult
    problems: tuple[Problem, ...] = ()


Check = Callable[[Loaded], Iterable[Problem]]
"""What else a new config must pass before it is taken: the settings of its plugins."""


class LiveSettings:
    """Holds the config in use. `current` changes only by a reload that was accepted, and then as a whole."""

    def __init__(
        self,
        path: Path | str,
        loaded: Loaded,
        *,
        check: Check = lambda loaded: (),
        environ: Mapping[str, str] | None = None,
        overrides: Sequence[Override] = (),
    ) -> None:
        self.path = path
        self._current = loaded
        self._check = check
        self._environ = environ
        self._overrides = overrides
        self._lock = threading.Lock()

    @property
    def current(self) -> Loaded:
        """The config in use. Take it once per request and keep to it."""
        return self._current

    def restore(self, loaded: Loaded) -> None:
        """Take back a config that could not be put in force."""
        with self._lock:
            self._current = loaded

    def reload(self) -> ReloadOutcome:
        """Read the file again and take it if it holds. Never raises.

        Blocks while it reads and checks: call it in a thread. Several callers take turns.
        """
        with self._lock:
            try:
                loaded = load_settings(self.path, environ=self._environ, overrides=self._overrides)
            except ConfigProblems as error:
                return ReloadOutcome(ReloadResult.REFUSED, error.problems)
            if loaded.digest == self._current.digest:
                return ReloadOutcome(ReloadResult.UNCHANGED)
            problems = (*loaded.problems, *self._check(loaded))
            if any(problem.severity is Severity.ERROR for problem in problems):
                return ReloadOutcome(ReloadResult.REFUSED, problems)
            self._current = loaded
            return ReloadOutcome(ReloadResult.ACCEPTED, problems)
