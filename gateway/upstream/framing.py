"""The bytes of a request head. Framing is always the gateway's own (RFC 9112 section 6)."""

from __future__ import annotations

import re

from gateway.ports.upstream import Headers, RequestBody

_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_TARGET = re.compile(rb"[^\x00-\x20\x7f]+")
_OURS = frozenset((b"content-length", b"transfer-encoding", b"connection", b"upgrade"))
_EXPECT_BODY = frozenset((b"POST", b"PUT", b"PATCH"))

_good_methods: set[bytes] = set()
_good_names: set[bytes] = set()
"""Found good before, so that each is examined once. Never one set: a method may be called what a header may not."""
_REMEMBERED_MOST = 1024


def request_head(method: bytes, target: bytes, headers: Headers, body: RequestBody | None) -> bytes:
    """The request line and header section, byte for byte as given, with our framing header at the end.

    Raises ValueError for whatever could end a line or a field early, and for framing headers from outside: a
    second reading of where a request ends is how one client's request becomes part of another's.
    """
    if method not in _good_methods:
        _vet_method(method)
    if _TARGET.fullmatch(target) is None:
        raise ValueError(f"request target {target!r} is empty or holds a space or a control character")
    parts = [method, b" ", target, b" HTTP/1.1\r\n"]
    for name, value in headers:
        if name not in _good_names:
            _vet_name(name)
        parts += (name, b": ", value, b"\r\n")
    framing = _framing(method, body)
    parts.append(framing)
    head = b"".join(parts)
    lines = len(headers) + (3 if len(framing) > 2 else 2)
    # Counting in the finished head finds what is wrong in any value, at a fraction of the cost of asking each.
    if head.count(b"\n") != lines or head.count(b"\r") != lines or b"\0" in head:
        raise ValueError(f"request header {_first_bad_name(headers)!r} has a value with CR, LF or NUL")
    return head


def _framing(method: bytes, body: RequestBody | None) -> bytes:
    if body is None:
        return b"content-length: 0\r\n\r\n" if method in _EXPECT_BODY else b"\r\n"
    if body.length is None:
        return b"transfer-encoding: chunked\r\n\r\n"
    return b"content-length: %d\r\n\r\n" % body.length


def _vet_method(method: bytes) -> None:
    if _TOKEN.fullmatch(method) is None:
        raise ValueError(f"request method {method!r} is not a token (RFC 9110 section 5.6.2)")
    if method == b"CONNECT":
        raise ValueError("CONNECT asks for a tunnel, which is never opened to the application")
    _remember(method, _good_methods)


def _vet_name(name: bytes) -> None:
    if _TOKEN.fullmatch(name) is None:
        raise ValueError(f"request header name {name!r} is not a token (RFC 9110 section 5.6.2)")
    if name.lower() in _OURS:
        raise ValueError(f"request header {name!r} belongs to one connection only and must not be handed on")
    _remember(name, _good_names)


def _remember(word: bytes, good: set[bytes]) -> None:
    if len(good) >= _REMEMBERED_MOST:
        good.clear()
    good.add(word)


def _first_bad_name(headers: Headers) -> bytes:
    return next((name for name, value in headers if any(bad in value for bad in (b"\r", b"\n", b"\0"))), b"")
