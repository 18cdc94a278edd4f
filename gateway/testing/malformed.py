"""What a webhook may be sent in place of a report: by strangers, by mistake, or by a proxy that cut it."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

from gateway.ports.payment import Headers, ProviderRequest

BODIES: dict[str, bytes] = {
    "empty": b"",
    "no JSON": b"paid=yes&amount=1",
    "null": b"null",
    "a number": b"1",
    "a text": b'"paid"',
    "a list": b"[]",
    "an empty object": b"{}",
    "lists without end": b"[" * 200_000,
    "objects without end": b'{"a":' * 100_000,
    "a whole number of 10,000 digits": b'{"id": "a", "amount": ' + b"9" * 10_000 + b"}",
    "no number": b'{"id": "a", "amount": NaN, "created": -Infinity}',
    "the same key twice": b'{"id": "a", "id": "b", "type": "a", "type": "b"}',
    "half a surrogate": rb'{"id": "\ud800", "type": "\udfff"}',
    "a null character": rb'{"id": "\u0000", "type": "\u0000"}',
    "bytes of no charset": b'{"id": "\xff\xfe", "type": "\xc3\x28"}',
    "UTF-16": '{"id": "a", "type": "b"}'.encode("utf-16"),
    "UTF-32": '{"id": "a", "type": "b"}'.encode("utf-32"),
    "a byte order mark": b'\xef\xbb\xbf{"id": "a", "type": "b"}',
    "a mebibyte of nothing": b" " * (1 << 20),
    "a mebibyte of text": b'{"id": "' + b"a" * ((1 << 20) - 20) + b'"}',
    "something after the end": b'{"id": "a", "type": "b"} {"id": "a"}',
}
"""Bodies that are no report of anything, by what is wrong with them."""

VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 1.5, 10**400, 1e308, "", "x" * 5_000, "\ud800", "12abc", [], ["a"], {}, {"a": {"b": []}},
)  # fmt: skip
"""What may stand in place of any value of a report."""


def replaced(body: bytes) -> Iterator[tuple[str, bytes]]:
    """The JSON of a report with one value after the other replaced by what does not belong there, or taken away; where
    it was changed, and the body. Nothing for what is no JSON."""
    try:
        told = json.loads(body)
    except ValueError:
        return
    for number, place in enumerate(_places(told)):
        at = "/".join(map(str, place))
        without = copy.deepcopy(told)
        del _container(without, place)[place[-1]]
        yield f"{at} taken away", json.dumps(without).encode()
        # Each value somewhere, and all of them over the whole: every value at every place would take minutes.
        for value in (VALUES[number % len(VALUES)], VALUES[(number * 7 + 3) % len(VALUES)]):
            other = copy.deepcopy(told)
            _container(other, place)[place[-1]] = value
            yield f"{at} = {str(value)[:20]!r}", json.dumps(other).encode()


def with_body(request: ProviderRequest, body: bytes) -> ProviderRequest:
    """The same request with another body; its headers, and so its proof, stay."""
    return ProviderRequest(request.method, request.path, request.query, list(request.headers), body)


def with_header(request: ProviderRequest, name: bytes, *values: bytes) -> ProviderRequest:
    """The same request with these values of a header in place of its own; without it where there are none."""
    headers: Headers = [(key, value) for key, value in request.headers if key.lower() != name]
    headers += [(name, value) for value in values]
    return ProviderRequest(request.method, request.path, request.query, headers, request.body)


def _places(told: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inner: Any = told.items() if isinstance(told, dict) else enumerate(told) if isinstance(told, list) else ()
    for key, value in inner:
        yield (*path, key)
        yield from _places(value, (*path, key))


def _container(told: Any, place: tuple[Any, ...]) -> Any:
    for key in place[:-1]:
        told = told[key]
    return told
