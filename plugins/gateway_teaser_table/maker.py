"""The beginning of a table."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import Field

from gateway.core.decode import decode
from gateway.ports.fields import Settings
from gateway.ports.plugin import Host
from gateway.ports.teaser import ResultSample, Teaser
from gateway_teaser_table.dialect import read_rows
from gateway_teaser_table.header import are_surely_names, may_be_names

CELL_LENGTH = 40
SHARE = 10
"""At most one part in so many is shown, counted in rows and in characters."""
_COLUMNS_SHOWN = 12
_READ_LIMIT = 1024 * 1024


class TableSettings(Settings):
    """How much is shown."""

    rows: int = Field(3, ge=0, le=10)


class TableTeaser:
    """Shows how a table begins, never more than a tenth of its rows."""

    media_types = (
        "text/csv",
        "text/tab-separated-values",
        "text/comma-separated-values",
        "text/x-csv",
        "application/csv",
        "application/x-csv",
    )
    whole = False

    def __init__(self, settings: TableSettings, host: Host) -> None:
        self._rows = settings.rows

    async def start(self) -> None:
        """Nothing to open."""

    async def stop(self) -> None:
        """Nothing to close."""

    def make(self, sample: ResultSample) -> Teaser | None:
        """Column names and first rows; the number of rows, exact when the whole table is here."""
        complete = sample.complete and len(sample.body) <= _READ_LIMIT
        text = decode(sample.body[:_READ_LIMIT], sample.charset, complete)
        if text is None:
            return None
        try:
            rows = list(read_rows(text, sample.media_type))
        except csv.Error:
            return None
        if not complete:
            rows = rows[:-1]  # the last one is cut off
        if not rows:
            return Teaser({"Rows": "0"}) if complete else None
        parts = _apart(rows, len(text) // SHARE)
        width = len(parts.names) or max(map(len, parts.data))
        count = f"{len(parts.data):,}"
        return Teaser(
            {"Rows": count if complete else f"more than {count}", "Columns": f"{width:,}"},
            columns=tuple(_cut(name) for name in parts.names[:_COLUMNS_SHOWN]),
            rows=_beginning(
                parts.data[: min(self._rows, parts.rows_allowed)], parts.characters_allowed, min(width, _COLUMNS_SHOWN)
            ),
        )


@dataclass(frozen=True, slots=True)
class _Parts:
    names: Sequence[str]
    """Names of the columns; none when the first row is data."""
    data: Sequence[Sequence[str]]
    rows_allowed: int
    characters_allowed: int


def _apart(rows: Sequence[Sequence[str]], characters: int) -> _Parts:
    """The names, the data, and how much of the data may be shown. Names that might be data count as shown."""
    first, rest = rows[0], rows[1:]
    if are_surely_names(first, rest):
        return _Parts(first, rest, len(rest) // SHARE, characters)
    left = characters - sum(map(len, first))
    if may_be_names(first) and len(rows) >= SHARE and left >= 0:
        return _Parts(first, rest, len(rows) // SHARE - 1, left)
    return _Parts((), rows, len(rows) // SHARE, characters)


def _beginning(rows: Sequence[Sequence[str]], budget: int, width: int) -> tuple[tuple[str, ...], ...]:
    """The rows, cut, as far as they stay within `budget` characters."""
    shown: list[tuple[str, ...]] = []
    for row in rows:
        cells = [_cut(cell) for cell in row[:width]]
        budget -= sum(map(len, cells))
        if budget < 0:
            break
        shown.append((*cells, *[""] * (width - len(cells))))
    return tuple(shown)


def _cut(cell: str) -> str:
    beginning = cell.strip()[: CELL_LENGTH + 1]
    plain = "".join(" " if unicodedata.category(character)[0] == "C" else character for character in beginning)
    return plain if len(plain) <= CELL_LENGTH else plain[: CELL_LENGTH - 1] + "…"
