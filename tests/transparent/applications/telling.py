"""What the applications in Python share: reading what they are told, and reporting what they were asked."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

PIECE = 8192
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
METHODS += ["PROPFIND", "REPORT", "PURGE", "M-SEARCH", "MKCOL"]

_FILLING = bytes(range(256)) * 4096
_LEFT_OUT = frozenset(os.environ["LEFT_OUT"].split())
"""Headers that the gateway is documented to change; in lower case."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to answer."""

    status: int
    headers: list[tuple[str, str]]
    length: int
    stream: bool
    coding: str


def order(value: str | None) -> Order:
    """Read the value of `X-Answer`; without one a plain 200."""
    told = json.loads(base64.b64decode(value)) if value else {}
    headers = [(name, text) for name, text in told.get("headers", ())]
    coding = "gzip" if told.get("coding") == "gzip" else ""
    if coding:
        headers.append(("Content-Encoding", coding))
    return Order(told.get("status", 200), headers, told.get("length", 0), told.get("stream", False), coding)


def body_of(told: Order, method: str, target: str, headers: Iterable[tuple[str, str]], body: bytes) -> bytes:
    """The body to answer with: the report, and filling. Names of headers in any case, `_` for `-` allowed."""
    if told.status in (204, 205, 304):
        return b""
    asked = sorted(((name.lower().replace("_", "-"), value) for name, value in headers), key=lambda pair: pair[0])
    report = {
        "method": method,
        "target": target,
        "headers": [pair for pair in asked if pair[0] not in _LEFT_OUT],
        "size": len(body),
        "sha256": hashlib.sha256(body).hexdigest(),
    }
    data = json.dumps(report).encode() + b"\n" + _FILLING[: told.length]
    return gzip.compress(data, mtime=0) if told.coding else data


def pieces(data: bytes) -> Iterator[bytes]:
    """The same bytes, to be streamed."""
    return (data[start : start + PIECE] for start in range(0, len(data), PIECE))


def wsgi_headers(environ: dict[str, str]) -> Iterator[tuple[str, str]]:
    """The request's headers as WSGI has them."""
    for name, value in environ.items():
        if name.startswith("HTTP_"):
            yield name[5:], value
        elif name == "CONTENT_TYPE":
            yield name, value
