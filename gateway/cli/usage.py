"""What is said of a command line that can't be understood."""

from __future__ import annotations

from cyclopts import CycloptsError, MissingArgumentError, UnusedCliTokensError


def wrong_usage(error: CycloptsError) -> list[str]:
    """What is wrong, and where to read what is right."""
    command = " ".join(error.command_chain or ())
    where = f"`paywall {command} --help` says what it takes" if command else "`paywall --help` lists the commands"
    return [_what(error, f"`{command or 'paywall'}`"), where]


def _what(error: CycloptsError, command: str) -> str:
    if isinstance(error, MissingArgumentError) and error.argument is not None:
        return f"{error.keyword} needs a value" if error.keyword else f"{command} needs {error.argument.name}"
    if isinstance(error, UnusedCliTokensError) and error.unused_tokens:
        first = error.unused_tokens[0]
        meant = f": did you mean --config {first}?" if first.endswith((".yaml", ".yml")) else ""
        return f"{command} has no use for {' '.join(error.unused_tokens)!r}{meant}"
    return str(error).strip() or f"{command} can't be understood"
