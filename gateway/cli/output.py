"""How commands speak: data to standard output, everything else to standard error."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable

_SURROGATE = re.compile("[\ud800-\udfff]")


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
    put(_escaped(json.dumps(value, ensure_ascii=False, indent=2)))


def put_line(value: object) -> None:
    """One of many values for programs, on a line of its own."""
    put(_escaped(json.dumps(value, ensure_ascii=False)))


def _escaped(text: str) -> str:
    """JSON, with `\\ud800` for what is no text in any encoding: an id of a payment or a person may be anything."""
    return _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
