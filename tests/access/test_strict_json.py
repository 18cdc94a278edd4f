"""JSON that every parser reads alike, and nothing else."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.access.strict_json import DEEPEST, Unclear, parse_json, read_json

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)

UNCLEAR = [
    # what is sent, a word of why
    (b"", "no JSON"),
    (b"x", "no JSON"),
    (b"{", "no JSON"),
    (b"{} {}", "no JSON"),
    (b'{"a": 1}\n{"a": 2}', "no JSON"),
    (b"{'a': 1}", "no JSON"),
    (b"{a: 1}", "no JSON"),
    (b'{"a": 1,}', "no JSON"),
    (b'{"a": 01}', "no JSON"),
    (b'{"a": .5}', "no JSON"),
    (b'{"a": 0x1}', "no JSON"),
    (b'{"a": NaN}', "no JSON"),
    (b'{"a": -Infinity}', "no JSON"),
    (b'/* a */ {"a": 1}', "no JSON"),
    (b'{"a": 1} // b', "no JSON"),
    (b'{"a": "\t"}', "no JSON"),
    (b'{"a": "\\x41"}', "no JSON"),
    (b'\xa0{"a": 1}', "UTF-8"),
    ('\u00a0{"a": 1}'.encode(), "no JSON"),
    (b'{"a": ' + b"9" * 5_000 + b"}", "no JSON"),
    (b'\xef\xbb\xbf{"a": 1}', "no JSON"),
    ('{"a": 1}'.encode("utf-16"), "UTF-8"),
    ('{"a": 1}'.encode("utf-16-le"), "no JSON"),
    ('{"a": 1}'.encode("utf-32-be"), "no JSON"),
    (b'{"a": "\xe9"}', "UTF-8"),
    (b'{"a": "\xc0\x80"}', "UTF-8"),
    (b'{"a": "\xed\xa0\x80"}', "UTF-8"),
    (b'{"a": 1, "a": 1}', "twice"),
    (b'{"a": 1, "\\u0061": 2}', "twice"),
    (b'[{"b": {"a": 1, "a": 2}}]', "twice"),
    (b'{"__proto__": {"a": 1}}', "__proto__"),
    (b'{"a": {"__pro\\u0074o__": 1}}', "__proto__"),
    (b'{"a": "b\\u0000"}', "NUL"),
    (b'{"a\\u0000b": 1}', "NUL"),
    (b'{"a": "\\ud800"}', "half a character"),
    (b'{"\\udc00": 1}', "half a character"),
    (b'"\\ud800"', "half a character"),
    (b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1), "levels deep"),
    (b'{"a":' * DEEPEST + b"[1]" + b"}" * DEEPEST, "levels deep"),
    (b"[" * 60_000, "levels deep"),
]


@pytest.mark.parametrize(("data", "why"), UNCLEAR)
def test_what_parsers_read_differently_is_not_read(data: bytes, why: str) -> None:
    with pytest.raises(Unclear, match=why):
        read_json(data)


def lenient(data: bytes) -> Any:
    """As an application does that takes what it gets: the known-bad twin."""
    return json.loads(data.decode("utf-8-sig", "surrogatepass"))


def test_a_lenient_parser_reads_much_of_it() -> None:
    """Else there would be nothing to guard against."""
    read = []
    for data, _ in UNCLEAR:
        try:
            lenient(data)
            read.append(data)
        except (ValueError, RecursionError):
            pass
    assert len(read) > 10


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b'{"a": 1}', {"a": 1}),
        (b' \t\r\n{"a": [1.5, -2, true, null, "x"]} \n', {"a": [1.5, -2, True, None, "x"]}),
        (b'{"a": 1, "A": 2}', {"a": 1, "A": 2}),
        (b'{"\\u006fperation": "\\u00e9"}', {"operation": "é"}),
        (b'"\\ud83d\\ude00"', "\U0001f600"),
        ('{"ключ": "значение"}'.encode(), {"ключ": "значение"}),
        (b"[" * DEEPEST + b"1" + b"]" * DEEPEST, None),
        (b"[" + b"[{}]," * 500 + b"1]", None),
    ],
)
def test_what_every_parser_reads_alike_is_read(data: bytes, value: object) -> None:
    assert read_json(data) == (json.loads(data) if value is None else value)


@given(VALUES, st.booleans())
def test_what_a_serializer_writes_is_read(value: Any, ascii_only: bool) -> None:
    assert read_json(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@given(st.binary(max_size=60) | st.text(alphabet='{}[]":,\\u0aNn1.eE- ', max_size=60).map(str.encode))
def test_whatever_comes_is_read_or_unclear(data: bytes) -> None:
    try:
        value = read_json(data)
    except Unclear as unclear:
        assert str(unclear)
    else:
        assert value == json.loads(data)


@pytest.mark.parametrize("seed", ["[", "[0,", '{"a":', '{"a":[', '"\\u0061', '[""],', "1", "1.", "\\", '"', '{"a":1},'])
@pytest.mark.parametrize("frame", ["{}", "[{}]", '"{}"', '{{"a": "{}"}}'])
def test_a_hostile_text_costs_no_more_than_its_length(seed: str, frame: str) -> None:
    # Anything worse than linear would take minutes with this much; the test's own time limit tells.
    text = frame.format(seed * (2_000_000 // len(seed)))
    try:
        parse_json(text)
    except Unclear as unclear:
        assert str(unclear)


def test_depth_is_told_without_recursion_whatever_limit_a_library_has_set() -> None:
    """Some raise it for the whole process as they are imported; the parser would then overflow the stack and end it."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(1_000_000)
    try:
        for body in (b"[" * 500_000, b'{"a":' * 200_000, b'["",' * 100_000 + b'"]]]]"'):
            with pytest.raises(Unclear, match="levels deep"):
                read_json(body)
        assert read_json(b'["' + b"[" * 5_000 + b'"]') == ["[" * 5_000]
    finally:
        sys.setrecursionlimit(before)
