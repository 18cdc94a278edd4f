"""Headers as they are written into a request head: vetted, byte for byte, each line with its end."""

from __future__ import annotations

import re
from typing import NewType

from gateway.core.header import Headers

HeaderLines = NewType("HeaderLines", bytes)
"""The header section of a request but for its framing, as `header_lines` makes it: nothing in it ends a line early."""

_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_FRAMING = frozenset((b"content-length", b"transfer-encoding", b"connection", b"upgrade"))

_good_names: set[bytes] = set()
"""Found good before, so that each is examined once."""
_REMEMBERED_MOST = 1024


def header_lines(headers: Headers) -> HeaderLines:
    """These headers as lines. Raises ValueError for whatever could end a line or a field early, and for headers that
    frame a message or belong to one connection, which are the connector's own to write."""
    good = _good_names
    for name, _ in headers:
        if name not in good:
            _vet(name)
    lines = b"\r\n".join([*map(b": ".join, headers), b""])
    # Counting in the finished lines finds what is wrong in any value, at a fraction of the cost of asking each.
    if lines.count(b"\n") != len(headers) or lines.count(b"\r") != len(headers) or b"\0" in lines:
        raise ValueError(f"request header {_first_bad_name(headers)!r} has a value with CR, LF or NUL")
    return HeaderLines(lines)


def _vet(name: bytes) -> None:
    if _TOKEN.fullmatch(name) is None:
        raise ValueError(f"request header name {name!r} is not a token (RFC 9110 section 5.6.2)")
    if name.lower() in _FRAMING:
        raise ValueError(f"request header {name!r} belongs to one connection only and must not be handed on")
    if len(_good_names) >= _REMEMBERED_MOST:
        _good_names.clear()
    _good_names.add(name)


def _first_bad_name(headers: Headers) -> bytes:
    return next((name for name, value in headers if any(bad in value for bad in (b"\r", b"\n", b"\0"))), b"")
