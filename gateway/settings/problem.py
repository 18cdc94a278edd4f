"""What is wrong with a config, said so that the place is found and the mend is known."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

KeyPath = tuple[str | int, ...]
"""Keys and list positions from the top of the config: `("routes", 0, "mode")`."""

WILL_NOT_START = "`paywall run` will not start without it"
"""How a message ends that is only a warning because what is missing here may be there where the gateway runs."""

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+")


class Severity(StrEnum):
    """Whether a problem stops the config from being used."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem at one place. `str()` is the one line that people see."""

    where: str
    """The file as it was named, the environment variable, or the option of the command line."""
    message: str
    key: str = ""
    """The key path as people write it: `routes[0].mode`; empty where the file as a whole is meant."""
    line: int = 0
    """Counted from 1; 0 where there are no lines."""
    column: int = 0
    """Counted from 1; 0 where the line says enough."""
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        place = self.where
        if self.line:
            place += f":{self.line}"
        if self.column:
            place += f":{self.column}"
        parts = [place, self.key, "warning" if self.severity is Severity.WARNING else "", self.message]
        return one_line(": ".join(part for part in parts if part))


class ConfigProblems(Exception):
    """A config that can't be used. `problems` holds every problem, warnings too, in the order of the file."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def key_text(path: KeyPath) -> str:
    """A key path as people write it: `routes[0].mode`, with keys of other characters in quotes."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + (part if _PLAIN_KEY.fullmatch(part) else repr(part))
    return text


def one_line(text: str) -> str:
    """The text with everything escaped that can't be printed on one line."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
