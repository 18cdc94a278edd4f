"""Ask whether a request fits conditions on its body, in one word."""

from __future__ import annotations

import json
from typing import Any

from gateway.access.body import Body, read_body
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
