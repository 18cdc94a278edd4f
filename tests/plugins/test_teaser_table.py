"""The beginning of a table, and never the table."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ports.teaser import Teaser
from gateway_teaser_table import plugin
from tests.plugins.samples import assert_bounded, calmly, maker, sample, text_of

NAMES = ("id", "name", "total")
ROWS = [(str(number), f"Customer {number}", f"{number}.50") for number in range(1, 101)]


def table(rows: Sequence[tuple[str, ...]], names: tuple[str, ...] = NAMES, **dialect: str) -> str:
    target = io.StringIO()
    csv.writer(target, **dialect).writerows([*([names] if names else []), *rows])  # type: ignore[arg-type]
    return target.getvalue()


def shown(text: str, media_type: str = "text/csv", charset: str = "utf-8", **settings: object) -> Teaser:
    teaser: Teaser = maker(plugin, **settings).make(sample(text.encode(charset), media_type, charset))
    return teaser


def test_names_and_first_rows_are_shown_and_all_are_counted() -> None:
    expected = Teaser({"Rows": "100", "Columns": "3"}, columns=NAMES, rows=tuple(ROWS[:3]))
    assert shown(table(ROWS)) == expected
    assert shown(table(ROWS), rows=0).rows == ()
    assert shown(table(ROWS), rows=1).rows == tuple(ROWS[:1])


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_are_found(delimiter: str) -> None:
    assert shown(table(ROWS, delimiter=delimiter)).columns == NAMES


def test_unusual_dialects_are_read() -> None:
    assert shown("sep=|\r\n" + table(ROWS, delimiter="|")).columns == NAMES
    assert shown("\ufeff" + table(ROWS)).columns == NAMES
    assert shown(table(ROWS, delimiter=";", lineterminator="\n", quotechar="'")).columns == NAMES
    assert shown(table([(a, f'say "{b}", twice\nover', c) for a, b, c in ROWS])).facts["Rows"] == "100"
    assert shown(table([(a, f"{b}\u2028over\x0b", c) for a, b, c in ROWS])).facts["Rows"] == "100"
    assert shown(table(ROWS, lineterminator="\r")).facts["Rows"] == "100"
    assert shown(table([(a, "1,5;2", c) for a, _, c in ROWS], delimiter=";")).columns == NAMES
    assert shown(table(ROWS, delimiter="\t"), "text/tab-separated-values").columns == NAMES


def test_another_charset_is_read() -> None:
    names = ("номер", "имя", "сумма")
    assert shown(table(ROWS, names), charset="windows-1251").columns == names


@pytest.mark.parametrize(("rows", "allowed"), [(1, 0), (9, 0), (10, 1), (19, 1), (20, 2), (30, 3), (100, 3)])
def test_of_a_short_table_no_more_than_a_tenth_is_shown(rows: int, allowed: int) -> None:
    teaser = shown(table(ROWS[:rows]))
    assert len(teaser.rows) == allowed
    assert teaser.facts["Rows"] == str(rows)


PEOPLE = [
    (f"Person {chr(65 + n // 26)}{chr(97 + n % 26)}", f"Street {chr(97 + n % 26)}{chr(65 + n // 26)}")
    for n in range(60)
]


@pytest.mark.parametrize("rows", [1, 2, 5, 9, 10, 11, 19, 29, 31, 60])
def test_a_first_row_of_data_that_reads_like_names_counts_as_shown(rows: int) -> None:
    """Without a header, what looks like the names of columns is a row that somebody sells."""
    teaser = shown(table(PEOPLE[:rows], names=()))
    seen = sum(any(cell in text_of(teaser) for cell in row) for row in PEOPLE[:rows])
    assert seen * 10 <= rows


def test_a_first_row_of_values_is_not_taken_for_names() -> None:
    teaser = shown(table(ROWS, names=()))
    assert teaser.columns == ()
    assert teaser.rows == tuple(ROWS[:3])


@calmly
@given(
    st.lists(st.tuples(st.text("abc12 ,;\n\"'", max_size=30), st.text("xyz90.-", max_size=10)), max_size=40),
    st.integers(0, 10),
)
def test_never_more_than_a_tenth_of_the_rows_is_shown(rows: list[tuple[str, str]], setting: int) -> None:
    teaser = shown(table(rows, names=()), rows=setting)
    if teaser.columns and not any(teaser.rows):
        return  # surely names, by the values below them
    assert len(teaser.rows) * 10 <= len(rows)


def test_one_giant_cell_is_not_a_tenth_of_anything() -> None:
    rows = [("x" * 39, "y" * 39), *[("a", "b")] * 40]
    teaser = shown(table(rows, names=()))
    assert (teaser.columns, teaser.rows) == ((), ())


def test_cells_and_columns_are_cut() -> None:
    names = tuple(f"column-{number}-" + "n" * 45 for number in range(30))
    rows = [tuple("v" * 60 for _ in names)] * 30
    teaser = shown(table(rows, names))
    assert teaser.facts == {"Rows": "30", "Columns": "30"}
    assert len(teaser.columns) == 12 == len(teaser.rows[0])
    assert all(len(cell) <= 40 for cell in [*teaser.columns, *teaser.rows[0]])


def test_a_table_that_is_not_all_here_says_so() -> None:
    teaser = shown(table(ROWS * 300))
    assert teaser.facts["Rows"].startswith("more than ")
    assert teaser.rows == tuple(ROWS[:3])


@pytest.mark.parametrize(
    "text",
    [
        '"' + "a" * 200_000,
        "a," * 100_000,
        '"' * 10_000,
        "\n" * 100_000,
        ",".join(["x" * 1000] * 100),
    ],
)
def test_monstrous_tables_do_no_harm(text: str) -> None:
    assert_bounded(maker(plugin, rows=10).make(sample(text.encode(), "text/csv")))


@pytest.mark.parametrize("body", [bytes(range(256)) * 10, b"PK\x03\x04" + b"\0" * 1000])
def test_what_is_no_table_is_left_to_others(body: bytes) -> None:
    assert maker(plugin).make(sample(body, "text/csv")) is None


@calmly
@given(st.binary(max_size=2000) | st.text(',;\t|"\n\r a1', max_size=500).map(str.encode))
def test_no_bytes_make_it_fail(body: bytes) -> None:
    assert_bounded(maker(plugin, rows=10).make(sample(body, "text/csv")))
