"""What a body says, as far as it can be read in one way."""

from __future__ import annotations

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.access.body import EMPTY, Body, read_body
from gateway.access.form import read_multipart
from gateway.access.strict_json import Unclear

JSON, FORM, TEXT = b"application/json", b"application/x-www-form-urlencoded", b"text/plain"
OBJECT = b'{"kind": "report"}'
ITEM = {"kind": "report"}


def read(data: bytes, *content_types: bytes, coding: bytes = b"") -> Body:
    return read_body(content_types, [coding] if coding else [], data)


def multipart(*parts: bytes, boundary: bytes = b"B") -> bytes:
    return b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts) + b"--" + boundary + b"--\r\n"


def part(name: bytes, content: bytes, *more: bytes) -> bytes:
    disposition = b'Content-Disposition: form-data; name="' + name + b'"'
    return b"\r\n".join([disposition, *more, b"", content])


class TestJson:
    @pytest.mark.parametrize(
        ("content_type", "sure"),
        [
            (JSON, True),
            (b"Application/JSON", True),
            (b"application/json; charset=utf-8", True),
            (b'application/json;charset="UTF-8"', True),
            (b"application/json;", True),
            (b"application/graphql-response+json", True),
            (TEXT, False),
            (b"text/plain; charset=us-ascii", False),
            (b"application/octet-stream", False),
            (b"text/html", False),
            # what curl says of everything
            (FORM, False),
            (b"multipart/form-data; boundary=B", False),
            (b"application/graphql", False),
        ],
    )
    def test_is_read_whatever_is_said_of_it(self, content_type: bytes, sure: bool) -> None:
        body = read(OBJECT, content_type)
        assert (body.items, body.sure, body.unreadable) == ((ITEM,), sure, "")

    def test_is_read_where_nothing_is_said(self) -> None:
        body = read(OBJECT)
        assert body.items == (ITEM,) and not body.sure

    def test_in_a_batch_is_read_item_by_item(self) -> None:
        assert read(b'[{"a": 1}, {"b": 2}, 3]', JSON).items == ({"a": 1}, {"b": 2}, 3)
        assert read(b"[]", JSON).items == ()
        assert read(b'"text"', JSON).items == ("text",)


class TestForms:
    @pytest.mark.parametrize(
        ("text", "fields"),
        [
            (b"kind=report", [("kind", "report")]),
            (b"kind=re%70ort&x=&y", [("kind", "report"), ("x", ""), ("y", "")]),
            (b"f%5Bkind%5D=a+b&f[x]=1", [("f[kind]", "a b"), ("f[x]", "1")]),
            (b"a=1;b=2", [("a", "1;b=2"), ("a", "1"), ("b", "2")]),
            (b"a=1&a=2", [("a", "1"), ("a", "2")]),
        ],
    )
    def test_are_read_field_by_field(self, text: bytes, fields: list[tuple[str, str]]) -> None:
        body = read(text, FORM)
        assert (list(body.fields), body.items, body.sure) == (fields, (), b";" not in text)
        unsaid = read(text)
        assert list(unsaid.fields) == fields and not unsaid.sure

    def test_that_are_json_are_read_both_ways(self) -> None:
        body = read(b'{"a": "&kind=report&"}', FORM)
        assert body.items == ({"a": "&kind=report&"},) and ("kind", "report") in body.fields
        assert not body.sure
        assert ("kind", "report") in read(b'{"a": "&kind=report&"}').fields

    def test_in_parts_are_read_field_by_field(self) -> None:
        file = part(b"file", b"\x00\xff\r\n--x", b"Content-Type: application/pdf")
        body = read(multipart(part(b"kind", b"report"), file), b'multipart/form-data; boundary="B"')
        assert body.fields[0] == ("kind", "report") and body.fields[1][0] == "file"
        assert not body.sure and body.items == ()

    def test_of_a_graphql_upload_hold_json(self) -> None:
        operations = json.dumps([{"query": "{a}"}, {"query": "{b}"}]).encode()
        body = read(multipart(part(b"operations", operations), part(b"map", b"{}")), b"multipart/form-data; boundary=B")
        assert body.items == ({"query": "{a}"}, {"query": "{b}"})

    @pytest.mark.parametrize(
        "sent",
        [
            b'Content-Disposition: form-data; name="kind"; filename="a b.csv"\r\nContent-Type: text/csv\r\n\r\nreport',
            b"Content-Disposition: form-data; name=kind; filename=a.csv; filename*=utf-8''a.csv\r\n\r\nreport",
            b'content-type: text/plain; charset=utf-8\r\ncontent-disposition: form-data; name="kind"\r\n\r\nreport',
            b'Content-Disposition: form-data; name="kind"\r\nContent-Length: 6\r\n\r\nreport',
        ],
    )
    def test_in_parts_as_libraries_write_them(self, sent: bytes) -> None:
        assert read_multipart("B", multipart(sent)) == [("kind", "report")]

    @pytest.mark.parametrize(
        "sent",
        [
            b"",
            b"--B",
            b"--C\r\n\r\n--C--",
            b"preamble\r\n" + multipart(part(b"a", b"1")),
            multipart(part(b"a", b"1")) + b"epilogue",
            multipart(part(b"a", b"1"))[:-4],
            multipart(part(b"a", b"1")).replace(b"\r\n", b"\n"),
            multipart(part(b"a", b'1\n--B\nContent-Disposition: form-data; name="kind"\n\nreport')),
            multipart(part(b"a", b"1--B--")),
            multipart(part(b"a", b"1")).replace(b"--B\r\n", b"--B \r\n"),
            multipart(b"Content-Type: text/plain\r\n\r\n1"),
            multipart(b'Content-Disposition: form-data; name="a"'),
            multipart(b'Content-Disposition: form-data; name="a"; name="kind"\r\n\r\nreport'),
            multipart(b'Content-Disposition: form-data; name="a\\"; x="\r\n\r\nreport'),
            multipart(b"Content-Disposition: form-data; name*=utf-8''kind; name=\"a\"\r\n\r\nreport"),
            multipart(b'Content-Disposition: form-data; name="k%69nd"\r\n\r\nreport'),
            multipart(b'Content-Disposition: attachment; name="kind"\r\n\r\nreport'),
            multipart(part(b"a", b"1", b'Content-Disposition: form-data; name="kind"')),
            multipart(part(b"a", b"1", b'content-disposition : form-data; name="kind"')),
            multipart(part(b"kind", b"cmVwb3J0", b"Content-Transfer-Encoding: base64")),
            multipart(part(b"kind", b"+AHI-eport", b"Content-Type: text/plain; charset=utf-7")),
            multipart(part(b"kind", b"report", b"Content-Length: 3")),
            multipart(part(b"kind", b"report", b" folded")),
        ],
    )
    def test_in_parts_that_readers_divide_differently_are_not_read(self, sent: bytes) -> None:
        with pytest.raises(Unclear):
            read_multipart("B", sent)

    @pytest.mark.parametrize("boundary", ["", "a b", "B\r\n", "x" * 71, "é", '"'])
    def test_have_a_boundary_that_every_reader_takes(self, boundary: str) -> None:
        with pytest.raises(Unclear):
            read_multipart(boundary, multipart(part(b"a", b"1"), boundary=boundary.encode()))


class TestUnreadable:
    @pytest.mark.parametrize(
        ("content_types", "coding", "data", "why"),
        [
            ([JSON], b"gzip", gzip.compress(OBJECT, mtime=0), "compressed"),
            ([JSON], b"gzip", OBJECT, "compressed"),
            ([JSON], b"GZIP", b"", "compressed"),
            ([JSON], b"identity, br", OBJECT, "compressed"),
            ([JSON, FORM], b"", OBJECT, "more than one content type"),
            ([b"application/json, text/plain"], b"", OBJECT, "content type"),
            ([b"application/json; charset=utf-8; charset=utf-16"], b"", OBJECT, "content type"),
            ([b"json"], b"", OBJECT, "content type"),
            ([b"application/json; charset=utf-16"], b"", '{"kind": "report"}'.encode("utf-16"), "charset"),
            ([b"application/json; charset=utf-7"], b"", OBJECT, "charset"),
            ([b"application/json; charset=iso-8859-1"], b"", OBJECT, "charset"),
            ([FORM + b"; charset=utf-16"], b"", b"kind=report", "charset"),
            ([JSON], b"", b"\x1f\x8b\x08", "UTF-8"),
            ([JSON], b"", "{}".encode("utf-16"), "UTF-8"),
            ([JSON], b"", b"\xef\xbb\xbf" + OBJECT, "no JSON"),
            ([JSON], b"", b'{"kind": "x", "kind": "report"}', "twice"),
            ([JSON], b"", b'{"kind": NaN}', "no JSON"),
            ([JSON], b"", b"kind=report", "no JSON"),
            ([TEXT], b"", b"kind=report", "no JSON"),
            ([b"application/xml"], b"", b"<kind>report</kind>", "no JSON"),
            ([b"application/x-msgpack"], b"", b"\x81\xa4kind\xa6report", "UTF-8"),
            ([FORM], b"", b'{"kind": "report",}', "no JSON"),
            ([FORM], b"", b"/**/{kind:'report'}", "no JSON"),
            ([FORM], b"", b'{"kind": "x", "kind": "report"}', "twice"),
            ([], b"", b"<a>", "no JSON"),
            ([b"multipart/form-data"], b"", multipart(part(b"a", b"1")), "form"),
            ([b"multipart/form-data; boundary=C"], b"", multipart(part(b"a", b"1")), "form"),
            ([b"multipart/form-data; boundary=B"], b"", b"x", "no JSON"),
            ([b"multipart/form-data; boundary=B"], b"", b"{\xff}", "UTF-8"),
            ([b"multipart/form-data; boundary=B"], b"", multipart(part(b"Operations", b"{")), "no JSON"),
            ([b"multipart/mixed; boundary=B"], b"", multipart(part(b"a", b"1")), "no JSON"),
            ([b"application/graphql"], b"", b"{\xe9}", "UTF-8"),
            ([b"application/graphql"], b"", b"{ kind", "no GraphQL"),
            ([b"application/graphql"], b"", b'{"kind": "x", "kind": "report"}', "no GraphQL"),
            ([b"application/graphql"], b"", b'{"kind": "report",}', "no GraphQL"),
        ],
    )
    def test_says_why(self, content_types: list[bytes], coding: bytes, data: bytes, why: str) -> None:
        body = read(data, *content_types, coding=coding)
        assert why in body.unreadable
        assert (body.items, body.fields, body.document, body.sure) == ((), (), "", False)

    @pytest.mark.parametrize("data", [b"", b" \r\n\t"])
    @pytest.mark.parametrize(
        "content_types", [[], [JSON], [b"application/json; charset=utf-16"], [b"nonsense"], [JSON] * 2]
    )
    def test_nothing_is_not(self, data: bytes, content_types: list[bytes]) -> None:
        assert read(data, *content_types) == EMPTY

    def test_identity_is_no_compression(self) -> None:
        assert read(OBJECT, JSON, coding=b"Identity").items == (ITEM,)


def test_a_graphql_document_may_be_the_whole_body() -> None:
    body = read(b"{ kind }", b"application/graphql; charset=utf-8")
    assert (body.document, body.items, body.sure) == ("{ kind }", (), False)


_TYPES = st.sampled_from(
    [
        JSON,
        FORM,
        TEXT,
        b"multipart/form-data; boundary=B",
        b"application/graphql",
        b"",
        b"a/b;c",
        b"multipart/form-data",
    ]
) | st.binary(max_size=20)
_PIECES = st.lists(
    st.sampled_from([
        b"--B\r\n", b"--B--", b"\r\n", b'Content-Disposition: form-data; name="operations"', b"{", b"}", b'"', b":",
        b"[", b"]", b"a", b"=", b"&", b";", b"%", b"+", b",", b"\\u0061", b"\xff", b"\xef\xbb\xbf", b"1", b" ", b"\x00",
    ]),
    max_size=30,
).map(b"".join)  # fmt: skip


@given(st.lists(_TYPES, max_size=2), st.lists(st.sampled_from([b"", b"gzip", b"identity"]), max_size=2), _PIECES)
def test_whatever_comes_is_read_or_unreadable(types: list[bytes], codings: list[bytes], data: bytes) -> None:
    body = read_body(types, codings, data)
    assert body == read_body(types, codings, data)
    assert not (body.unreadable and (body.items or body.fields or body.document or body.sure))


@pytest.mark.parametrize("content_type", [JSON, FORM, TEXT, b"multipart/form-data; boundary=B", b"application/graphql"])
@pytest.mark.parametrize(
    "seed",
    [b"--B\r\n", b"\r\n--B", b"\r\n\r\n", b"a: b\r\n", b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n',
     b"a=1&", b"a;", b"[a]", b"%41", b"=", b"[", b'{"a":'],
)  # fmt: skip
def test_a_hostile_body_costs_no_more_than_its_length(content_type: bytes, seed: bytes) -> None:
    # Anything worse than linear would take minutes with this much; the test's own time limit tells.
    for data in (seed * (1_000_000 // len(seed)), b"--B\r\n" + seed * (1_000_000 // len(seed)) + b"\r\n--B--"):
        read(data, content_type)


@pytest.mark.parametrize("seed", [b";a=b", b'; a="', b" ;", b"; boundary=B", b"/a"])
def test_a_hostile_content_type_costs_no_more_than_its_length(seed: bytes) -> None:
    read(OBJECT, b"a/b" + seed * 10_000)
