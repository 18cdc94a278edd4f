"""Whether a request fits the conditions on its body: for a result by any reading, for other rules by every one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.access.body import UNSEEN, Body, read_body
from gateway.core.rule import BodyCondition
from tests.access.fitting import FORM, JSON, fields, fit, graphql, sent

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
        (b"kind=report&request.kind=other", "maybe"),
        (b"kind=report&Kind.x=other", "maybe"),
        (b"kind[]=report", "maybe"),
        (b"KIND=Report", "maybe"),
        (b"x=1;kind=report", "maybe"),
        (b"kind=report;x=1", "maybe"),
        (b"kind%00x=report", "maybe"),
        (b"request.kind=report", "maybe"),
        (b"kind=report&x=%00", "maybe"),
        (b"x&" * 99 + b"kind=report", "surely"),
        (b"x&" * 1000 + b"kind=report", "maybe"),
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
        (b"", "kind%00x=report", "maybe"),
        ({"kind": "report"}, "x=1", "surely"),
        # Rails lets the query win, others the body.
        ({"kind": "report"}, "kind=other", "maybe"),
        ({"kind": "report"}, "Kind[x]=other", "maybe"),
        ({"kind": "report"}, "x=1;kind=other", "maybe"),
        ({"kind": "report"}, "request.kind=other", "maybe"),
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
