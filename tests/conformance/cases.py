"""Requests as bytes, and what has to become of each behind every server.

`MARK` in a target is replaced by a word that only this test uses. `PASSES` means exactly one whole request at the
application; `REFUSED` none at all; `CUT` none whole. What another server does otherwise stands in `DIFFERENCES`, and
nothing else may.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from .fronts import GRANIAN, OURS, RUN, UVICORN


class Fate(Enum):
    """What the application sees of a request."""

    PASSES = auto()
    REFUSED = auto()
    CUT = auto()


@dataclass(frozen=True)
class Case:
    """One message and what is to become of it."""

    payload: bytes
    fate: Fate
    status: int


HOST, CLOSE = b"host: a\r\n", b"connection: close\r\n"
BODY = b"POST /x?MARK HTTP/1.1\r\nhost: a\r\nconnection: close\r\n"
CHUNKED = BODY + b"transfer-encoding: chunked\r\n\r\n"
HIDDEN = b"GET /hidden?MARK HTTP/1.1\r\nhost: a\r\n\r\n"


def get(
    headers: bytes = b"", target: bytes = b"/x?MARK", method: bytes = b"GET", version: bytes = b"HTTP/1.1"
) -> bytes:
    """A request in order but for what is given."""
    return b"%s %s %s\r\n%s%s%s\r\n" % (method, target, version, HOST, CLOSE, headers)


def bare(headers: bytes, version: bytes = b"HTTP/1.1") -> bytes:
    """A request with these headers alone."""
    return b"GET /x?MARK %s\r\n%s\r\n" % (version, headers)


def passes(payload: bytes, status: int = 200) -> Case:
    """One that reaches the application whole."""
    return Case(payload, Fate.PASSES, status)


def refused(payload: bytes, status: int = 400) -> Case:
    """One that does not reach the application."""
    return Case(payload, Fate.REFUSED, status)


SOCKET = (
    b"GET /x?MARK HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
    b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\ncontent-length: 5\r\n\r\nhello"
)

CASES = {
    "plain": passes(get()),
    "length and coding": refused(BODY + b"content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n" + HIDDEN),
    "two lengths": refused(BODY + b"content-length: 4\r\ncontent-length: 5\r\n\r\nabcde"),
    "the same length twice": refused(BODY + b"content-length: 4\r\ncontent-length: 4\r\n\r\nabcd"),
    "a list of lengths": refused(BODY + b"content-length: 4, 4\r\n\r\nabcd"),
    "a length with a sign": refused(BODY + b"content-length: +4\r\n\r\nabcd"),
    "chunked twice": refused(BODY + b"transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
    "gzip and chunked": refused(BODY + b"transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    "line ends without CR": refused(get().replace(b"\r\n", b"\n")),
    "chunk extension": passes(CHUNKED + b"1;a=b\r\na\r\n0\r\n\r\n"),
    "chunk size in 0x": Case(CHUNKED + b"0x1\r\na\r\n0\r\n\r\n", Fate.CUT, 0),
    "chunk lines without CR": Case(CHUNKED + b"1\na\n0\n\n", Fate.CUT, 0),
    "chunk longer than its size": Case(CHUNKED + b"1\r\naXX\r\n0\r\n\r\n", Fate.CUT, 0),
    "trailers": passes(CHUNKED + b"1\r\na\r\n0\r\nx-user-id: 1\r\n\r\n"),
    "folded header": refused(get(b"x-a: 1\r\n 2\r\n")),
    "blank before the colon": refused(get(b"x-a : 1\r\n")),
    "header without a name": refused(get(b": 1\r\n")),
    "underscore in a name": refused(get(b"x_user_id: 1\r\nx-user-id: 2\r\n")),
    "NUL in a value": refused(get(b"x-a: a\0b\r\n")),
    "CR in a value": refused(get(b"x-a: a\rb\r\n")),
    "odd expectation": refused(get(b"expect: y\r\n"), 417),
    "one header of 100 KB": refused(get(b"x-a: " + b"a" * 100_000 + b"\r\n"), 431),
    "70 KB in ten headers": refused(get(b"".join(b"x-%d: %b\r\n" % (i, b"a" * 7000) for i in range(10))), 431),
    "500 headers": refused(get(b"x-a: 1\r\n" * 500), 431),
    "no host": refused(bare(CLOSE)),
    "two hosts": refused(bare(HOST + HOST + CLOSE)),
    "host with a path": refused(bare(b"host: a/?x=\r\n" + CLOSE)),
    "empty host": refused(bare(b"host:\r\n" + CLOSE)),
    "HTTP/1.0": passes(get(version=b"HTTP/1.0")),
    "HTTP/1.0 without a host": passes(bare(b"", b"HTTP/1.0")),
    "HTTP/0.9": refused(get(version=b"HTTP/0.9")),
    "HTTP/2.0 in a line of HTTP/1": refused(get(version=b"HTTP/2.0")),
    "absolute form": passes(get(target=b"http://a/x?MARK")),
    "absolute form of another host": refused(get(target=b"http://evil/x?MARK")),
    "no slash": refused(get(target=b"x?MARK")),
    "eight-bit target": refused(get(target=b"/\xe9?MARK")),
    "CONNECT": refused(get(method=b"CONNECT", target=b"a:80"), 0),
    "TRACE": refused(get(method=b"TRACE"), 405),
    "a method in small letters": refused(get(method=b"get")),
    "a method with a mark": refused(get(method=b"GET!"), 0),
    "HEAD": passes(get(method=b"HEAD")),
    "204": passes(get(target=b"/none?MARK"), 204),
    "304": passes(get(target=b"/same?MARK"), 304),
    "a large body": passes(BODY + b"content-length: 3000000\r\n\r\n" + b"a" * 3_000_000),
    "WebSocket with a body": refused(SOCKET),
    "another protocol": passes(get(b"upgrade: h2c\r\nhttp2-settings: AA\r\n")),
}

DIFFERENCES: dict[tuple[str, str], tuple[Fate, int]] = {
    # The server takes the authority away before the application sees the target.
    ("absolute form of another host", UVICORN): (Fate.PASSES, 200),
    ("absolute form of another host", GRANIAN): (Fate.PASSES, 200),
    # granian lets chunked coding win, hides the length, and closes: what hides behind it is never read as a request.
    ("length and coding", GRANIAN): (Fate.PASSES, 200),
    ("the same length twice", GRANIAN): (Fate.PASSES, 200),
    ("line ends without CR", GRANIAN): (Fate.PASSES, 200),
    ("a method in small letters", GRANIAN): (Fate.PASSES, 200),
    # granian gives the application an empty host, which is none in HTTP/1.1.
    ("HTTP/1.0 without a host", GRANIAN): (Fate.REFUSED, 400),
}
SILENT = {("WebSocket with a body", UVICORN)}
"""Where the server never answers, and keeps the connection until the client lets it go."""

KEPT = {("WebSocket with a body", GRANIAN)}
"""Where the connection stays open behind the refusal."""

assert all(name in CASES and front not in (RUN, OURS) for name, front in [*DIFFERENCES, *SILENT, *KEPT])
