"""How the cells of a table are set apart.

Not `csv.Sniffer`: its regular expressions take quadratic time on some inputs, and it guesses from quotes alone.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice

_CANDIDATES = (",", ";", "\t", "|")
_ROWS_TRIED = 20
_BEGINNING = 32 * 1024
_DECLARED = re.compile(r"\ufeff?sep=(.)\r?\n", re.IGNORECASE)


def read_rows(text: str, media_type: str) -> Iterator[list[str]]:
    """The rows that hold anything. Raises `csv.Error` for a cell larger than the library's limit of 128 KiB."""
    text, delimiter = _without_declaration(text)
    if delimiter is None:
        delimiter = "\t" if media_type == "text/tab-separated-values" else _guess(text)
    return (row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if any(row))


def _without_declaration(text: str) -> tuple[str, str | None]:
    """Spreadsheets may put `sep=;` into the first line."""
    found = _DECLARED.match(text)
    return (text, None) if found is None else (text[found.end() :], found[1])


def _guess(text: str) -> str:
    """The delimiter that cuts most of the first rows into the same number of cells, more than one."""
    lines = list(islice(io.StringIO(text[:_BEGINNING], newline=""), _ROWS_TRIED))
    best, best_score = ",", (0, 0)
    for candidate in _CANDIDATES:
        widths: Counter[int] = Counter()
        try:
            widths.update(len(row) for row in csv.reader(lines, delimiter=candidate) if any(row))
        except csv.Error:
            continue
        width, rows = max(widths.items(), key=lambda item: (item[1], item[0]), default=(0, 0))
        if width > 1 and (rows, width) > best_score:
            best, best_score = candidate, (rows, width)
    return best
