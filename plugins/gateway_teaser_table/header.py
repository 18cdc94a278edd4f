"""Whether the first row of a table names its columns or is data already."""

from __future__ import annotations

import re
from collections.abc import Sequence

_LONGEST_NAME = 60
_VALUE = re.compile(
    r"[-+(]?[$€£¥]?\s*\d[\d.,\s%]*\)?"  # a number, a sum, a share
    r"|\d{1,4}[-./]\d{1,2}[-./]\d{1,4}([ T]\d.*)?"  # a date
    r"|\d{1,2}:\d{2}.*"
    r"|true|false|yes|no|null|none|n/a"
    r"|[^\s@]+@[^\s@]+"
    r"|https?://.*",
    re.IGNORECASE,
)


def may_be_names(row: Sequence[str]) -> bool:
    """Whether a first row reads like the names of columns."""
    cells = [cell.strip() for cell in row]
    if len(set(cells)) != len(cells) or not all(0 < len(cell) <= _LONGEST_NAME for cell in cells):
        return False
    return not any(_VALUE.fullmatch(cell) for cell in cells)


def are_surely_names(row: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Whether moreover some column holds nothing but values below its name."""
    return may_be_names(row) and any(_holds_values(below, column) for column in range(len(row)))


def _holds_values(rows: Sequence[Sequence[str]], column: int) -> bool:
    cells = [row[column].strip() for row in rows if column < len(row)]
    return bool(cells) and all(_VALUE.fullmatch(cell[:_LONGEST_NAME]) for cell in cells)
