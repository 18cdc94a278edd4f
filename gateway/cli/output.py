"""How commands speak: data to standard output, everything else to standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable


class CommandFailed(Exception):
    """The command can't be done. Each line is printed as it is; the last says what to do."""

    def __init__(self, lines: str | Iterable[str], code: int = 1) -> None:
        self.lines = [lines] if isinstance(lines, str) else list(lines)
        self.code = code
        super().__init__("\n".join(self.lines))


def say(line: str) -> None:
    """One line for the person at the terminal, or for the log."""
    # In one piece, so that lines of several processes stay whole.
    sys.stderr.write(f"paywall: {line}\n")
    sys.stderr.flush()


def put(text: str) -> None:
    """Data, for people or for the next program."""
    print(text, flush=True)


def put_json(value: object) -> None:
    """Data for programs."""
    put(json.dumps(value, ensure_ascii=False, indent=2))


def put_line(value: object) -> None:
    """One of many values for programs, on a line of its own."""
    put(json.dumps(value, ensure_ascii=False))
