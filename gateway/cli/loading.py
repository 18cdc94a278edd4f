"""Read a config the way every command does: all its problems at once, plugins included."""

from __future__ import annotations

from pathlib import Path

from gateway.cli.output import CommandFailed, say
from gateway.settings.load import Loaded, default_settings, load_settings
from gateway.settings.overlay import Override
from gateway.settings.problem import ConfigProblems, Problem, Severity
from gateway.wiring.check import check_rooms


def load_config(
    config: Path | None,
    upstream: str | None = None,
    listen: str | None = None,
    store: str | None = None,
    workers: int | None = None,
    warnings: bool = False,
) -> Loaded:
    """The config of this command. Raises `CommandFailed` with every problem there is.

    Warnings are shown where one can act on them: when a config is checked or put to work.
    """
    try:
        if config is not None:
            loaded = load_settings(config, overrides=overrides(upstream, listen, store, workers))
        elif upstream is not None:
            loaded = default_settings(upstream, listen=listen, store=store, workers=_text(workers))
        else:
            raise CommandFailed(
                "give a config or an application: --config FILE, or --upstream http://localhost:3000", 2
            )
    except ConfigProblems as problems:
        raise CommandFailed([str(problem) for problem in problems.problems]) from None
    found = [*loaded.problems, *check_rooms(loaded)]
    if any(problem.severity is Severity.ERROR for problem in found):
        raise CommandFailed([str(problem) for problem in found])
    if warnings:
        warn(found)
    return loaded


def overrides(upstream: str | None, listen: str | None, store: str | None, workers: int | None) -> list[Override]:
    """Options of the command line as they overlay a file."""
    given = [
        ("--upstream", ("upstream", "url"), upstream),
        ("--listen", ("listen",), listen),
        ("--store", ("store",), store),
        ("--workers", ("workers",), _text(workers)),
    ]
    return [Override(option, path, value) for option, path, value in given if value is not None]


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)


def warn(problems: list[Problem]) -> None:
    """Say what is not wrong but worth a look."""
    for problem in problems:
        say(str(problem))
