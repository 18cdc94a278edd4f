"""The bytes of a request head. Framing is always the gateway's own (RFC 9112 section 6)."""

from __future__ import annotations

import re

from gateway.core.header_lines import HeaderLines, header_lines
from gateway.ports.upstream import Headers, RequestBody

_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_TARGET = re.compile(rb"[^\x00-\x20\x7f]+")
_EXPECT_BODY = frozenset((b"POST", b"PUT", b"PATCH"))

_good_methods: set[bytes] = set()
"""Found good before, so that each is examined once."""
_REMEMBERED_MOST = 1024


def request_head(method: bytes, target: bytes, headers: Headers, body: RequestBody | None) -> bytes:
    """The request line and header section, byte for byte as given, with our framing header at the end.

    Raises ValueError for whatever could end a line or a field early, and for framing headers from outside: a
    second reading of where a request ends is how one client's request becomes part of another's.
    """
    return _head(method, target, header_lines(headers), _framing(method, body))


def bodiless_head(method: bytes, target: bytes, lines: HeaderLines) -> bytes:
    """The head of a request without a body. Raises ValueError as `request_head` does."""
    return _head(method, target, lines, _framing(method, None))


def handshake_head(target: bytes, headers: Headers) -> bytes:
    """The head of a request for a WebSocket (RFC 6455 section 4.1), of which `headers` have the key and what is offered
    besides. Raises ValueError as `request_head` does."""
    return _head(b"GET", target, header_lines(headers), b"connection: Upgrade\r\nupgrade: websocket\r\n\r\n")


def _head(method: bytes, target: bytes, lines: HeaderLines, framing: bytes) -> bytes:
    if method not in _good_methods:
        _vet_method(method)
    if _TARGET.fullmatch(target) is None:
        raise ValueError(f"request target {target!r} is empty or holds a space or a control character")
    return b"%b %b HTTP/1.1\r\n%b%b" % (method, target, lines, framing)


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
    if len(_good_methods) >= _REMEMBERED_MOST:
        _good_methods.clear()
    _good_methods.add(method)
