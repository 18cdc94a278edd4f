"""Whether a GraphQL request runs what a route is about, wherever servers look for it."""

from __future__ import annotations

import hashlib
import json
from urllib.parse import quote

import pytest

from gateway.access.body import EMPTY
from gateway.core.rule import BodyCondition
from tests.access.fitting import FORM, JSON, fields, fit, graphql, sent

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
            ({"id": "abc", "query": REPORT}, "maybe", "maybe"),
            ({"query": "fragment F on Query { export }"}, "no", "no"),
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

    def test_nothing_that_is_run_opens_nothing(self) -> None:
        for body in ({"query": "fragment F on Query { me }"}, {"query": "{ __typename }"}, {"query": ""}, {}):
            assert fit(graphql("Report", "me", "abc"), sent(body)) == "no"

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
