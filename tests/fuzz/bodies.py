"""Bodies: what some application takes for a result is one, or unreadable; what opens a route all read so."""

from __future__ import annotations

from random import Random

from gateway.access.body import read_body
from tests.access.fitting import fields, fit, graphql
from tests.access.readers import everything_read, said

BODIES = (
    b'{"kind": "report", "query": "{ x: export }", "operationName": null, "variables": {"a": [1, 2.5, true]}}',
    b'[{"kind": "other"}, {"kind": ["report"], "x": {"kind": "other"}}]',
    b'{"kind": "report", "kind": "other", "Query": "{ export }"}',
    b'{"Kind": "report", "x": "&kind=report&"}',
    b"kind=report&query=%7Bexport%7D&x[a]=1&y=2",
    b'{"query": "query A { me } query B { ...F } fragment F on Query { export }", "operationName": "A"}',
    b'{"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "abc"}}, "id": "abc"}',
    b'--B\r\nContent-Disposition: form-data; name="operations"\r\n\r\n{"query": "{ export }"}\r\n'
    b'--B\r\nContent-Disposition: form-data; name="0"; filename="a"\r\nContent-Type: text/csv\r\n\r\na,b\r\n--B--\r\n',
)
BODY_WORDS = (
    b'"kind"', b'"Kind"', b'"report"', b'"other"', b'"query"', b'"{ export }"', b'"{ x: export }"', b'"__proto__"',
    b":", b",", b"{", b"}", b"[", b"]", b'"', b"\\u0069", b"\\u0000", b"\\ud800", b"\xef\xbb\xbf", b"NaN", b"1e999",
    b"/* x */", b"// x\n", b"&", b";", b"=", b"kind=report", b"kind[]=report", b"%", b"+", b"null", b"true", b"\r\n",
    b"--B", b"\xff", b'"kind": "report"', b'"kind": "other", ', b"\xc5\xbf", b"\x00",
)  # fmt: skip
_TYPES = (
    "application/json", "application/json", "application/x-www-form-urlencoded", "", "text/plain",
    "application/graphql", "multipart/form-data; boundary=B", "application/json; charset=utf-16",
)  # fmt: skip
_QUERIES = ("", "", "", "kind=report", "kind=other", "query={export}", "operationName=B", "x=1;kind=report", "id=abc")
_KIND, _EXPORT = fields(kind="report"), graphql("B", "export", "abc")
_EXPORTS = ("{ export }", "{ x: export }", "{export}")


def body_is_not_missed(data: bytes, luck: Random) -> None:
    """No reader finds a result where the gateway finds none, or another word where it opens something."""
    content_type, query = luck.choice(_TYPES), luck.choice(_QUERIES)
    body = read_body([content_type.encode()] if content_type else [], [], data)
    kind, export = fit(_KIND, body, query), fit(_EXPORT, body, query)
    read = list(everything_read(content_type, "", data, query))
    if any(said(each, "kind").casefold() == "report" for each in read):
        assert kind != "no", (content_type, query)
    if any(said(each, "query") in _EXPORTS for each in read):
        assert export != "no", (content_type, query)
    if kind == "surely":
        assert {said(each, "kind") for each in read} == {"report"}, (content_type, query)
