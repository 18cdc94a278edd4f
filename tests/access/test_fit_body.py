"""Whether a request fits the conditions on its body: for a result by any reading, for other rules by every one."""

from __future__ import annotations

import hashlib
import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.access.body import EMPTY, UNSEEN, Body, read_body
from gateway.access.fit_body import may_fit, surely_fits
from gateway.access.strict_json import Unclear
from gateway.core.rule import BodyCondition, FieldCondition, GraphqlCondition

JSON, FORM = b"application/json", b"application/x-www-form-urlencoded"


def fields(**wanted: Any) -> BodyCondition:
    """`a__b=1` is the field `a.b`."""
    return BodyCondition(
        tuple(
            FieldCondition(tuple(path.split("__")), value if isinstance(value, tuple) else (value,))
            for path, value in wanted.items()
        )
    )


def graphql(operation: str = "", field: str = "", persisted: str = "") -> BodyCondition:
    return BodyCondition(
        graphql=GraphqlCondition(frozenset(operation.split()), frozenset(field.split()), frozenset(persisted.split()))
    )


def sent(body: object, content_type: bytes = JSON) -> Body:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_body([content_type], [], data)


def fit(condition: BodyCondition, body: Body, query: str = "") -> str:
    """`surely`, `maybe`, `no`, or `unclear`."""
    surely = surely_fits(condition, body, query)
    try:
        maybe = may_fit(condition, body, query)
    except Unclear as unclear:
        assert str(unclear) and not surely
        return "unclear"
    assert maybe or not surely, "what every application reads so, some application does"
    return "surely" if surely else "maybe" if maybe else "no"


KIND = fields(kind="report")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"kind": "report"}, "surely"),
        ({"kind": "report", "x": [1]}, "surely"),
        (b'{"\\u006bind": "re\\u0070ort"}', "surely"),
        ({"kind": "other"}, "no"),
        ({"kind": None}, "no"),
        ({"kind": {"report": 1}}, "no"),
        ({"x": {"kind": "report"}}, "no"),
        ({"x": "kind"}, "no"),
        ({}, "no"),
        ("report", "no"),
        (7, "no"),
        (b"", "no"),
        # Go, .NET and Protocol Buffers have other names for it.
        ({"Kind": "report"}, "maybe"),
        ({"KIND": "report", "kind": "other"}, "maybe"),
        ({"kind": "report", "Kind": "other"}, "maybe"),
        ({"\u212aind": "report"}, "maybe"),
        ({"_kind": "report"}, "maybe"),
        # Others fold the value, or take the first of several.
        ({"kind": "REPORT"}, "maybe"),
        ({"kind": " report\t"}, "maybe"),
        ({"kind": "re\u200bport"}, "maybe"),
        ({"kind": ["report"]}, "maybe"),
        ({"kind": [["other"], ["report"]]}, "maybe"),
        # In a batch each is for itself.
        ([{"kind": "report"}], "surely"),
        ([{"kind": "report"}, {"kind": "report"}], "surely"),
        ([{"kind": "other"}, {"kind": "report"}], "maybe"),
        ([{"kind": "report"}, 7], "maybe"),
        ([[{"kind": "report"}]], "maybe"),
        ([{"kind": "other"}], "no"),
        ([], "no"),
        # What may be anything.
        (b'{"kind": "other", "kind": "report"}', "unclear"),
        (b'{"kind": "other"', "unclear"),
        (b"kind=other", "unclear"),
    ],
)
def test_a_field_of_json(body: object, expected: str) -> None:
    assert fit(KIND, sent(body)) == expected


@pytest.mark.parametrize(
    ("wanted", "found", "expected"),
    [
        (7, 7, "surely"),
        (7, 8, "no"),
        (7, 7.0, "maybe"),
        (7, "7", "maybe"),
        (7, " 7.0", "maybe"),
        (7, "seven", "no"),
        (1, True, "maybe"),
        (7, [7], "maybe"),
        (1.5, 1.5, "surely"),
        (1.5, "1.5", "maybe"),
        (2**53, 2**53, "maybe"),
        (2**53, 2**53 + 1, "maybe"),
        (10**400, 10**400, "maybe"),
        ("7", 7, "maybe"),
        ("7", 7.0, "maybe"),
        ("true", True, "maybe"),
        ("null", None, "maybe"),
        (True, True, "surely"),
        (True, False, "no"),
        (True, None, "no"),
        (True, "", "no"),
        (True, 0, "no"),
        (True, 1, "maybe"),
        (True, "false", "maybe"),
        (True, [], "maybe"),
        (True, {}, "maybe"),
        (False, False, "surely"),
        (False, True, "no"),
        (False, None, "maybe"),
        (False, 0, "maybe"),
        (False, "", "maybe"),
        (False, "No", "maybe"),
        (False, "x", "no"),
        (False, [], "maybe"),
        (("a", 7), 7, "surely"),
        (("a", 7), "a", "surely"),
        (("a", 7), "b", "no"),
        ("é", "é", "surely"),
        ("straße", "STRASSE", "maybe"),
    ],
)
def test_a_value(wanted: Any, found: Any, expected: str) -> None:
    assert fit(fields(kind=wanted), sent({"kind": found})) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"filter": {"type": "x"}}, "surely"),
        ({"filter": {"type": "y"}}, "no"),
        ({"filter": "x"}, "no"),
        ({"filter": None, "type": "x"}, "no"),
        ({"filter": {"Type": "x"}}, "maybe"),
        ({"Filter": {"type": "x"}}, "maybe"),
        ({"filter": {"type": "x", "TYPE": "y"}}, "maybe"),
        ({"filter": {"type": "x"}, "FILTER": {}}, "maybe"),
        ({"filter.type": "x"}, "maybe"),
        ({"filter": {"type": "x"}, "filter.type": "y"}, "maybe"),
        ({"filter": [{"type": "y"}, {"type": "x"}]}, "maybe"),
    ],
)
def test_a_field_within(body: object, expected: str) -> None:
    assert fit(fields(filter__type="x"), sent(body)) == expected


def test_all_fields_are_needed_in_one_item() -> None:
    both = fields(a=1, b=2)
    assert fit(both, sent({"a": 1, "b": 2})) == "surely"
    assert fit(both, sent({"a": 1})) == "no"
    assert fit(both, sent([{"a": 1}, {"b": 2}])) == "no"
    assert fit(both, sent([{"a": 1}, {"a": 1, "b": 2}])) == "maybe"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"kind=report", "surely"),
        (b"x=1&kind=report", "surely"),
        (b"kind=re%70ort", "surely"),
        (b"kind=other", "no"),
        (b"kind", "no"),
        (b"kind=report&kind=other", "maybe"),
        (b"kind=report&kind[x]=other", "maybe"),
        (b"kind=report&Kind.x=other", "maybe"),
        (b"kind[]=report", "maybe"),
        (b"KIND=Report", "maybe"),
        (b"x=1;kind=report", "maybe"),
        (b"kind=report;x=1", "maybe"),
        (b'{"kind": "report"}', "maybe"),
        (b'{"x": "&kind=report&"}', "maybe"),
        (b'{"x": "kind"}', "no"),
    ],
)
def test_a_field_of_a_form(text: bytes, expected: str) -> None:
    assert fit(KIND, sent(text, FORM)) == expected


@pytest.mark.parametrize(
    ("wanted", "text", "expected"),
    [
        (True, b"kind=1", "maybe"),
        (True, b"kind=on", "maybe"),
        (True, b"kind=false", "no"),
        (True, b"kind=0", "no"),
        (True, b"kind=", "no"),
        (False, b"kind=", "maybe"),
        (False, b"kind=off", "maybe"),
        (False, b"kind=yes", "no"),
        (7, b"kind=7", "maybe"),
        (7, b"kind=07.0", "maybe"),
    ],
)
def test_a_value_of_a_form_is_text(wanted: Any, text: bytes, expected: str) -> None:
    assert fit(fields(kind=wanted), sent(text, FORM)) == expected


@pytest.mark.parametrize("text", [b"filter[type]=x", b"filter.type=x", b"filter%5Btype%5D=x", b"filter_type=x"])
def test_a_field_within_of_a_form(text: bytes) -> None:
    assert fit(fields(filter__type="x"), sent(text, FORM)) == "maybe"


@pytest.mark.parametrize(
    ("body", "query", "expected"),
    [
        ({}, "kind=report", "maybe"),
        (b"", "kind=report", "maybe"),
        (b"", "KIND[]=report", "maybe"),
        (b"", "x=1;kind=report", "maybe"),
        ({"kind": "report"}, "x=1", "surely"),
        # Rails lets the query win, others the body.
        ({"kind": "report"}, "kind=other", "maybe"),
        ({"kind": "report"}, "Kind[x]=other", "maybe"),
        ({"kind": "report"}, "x=1;kind=other", "maybe"),
        ({"kind": "other"}, "kind=another", "no"),
    ],
)
def test_a_field_may_stand_in_the_query(body: object, query: str, expected: str) -> None:
    assert fit(KIND, sent(body), query) == expected


def test_json_that_is_not_said_to_be_json_opens_nothing() -> None:
    assert fit(KIND, sent({"kind": "report"}, b"text/plain")) == "maybe"
    assert fit(KIND, read_body([], [], b'{"kind": "report"}')) == "maybe"


@pytest.mark.parametrize("body", [UNSEEN, Body(unreadable="it is too large"), sent(b"\x1f\x8b")])
def test_what_is_not_read_may_be_anything(body: Body) -> None:
    for condition in (KIND, graphql("Report")):
        assert fit(condition, body) == "unclear"


REPORT = "query Report { export { rows } }"
HASH = hashlib.sha256(b"{ me }").hexdigest()
PERSISTED = {"persistedQuery": {"version": 1, "sha256Hash": "abc"}}
OF_ME = {"persistedQuery": {"version": 1, "sha256Hash": HASH}}


class TestGraphql:
    @pytest.mark.parametrize(
        ("body", "by_name", "by_field"),
        [
            ({"query": REPORT}, "surely", "surely"),
            ({"query": REPORT, "operationName": "Report", "variables": {}}, "surely", "surely"),
            ({"query": REPORT, "operationName": None, "extensions": None}, "surely", "surely"),
            ({"query": REPORT, "operationName": ""}, "surely", "surely"),
            ({"query": "{ export }"}, "no", "surely"),
            ({"query": "{ __typename export }"}, "no", "surely"),
            ({"query": "query Other { me: export }"}, "no", "surely"),
            ({"query": "query Other { export: me }"}, "no", "no"),
            ({"query": "query Report { me }"}, "surely", "no"),
            ({"query": "query Other { ...F } fragment F on Query { export }"}, "no", "surely"),
            ({"query": "{ me export }"}, "no", "maybe"),
            ({"query": "{ me { export } }"}, "no", "no"),
            ({"query": "{ me(export: 1) }"}, "no", "no"),
            ({"query": "{ me } # export"}, "no", "no"),
            ({"query": "mutation { export }"}, "no", "surely"),
            ({}, "no", "no"),
            ({"variables": {"query": REPORT}}, "no", "no"),
            # Several operations: any that may run.
            ({"query": "query A { me } query Report { export }"}, "maybe", "maybe"),
            ({"query": "query A { me } query Report { export }", "operationName": "A"}, "no", "no"),
            ({"query": "query A { me } query Report { export }", "operationName": "Report"}, "surely", "surely"),
            ({"query": "query A { me } query B { export }", "operationName": "C"}, "no", "maybe"),
            ({"query": "query A { me } query A { export }", "operationName": "A"}, "no", "maybe"),
            ({"query": "{ me } { export }"}, "no", "maybe"),
            # Several names.
            ({"query": "query A { me } query B { export }", "operationName": "A", "OperationName": "B"}, "no", "maybe"),
            ({"query": "{ me }", "operation_name": "Report"}, "maybe", "no"),
            # A name alone is enough, whatever is run by it.
            ({"operationName": "Report"}, "maybe", "no"),
            ({"operationName": "Report", "query": "{"}, "maybe", "unclear"),
            ({"operationName": "Other"}, "no", "no"),
            # The query has other names, too.
            ({"Query": REPORT}, "maybe", "maybe"),
            ({"query": "{ me }", "QUERY": REPORT}, "maybe", "maybe"),
            # A batch with one of them.
            ([{"query": "{ me }"}, {"query": REPORT}], "maybe", "maybe"),
            ([{"query": REPORT}, {"query": REPORT}], "surely", "surely"),
            ([{"query": "{ me }"}, {"query": "{ you }"}], "no", "no"),
            ([{"query": "{"}, {"query": REPORT}], "maybe", "maybe"),
            ([{"query": "{ me }"}, {"query": "{"}], "unclear", "unclear"),
            ([], "no", "no"),
            # What can't be read.
            ({"query": "{ me "}, "unclear", "unclear"),
            ({"query": "{ me! }"}, "unclear", "unclear"),
            ({"query": ["{ me }"]}, "unclear", "unclear"),
            ({"query": 1}, "unclear", "unclear"),
            ({"query": "{ me }", "operationName": ["Report"]}, "unclear", "unclear"),
            ({"query": "{ me }", "extensions": []}, "unclear", "unclear"),
            ("{ export }", "unclear", "unclear"),
            ([["query"]], "unclear", "unclear"),
            (None, "unclear", "unclear"),
            # A query that the application keeps.
            ({"extensions": PERSISTED}, "unclear", "unclear"),
            ({"extensions": {"PersistedQuery": {"sha256hash": "abc"}}}, "unclear", "unclear"),
            ({"extensions": {"persistedQuery": "abc"}}, "unclear", "unclear"),
            ({"extensions": PERSISTED, "operationName": "Other"}, "no", "unclear"),
            ({"extensions": PERSISTED, "operationName": "Report"}, "maybe", "unclear"),
            ({"id": "abc"}, "unclear", "unclear"),
            ({"documentId": 7}, "unclear", "unclear"),
            ({"doc_id": "abc"}, "unclear", "unclear"),
            ({"id": None, "query": "{ me }"}, "no", "no"),
            ({"id": "abc", "query": "{ me }"}, "unclear", "unclear"),
            ({"extensions": {"tracing": True}, "query": "{ me }"}, "no", "no"),
            ({"extensions": OF_ME, "query": "{ me }"}, "no", "no"),
            ({"extensions": OF_ME, "query": "{me}"}, "unclear", "unclear"),
        ],
    )  # fmt: skip
    def test_in_json(self, body: object, by_name: str, by_field: str) -> None:
        assert fit(graphql(operation="Report"), sent(body)) == by_name
        assert fit(graphql(field="export"), sent(body)) == by_field

    @pytest.mark.parametrize(
        ("body", "expected"),
        [
            ({"extensions": PERSISTED}, "surely"),
            ({"id": "abc"}, "surely"),
            ({"documentId": "abc"}, "surely"),
            ({"documentId": 12}, "surely"),
            ({"docId": "abc"}, "maybe"),
            ({"id": "other"}, "no"),
            ({"id": "other", "documentId": "abc"}, "maybe"),
            ({"id": "abc", "query": "{ me }"}, "maybe"),
            ({"extensions": {"persistedQuery": {"sha256Hash": "other"}}}, "no"),
            ({"extensions": {"persistedQuery": {"sha256Hash": ["abc"]}}}, "unclear"),
            ([{"id": "other"}, {"id": "abc"}], "maybe"),
            ({"query": "{ me }"}, "no"),
        ],
    )
    def test_that_the_application_keeps(self, body: object, expected: str) -> None:
        assert fit(graphql(persisted="abc 12"), sent(body)) == expected

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("query={export}", "maybe"),
            (f"query={quote(REPORT)}", "maybe"),
            ("query={me}", "no"),
            ("query={me}&query={export}", "maybe"),
            ("QUERY={export}", "maybe"),
            ("query[]={export}", "maybe"),
            ("x=1;query={export}", "maybe"),
            ("query={me;}&x={export}", "unclear"),
            ("query={me}%23;{export}", "no"),
            ("query={me", "unclear"),
            ("query=query A{me}query B{export}", "maybe"),
            ("query=query A{me}query B{export}&operationName=A", "no"),
            ("query=query A{me}query B{export}&operationName=A&operationName=B", "maybe"),
            ("operationName=Report", "no"),
            (f"extensions={quote(json.dumps(PERSISTED))}", "unclear"),
            ("extensions[persistedQuery][sha256Hash]=abc", "unclear"),
            ("extensions={", "unclear"),
            ("extensions=[]", "unclear"),
            ("documentId=abc", "unclear"),
            ("page=7&sort=export", "no"),
            ("", "no"),
        ],
    )
    def test_in_the_address(self, query: str, expected: str) -> None:
        assert fit(graphql(field="export"), EMPTY, query) == expected

    def test_in_the_address_by_name_or_id(self) -> None:
        assert fit(graphql(operation="Report"), EMPTY, "operationName=Report") == "maybe"
        assert fit(graphql(persisted="abc"), EMPTY, f"extensions={quote(json.dumps(PERSISTED))}") == "maybe"
        assert fit(graphql(persisted="abc"), EMPTY, "extensions[persistedQuery][sha256Hash]=abc") == "maybe"
        assert fit(graphql(persisted="abc"), EMPTY, "id=def") == "no"

    @pytest.mark.parametrize(
        ("body", "query", "expected"),
        [
            # Servers take the query of the address before that of the body, or the other way round.
            ({"query": "{ me }"}, "query={export}", "maybe"),
            ({"query": "{ export }"}, "query={me}", "maybe"),
            ({"query": "{ export }"}, "operationName=A", "maybe"),
            ({"query": "query A { me } query B { export }"}, "operationName=A", "no"),
            ({"query": "query A { me } query B { export }", "operationName": "A"}, "operationName=B", "maybe"),
            ({"operationName": "B"}, "query=query A{me}query B{export}", "maybe"),
            ({"operationName": "A"}, "query=query A{me}query B{export}", "no"),
            ([{"operationName": "A"}, {"operationName": "B"}], "query=query A{me}query B{export}", "maybe"),
            ({"query": "{ export }"}, "page=7", "surely"),
        ],
    )
    def test_in_both_at_once(self, body: object, query: str, expected: str) -> None:
        assert fit(graphql(field="export"), sent(body), query) == expected

    def test_as_the_whole_body(self) -> None:
        whole = b"application/graphql"
        assert fit(graphql(field="export"), sent(b"{ export }", whole)) == "maybe"
        assert fit(graphql(field="export"), sent(b"{ me }", whole)) == "no"
        assert fit(graphql(field="export"), sent(b"{ me", whole)) == "unclear"
        assert fit(graphql(field="export"), sent({"query": "{ export }"}, whole)) == "maybe"
        two = b"query A { me } query B { export }"
        assert fit(graphql(field="export"), sent(two, whole), "operationName=A") == "no"

    def test_as_a_form(self) -> None:
        assert fit(graphql(field="export"), sent(b"query=%7Bexport%7D", FORM)) == "maybe"
        assert fit(graphql(field="export"), sent(b"query={export}", FORM)) == "unclear"
        assert fit(graphql(field="export"), sent(b"query=%7Bme%7D", FORM)) == "no"

    @pytest.mark.parametrize(
        ("operations", "expected"),
        [
            ({"query": "mutation { export(file: $f) }", "variables": {"f": None}}, "maybe"),
            ([{"query": "{ me }"}, {"query": "{ export }"}], "maybe"),
            ({"query": "{ me }"}, "no"),
            ({"query": "{ me "}, "unclear"),
        ],
    )
    def test_as_an_upload(self, operations: object, expected: str) -> None:
        parts = {"operations": json.dumps(operations), "map": '{"0": ["variables.f"]}', "0": "a,b\r\n1,2"}
        lines = [f'--B\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}' for name, text in parts.items()]
        data = "\r\n".join([*lines, "--B--\r\n"]).encode()
        assert fit(graphql(field="export"), sent(data, b"multipart/form-data; boundary=B")) == expected

    def test_a_second_reading_opens_nothing(self) -> None:
        open_field = graphql(field="export")
        assert fit(open_field, sent({"query": "{ export }"}, b"text/plain")) == "maybe"
        assert fit(open_field, sent({"query": "{ export }", "more": 1})) == "maybe"
        assert fit(open_field, sent({"query": "{ export }"}), "Query={me}") == "maybe"
        assert fit(open_field, sent({"query": "{ export }"}), "query[x]={me}") == "maybe"
        assert fit(open_field, sent({"query": "{ export }", "operationName": "A"})) == "maybe"

    def test_and_fields_beside_it_are_both_needed(self) -> None:
        both = BodyCondition(fields(kind="report").fields, graphql(field="export").graphql)
        assert fit(both, sent({"query": "{ export }"})) == "no"
        assert fit(both, sent({"query": "{ me }", "kind": "report"})) == "no"
        assert fit(both, sent({"query": "{ export }", "kind": "report"})) == "maybe"


RPC = fields(method="export_report")
TOOL = fields(method="tools/call", params__name="export_report")


@pytest.mark.parametrize(
    ("body", "by_method", "by_tool"),
    [
        ({"jsonrpc": "2.0", "id": 1, "method": "export_report", "params": []}, "surely", "no"),
        ({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "export_report"}}, "no", "surely"),
        ({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"name": "export_report"}}, "no", "no"),
        ({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "other"}}, "no", "no"),
        ({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": ["export_report"]}, "no", "no"),
        ({"jsonrpc": "2.0", "id": 1, "Method": "tools/call", "params": {"Name": "export_report"}}, "no", "maybe"),
        ({"jsonrpc": "2.0", "id": 1, "result": {"method": "export_report"}}, "no", "no"),
        ([{"method": "ping"}, {"method": "export_report"}], "maybe", "no"),
        ([{"method": "ping"}, {"method": "tools/call", "params": {"name": "export_report"}}], "no", "maybe"),
        ([{"method": "tools/call"}, {"params": {"name": "export_report"}}], "no", "no"),
        (b'{"method": "ping", "method": "export_report"}', "unclear", "unclear"),
    ],
)
def test_rpc(body: object, by_method: str, by_tool: str) -> None:
    assert (fit(RPC, sent(body)), fit(TOOL, sent(body))) == (by_method, by_tool)


def naive_fit(data: bytes) -> bool:
    """As a gateway does that takes the body for what it seems to be: the known-bad twin."""
    try:
        parsed = json.loads(data)
        return bool(parsed["operationName"] == "Report" or "query Report" in parsed["query"])
    except (ValueError, KeyError, TypeError):
        return False


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        (b'[{"query": "query Report { export }"}]', JSON),
        (b'{"query": "{ export }"}', JSON),
        (b'{"query": "query\\nReport { export }"}', JSON),
        (b'{"query": "query,Report{export}"}', JSON),
        (b'{"query": "{ x: export }"}', JSON),
        (b'{"query": "{ ...F } fragment F on Query { export }"}', JSON),
        (b'{"Query": "{ export }"}', JSON),
        (b'{"query": "{ export }", "query": "{ me }"}', JSON),
        (b'\xef\xbb\xbf{"query": "{ export }"}', JSON),
        ('{"query": "{ export }"}'.encode("utf-16"), JSON),
        (b'{"extensions": {"persistedQuery": {"sha256Hash": "abc"}}}', JSON),
        (b'{"__proto__": {"query": "{ export }"}}', JSON),
        (b"query=%7Bexport%7D", FORM),
        (b"{ export }", b"application/graphql"),
        (b'--B\r\nContent-Disposition: form-data; name="operations"\r\n\r\n{"query": "{export}"}\r\n--B--',
         b"multipart/form-data; boundary=B"),
    ],
)  # fmt: skip
def test_a_naive_reader_lets_it_slip_through(data: bytes, content_type: bytes) -> None:
    assert not naive_fit(data)
    assert fit(graphql("Report", "export"), sent(data, content_type)) in ("surely", "maybe", "unclear")


KEYS = st.sampled_from(["kind", "Kind", "query", "operationName", "id", "extensions", "x"])
WORDS = st.sampled_from(["", "report", "Report", "{ export }", "a{", "1", "no"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
BY_FIELD = [KIND, RPC, TOOL, fields(kind=True), fields(kind=1), fields(kind__x="report")]
BY_GRAPHQL = [graphql("report"), graphql("", "export"), graphql("report", "export", "1")]
CONDITIONS = st.sampled_from([*BY_FIELD, *BY_GRAPHQL])
TYPES = st.sampled_from([JSON, FORM, b"text/plain", b"application/graphql"])
QUERIES = st.sampled_from(["", "kind=report", "query={export}", "id=1;x=2", "%", "operationName=report"])


@given(CONDITIONS, VALUES, TYPES, QUERIES)
def test_whatever_comes_fits_or_not(condition: BodyCondition, value: Any, content_type: bytes, query: str) -> None:
    assert fit(condition, sent(value, content_type), query) in ("surely", "maybe", "no", "unclear")


@given(CONDITIONS, VALUES, VALUES)
def test_in_a_batch_one_is_enough_for_a_result_and_all_are_needed_for_the_rest(
    condition: BodyCondition, one: Any, other: Any
) -> None:
    singly = [fit(condition, sent([value])) for value in (one, other)]
    together = fit(condition, sent([one, other]))
    assert (together in ("surely", "maybe")) == any(each in ("surely", "maybe") for each in singly)
    assert (together == "surely") == (singly == ["surely", "surely"])
    assert together != "no" or singly == ["no", "no"]


MANY = 20_000


@pytest.mark.parametrize("condition", [KIND, TOOL, graphql("Report", "export"), graphql("Report", "export", "abc")])
@pytest.mark.parametrize(
    ("data", "query"),
    [
        (b"[" + b"{}," * MANY + b"{}]", "operationName=A&" * MANY),
        (b"[" + b'{"operationName":"B"},' * MANY + b"{}]", "query={me}&" * MANY),
        (b"[" + b"{}," * MANY + b"{}]", "query=" + "query A{me}" * MANY),
        (b"[" + b'{"query":"{me}"},' * MANY + b"{}]", "operationName=A&" * MANY),
        (json.dumps({"_" * n + "operationName": "B" for n in range(200)}).encode(), "kind=x&" * MANY),
        (json.dumps({"query": "query A{me}" * MANY}).encode(), "id=1&" * MANY),
        (json.dumps({"kind": [["x"] * MANY] * 3, "method": [{}] * MANY}).encode(), "method=tools/call&" * MANY),
        (json.dumps({"id": 1, "query": "x" * MANY * 10}).encode(), "params.name=x&" * MANY),
    ],
    ids=range(8),
)  # fmt: skip
def test_a_hostile_request_costs_no_more_than_its_length(condition: BodyCondition, data: bytes, query: str) -> None:
    # Anything worse than linear would take minutes with this much; the test's own time limit tells.
    fit(condition, sent(data), query)
