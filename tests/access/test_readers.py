"""Whatever some application reads as a result is one for the gateway, or unreadable; and what it opens all read so."""

from __future__ import annotations

import gzip
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.access.body import read_body
from tests.access import readers
from tests.access.fitting import fields, fit, graphql
from tests.access.readers import everything_read, said

KIND, EXPORT = fields(kind="report"), graphql(field="export")

NAMES = st.sampled_from(
    ["kind", "Kind", "KIND", "k\\u0069nd", "\\u212aind", "query", "Query", "operationName", "__proto__", "x", "kind[]"]
)
TEXTS = st.sampled_from(
    [
        "report",
        "other",
        "re\\u0070ort",
        "Report",
        "{ export }",
        "{ me }",
        "{ x: export }",
        "&kind=report&",
        "a=1&kind=report",
    ]
)
VALUES = TEXTS.map('"{}"'.format) | st.sampled_from(
    ["1", "null", "true", '["report"]', '[["report"]]', '["{ export }"]']
)
GAPS = st.sampled_from(["", " ", "\n", "/* x */", "// x\n", "\t"])


@st.composite
def objects(draw: st.DrawFn, deep: bool = True) -> str:
    """Text like JSON, as a friend or an attacker writes it."""
    parts = []
    for _ in range(draw(st.integers(0, 3))):
        value = draw(objects(deep=False)) if deep and draw(st.integers(0, 4)) == 0 else draw(VALUES)
        parts.append(f'{draw(GAPS)}"{draw(NAMES)}"{draw(GAPS)}:{draw(GAPS)}{value}')
    return "{" + ",".join(parts) + draw(st.sampled_from(["", "", "", ","])) + "}"


JSONS = objects() | st.lists(objects(), max_size=3).map(lambda items: "[" + ",".join(items) + "]")
PAIRS = st.tuples(
    st.sampled_from(["kind", "Kind", "kind[]", "query", "x"]), st.sampled_from(["report", "other", "{export}", "{me}"])
)
FORMS = st.lists(PAIRS.map(lambda pair: f"{pair[0]}={quote(pair[1])}"), max_size=3).flatmap(
    lambda pairs: st.sampled_from("&;").map(lambda separator: separator.join(pairs))
)
ENCODINGS = st.sampled_from(["utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32-be"])
TYPES = st.sampled_from(
    ["application/json", "application/json; charset=utf-8", "application/x-www-form-urlencoded", "", "text/plain", "x"]
)
CODINGS = st.sampled_from(["", "", "", "gzip"])


@settings(max_examples=600)
@given(JSONS | FORMS, ENCODINGS, TYPES, CODINGS, FORMS)
def test_what_some_application_reads_as_a_result_is_not_missed(
    text: str, encoding: str, content_type: str, coding: str, query: str
) -> None:
    data = text.encode(encoding, "surrogatepass")
    data = gzip.compress(data) if coding else data
    body = read_body([content_type.encode()] if content_type else [], [coding.encode()] if coding else [], data)
    found = list(everything_read(content_type, coding, data, query))
    if any(said(each, "kind").casefold() == "report" for each in found):
        assert fit(KIND, body, query) in ("surely", "maybe", "unclear")
    if any("export" in said(each, "query") for each in found):
        assert fit(EXPORT, body, query) in ("surely", "maybe", "unclear")


@settings(max_examples=600)
@given(JSONS | FORMS, ENCODINGS, TYPES, CODINGS, FORMS)
def test_what_opens_a_route_is_read_so_by_every_application(
    text: str, encoding: str, content_type: str, coding: str, query: str
) -> None:
    data = text.encode(encoding, "surrogatepass")
    data = gzip.compress(data) if coding else data
    body = read_body([content_type.encode()] if content_type else [], [coding.encode()] if coding else [], data)
    if fit(KIND, body, query) == "surely":
        assert {said(each, "kind") for each in everything_read(content_type, coding, data, query)} == {"report"}


@pytest.mark.parametrize(
    ("reader", "content_type", "text", "query"),
    [
        (readers.first_of_doubled, "application/json", '{"kind": "report", "kind": "other"}', ""),
        (readers.whatever_case, "application/json", '{"Kind": "report"}', ""),
        (readers.relaxed, "application/json", '{"kind": "report",}', ""),
        (readers.form, "", "kind=report", ""),
        (readers.form, "application/x-www-form-urlencoded", '{"x": "&kind=report&"}', ""),
        (readers.query_wins, "application/json", "{}", "kind=report"),
        (readers.prototype, "application/json", '{"__proto__": {"kind": "report"}}', ""),
    ],
)
def test_one_parser_alone_misses_what_another_one_finds(
    reader: readers.Reader, content_type: str, text: str, query: str
) -> None:
    """The known-bad twin is the gateway that reads with the parser at hand."""
    data = text.encode()
    assert any(said(each, "kind") == "report" for each in reader(content_type, "", data, query))
    try:
        alone = readers.last_of_doubled(content_type, "", data, query)
    except ValueError:
        alone = []
    assert not any(said(each, "kind") == "report" for each in alone)
    assert fit(KIND, read_body([content_type.encode()] if content_type else [], [], data), query) != "no"
