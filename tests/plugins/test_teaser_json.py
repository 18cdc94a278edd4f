"""The shape of JSON data, and never the data."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ports.teaser import Teaser
from gateway_teaser_json import plugin
from tests.plugins.samples import assert_bounded, calmly, maker, sample, text_of

RECORDS = [
    {"id": number, "name": f"Customer {number}", "tags": ["a", "b"], "home": {"city": "Kyiv"}} for number in range(120)
]
NAMES = ("id", "name", "tags", "home")


def shown(value: object, media_type: str = "application/json", **settings: object) -> Teaser:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    teaser: Teaser = maker(plugin, **settings).make(sample(body, media_type, whole=True))
    return teaser


def test_records_are_counted_and_the_first_are_shown() -> None:
    first = (("0", "Customer 0", "[2 items]", "{1 field}"), ("1", "Customer 1", "[2 items]", "{1 field}"))
    expected = Teaser({"Records": "120"}, columns=NAMES, rows=first)
    assert shown(RECORDS) == expected
    assert shown({"page": 1, "next": [], "results": RECORDS}) == expected
    assert shown(RECORDS, "application/vnd.api+json") == expected
    lines = b"\n".join(json.dumps(record).encode() for record in RECORDS)
    assert shown(lines, "application/x-ndjson") == expected
    assert shown(RECORDS, records=0).rows == ()


@pytest.mark.parametrize(("count", "allowed"), [(0, 0), (1, 0), (9, 0), (10, 1), (19, 1), (20, 2), (100, 2)])
def test_of_few_records_no_more_than_a_tenth_is_shown(count: int, allowed: int) -> None:
    assert len(shown(RECORDS[:count]).rows) == allowed


def test_one_object_shows_its_fields_and_no_value() -> None:
    teaser = shown({"verdict": "guilty", "score": 93, "pages": ["secret"]})
    assert teaser == Teaser({"Fields": "verdict, score, pages"})


@pytest.mark.parametrize("value", ["the answer", 42, None, True, 1.5])
def test_a_single_value_is_not_shown(value: object) -> None:
    assert list(shown(value).facts) == ["Size"]
    assert shown(value).lines == ()


@pytest.mark.parametrize(
    "value",
    [
        {"ada@example.com": 1, "bob@example.com": 2},
        [{"4f9a-77b1": {}}] * 50,
        {f"key{number}": number for number in range(31)},
        [{f"key{number}": number} for number in range(31)],
    ],
)
def test_keys_that_look_like_data_are_not_shown(value: object) -> None:
    teaser = shown(value)
    assert not teaser.columns
    assert "ada" not in text_of(teaser) and "4f9a" not in text_of(teaser) and "key" not in text_of(teaser)


def test_lists_of_bare_values_are_only_counted() -> None:
    assert shown(["secret"] * 100) == Teaser({"Records": "100"})


def test_long_values_are_cut() -> None:
    rows = shown([{"text": "x" * 1000, "number": int("9" * 90)}] * 40).rows
    assert rows[0] == ("x" * 39 + "…", "9" * 39 + "…")


def test_one_giant_record_is_not_a_tenth_of_anything() -> None:
    assert shown([{"a": "x" * 39, "b": "y" * 39}, *[{"a": 1}] * 30]).rows == ()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"<html>",
        b'{"a": 1} trailing',
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b"\xff\xfe\xff",
    ],
)
def test_what_is_no_json_is_left_to_others(body: bytes) -> None:
    assert maker(plugin).make(sample(body, "application/json")) is None


def test_numbers_of_thousands_of_digits_do_no_harm() -> None:
    assert shown(b"[" + b",".join([b'{"n": ' + b"7" * 5000 + b"}"] * 30) + b"]").rows[0] == ("7" * 39 + "…",)


def test_data_that_is_too_large_is_not_parsed() -> None:
    large = json.dumps(RECORDS * 300).encode()
    assert maker(plugin).make(sample(large, "application/json", whole=True)).facts == {"Size": "2.8 MiB"}
    assert maker(plugin).make(sample(large, "application/json")).columns == ()
    lines = b"\n".join([b'{"n": 1}'] * 300_000)
    assert maker(plugin).make(sample(lines, "application/x-ndjson", whole=True)).facts["Records"] == "300,000"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=60),
    lambda inner: st.lists(inner, max_size=12) | st.dictionaries(st.text(max_size=10), inner, max_size=5),
    max_leaves=30,
)


@calmly
@given(VALUES)
def test_no_value_makes_it_fail(value: object) -> None:
    assert_bounded(maker(plugin, records=10).make(sample(json.dumps(value).encode(), "application/json")))


@calmly
@given(st.binary(max_size=500), st.sampled_from(["application/json", "application/x-ndjson", "application/json-seq"]))
def test_no_bytes_make_it_fail(body: bytes, media_type: str) -> None:
    assert_bounded(maker(plugin, records=10).make(sample(body, media_type)))
