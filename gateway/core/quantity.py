"""Durations, sizes and allowances as people write them in a config.

All are plain integers inside: milliseconds and bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_DURATION_UNITS = {"ms": 1, "s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY, "w": 7 * DAY}
_SIZE_UNITS = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_DURATION = re.compile(r"(?:[0-9]{1,9}(?:ms|s|m|h|d|w))+")
_DURATION_PART = re.compile(r"([0-9]+)(ms|s|m|h|d|w)")
_SIZE = re.compile(r"([0-9]{1,12}) ?(B|KB|MB|GB|KiB|MiB|GiB|TiB)")
_ALLOWANCE = re.compile(r"([0-9]{1,9})(?: per (\S+))?")


def parse_duration(text: str) -> int:
    """Milliseconds of `90s`, `15m`, `1h30m`, `14d`. Raises `ValueError` with an example for anything else."""
    if _DURATION.fullmatch(text) is None:
        raise ValueError(f"{text!r} is not a duration: write it like 90s, 15m, 24h or 14d")
    return sum(int(number) * _DURATION_UNITS[unit] for number, unit in _DURATION_PART.findall(text))


def format_duration(milliseconds: int) -> str:
    """The shortest exact form of a duration: `14d`, `1h30m`, `0s`."""
    if milliseconds == 0:
        return "0s"
    parts, rest = [], milliseconds
    for unit in ("d", "h", "m", "s", "ms"):
        count, rest = divmod(rest, _DURATION_UNITS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)


def parse_size(text: str) -> int:
    """Bytes of `16MiB`, `500KB`, `0B`. Raises `ValueError` with an example for anything else."""
    found = _SIZE.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not a size: write it like 500KB or 16MiB")
    return int(found.group(1)) * _SIZE_UNITS[found.group(2)]


def format_size(size: int) -> str:
    """A size for people, at most one decimal: `312 B`, `1.4 MiB`."""
    if size < 1024:
        return f"{size} B"
    scaled = float(size)
    for unit in ("KiB", "MiB", "GiB", "TiB"):
        scaled /= 1024
        if scaled < 1023.95 or unit == "TiB":
            break
    return f"{scaled:.1f} {unit}".replace(".0 ", " ")


@dataclass(frozen=True, slots=True)
class Allowance:
    """So many results within a sliding window: `2 per 30d`. A window of zero means once and for all."""

    count: int
    window_ms: int

    @classmethod
    def parse(cls, text: str) -> Allowance:
        """Read `2 per 30d`, or `2` for two in all. Raises `ValueError` with an example for anything else."""
        found = _ALLOWANCE.fullmatch(text.strip())
        if found is None:
            raise ValueError(f"{text!r} is not an allowance: write it like 2 per 30d")
        return cls(int(found.group(1)), parse_duration(found.group(2)) if found.group(2) else 0)

    def __str__(self) -> str:
        return f"{self.count} per {format_duration(self.window_ms)}" if self.window_ms else str(self.count)


NOTHING = Allowance(0, 0)
