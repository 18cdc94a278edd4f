"""Hostile requests whose point is where a message begins, ends, or becomes another protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product

from .message import TARGET, Header, Variant, printable, request, words

_LINES = (
    *(b"GET %b HTTP/1.0", b"GET %b HTTP/0.9", b"GET %b HTTP/2.0", b"GET %b HTTP/1.2", b"GET %b HTTP/3"),
    *(b"GET %b http/1.1", b"GET %b HTTP/1.1 ", b"GET %b HTTP/01.1", b"GET %b HTTP/1.1x", b"GET %b HTTP/ 1.1"),
    *(b"GET %b ICAP/1.0", b"GET %b", b"GET %b ", b"%b", b"%b HTTP/1.1", b"GET %b HTTP/1.1\r"),
    *(b"GET  %b HTTP/1.1", b"GET %b  HTTP/1.1", b"GET\t%b\tHTTP/1.1", b"GET %b\tHTTP/1.1", b"GET\x0b%b HTTP/1.1"),
    *(b"GET %b x HTTP/1.1", b"GET /open %b HTTP/1.1", b"GET %b /open HTTP/1.1", b"GET %b HTTP/1.1 HTTP/1.1"),
    *(b"\nGET %b HTTP/1.1", b"\r\nGET %b HTTP/1.1", b"\r\n\r\nGET %b HTTP/1.1", b"\x00GET %b HTTP/1.1"),
    b"\x16\x03\x01GET %b HTTP/1.1",
)


def request_lines() -> Iterator[Variant]:
    """Odd versions, odd blanks, and what stands before the line."""
    rest = request(TARGET).partition(b"\r\n")[2]
    for line in _LINES:
        yield Variant(f"line {printable(line % TARGET)}", line % TARGET + b"\r\n" + rest)


def heads() -> Iterator[Variant]:
    """Lines of a head that two readers split differently, and heads of unreasonable size."""
    plain = request(TARGET)
    yield Variant("head with bare LF", plain.replace(b"\r\n", b"\n"))
    yield Variant("head with bare CR", plain.replace(b"\r\n", b"\r"))
    for line in (b"X-Any: a\r\n b", b"X-Any : a", b"X-Any", b": a", b"X-Any: a\rb", b"X-Any: a\x00b"):
        yield Variant(f"head with {printable(line)}", plain[:-2] + line + b"\r\n\r\n")
    yield Variant("head with its first line folded", plain.replace(b"\r\nHost", b"\r\n Host"))
    yield Variant("head of 70 KB", request(TARGET, [(b"X-Any", b"a" * 70_000)]))
    yield Variant("head of 500 lines", request(TARGET, [(b"X-Any-%d" % number, b"a") for number in range(500)]))
    yield Variant("head after an HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + plain)


_TO_WEBSOCKET: Header = (b"Upgrade", b"websocket")
_VERSION: Header = (b"Sec-WebSocket-Version", b"13")
_KEY: Header = (b"Sec-WebSocket-Key", b"dGhlIHNhbXBsZSBub25jZQ==")
_TO_HTTP2: Header = (b"Upgrade", b"h2c")
_SETTINGS: Header = (b"HTTP2-Settings", b"AAMAAABkAARAAAAAAAIAAAAA")
_FIVE_BYTES: Header = (b"Content-Length", b"5")

_UPGRADES: tuple[tuple[str, bytes, list[Header]], ...] = (
    ("websocket", b"Upgrade", [_TO_WEBSOCKET, _VERSION, _KEY]),
    ("websocket, lower case", b"upgrade", [_TO_WEBSOCKET, _VERSION, _KEY]),
    ("websocket, keep-alive too", b"keep-alive, Upgrade", [_TO_WEBSOCKET, _VERSION, _KEY]),
    ("websocket in capitals", b"Upgrade", [(b"Upgrade", b"WEBSOCKET"), _VERSION, _KEY]),
    ("websocket version 12", b"Upgrade", [_TO_WEBSOCKET, (b"Sec-WebSocket-Version", b"12"), _KEY]),
    ("websocket without key", b"Upgrade", [_TO_WEBSOCKET, _VERSION]),
    ("websocket without connection", b"close", [_TO_WEBSOCKET, _VERSION, _KEY]),
    ("websocket, protocol", b"Upgrade", [_TO_WEBSOCKET, _VERSION, _KEY, (b"Sec-WebSocket-Protocol", b"a, \xc3\xa9")]),
    ("websocket with body", b"Upgrade", [_TO_WEBSOCKET, _VERSION, _KEY, _FIVE_BYTES]),
    ("h2c", b"Upgrade, HTTP2-Settings", [_TO_HTTP2, _SETTINGS]),
    ("h2c without settings", b"Upgrade", [_TO_HTTP2]),
    ("websocket and h2c", b"Upgrade, HTTP2-Settings", [_TO_WEBSOCKET, _VERSION, _KEY, _TO_HTTP2, _SETTINGS]),
    ("tls", b"Upgrade", [(b"Upgrade", b"TLS/1.0")]),
    ("unknown protocol", b"Upgrade", [(b"Upgrade", b"any/1")]),
)


def upgrades() -> Iterator[Variant]:
    """A gate that stands at HTTP alone lets the same handler run for an upgrade."""
    spellings = words(b"/api/result/7 /API/result/7 /%61pi/result/7 //api/result/7 /api/result/7/ /api/result/7?x=1")
    for (name, connection, headers), target in product(_UPGRADES, spellings):
        body = b"hello" if _FIVE_BYTES in headers else b""
        data = request(target, headers, connection=connection, body=body)
        yield Variant(f"upgrade {name} {printable(target)}", data)
    for method in words(b"POST HEAD OPTIONS"):
        data = request(TARGET, [_TO_WEBSOCKET, _VERSION, _KEY], method=method, connection=b"Upgrade")
        yield Variant(f"upgrade by {printable(method)}", data)


_SECOND = request(TARGET)
_CHUNKED: Header = (b"Transfer-Encoding", b"chunked")
_AS_CHUNK = b"%x\r\n%b\r\n0\r\n\r\n" % (len(_SECOND), _SECOND)
_BEHIND_LAST_CHUNK = b"0\r\n\r\n" + _SECOND


def _length(number: int) -> Header:
    return (b"Content-Length", b"%d" % number)


Shape = tuple[str, list[Header], bytes]
"""A name, the headers that frame the first request, and all that follows its head."""

_WHOLE_BODIES: tuple[Shape, ...] = (
    ("as a body", [_length(len(_SECOND))], _SECOND),
    ("as a chunk", [_CHUNKED], _AS_CHUNK),
    ("as a body, beside Transfer_Encoding", [(b"Transfer_Encoding", b"chunked"), _length(len(_SECOND))], _SECOND),
)
"""Every right reading is one request, the second being its body."""

_CHUNK_LINES = (
    *(b"0\n\n", b"0;a=\r\nb\r\n\r\n", b"1;a\nx\r\n0\r\n\r\n", b"0x0\r\n\r\n", b"+0\r\n\r\n", b"0_0\r\n\r\n"),
    *(b"10000000000000000\r\n", b"1\r\nxyz\r\n0\r\n\r\n", b"1\r\nx0\r\n\r\n", b"0\r\nX-Any: a\r\n\r\n", b"-0\r\n\r\n"),
)
_LENGTHS = words(
    b"00 +0 -0 0x0 0,0 0_0 -1 1e0 0.0 \xb2 5;0 99999999999999999999 18446744073709551616",
    *(b"", b" 0", b"0 ", b"\t0", b"0\t", b"0, 5"),
)
_CODINGS = words(
    b"""Chunked CHUNKED xchunked chunkedx chunked;a "chunked" 'chunked' chunked\x00 identity cow ,chunked chunked,""",
    *(b"", b" chunked", b"chunked ", b"\tchunked", b"\x0bchunked", b"chunked, identity", b"identity, chunked"),
    *(b"gzip, chunked", b"chunked, chunked"),
)
_CODING_NAMES = (
    *(b"Transfer_Encoding", b"Transfer-Encoding ", b" Transfer-Encoding", b"Transfer\x00-Encoding"),
    *(b"X-Any\rTransfer-Encoding", b"X-Any: a\nTransfer-Encoding"),
)


def _two_endings() -> Iterator[Shape]:
    """Shapes with two places where the first request may end."""
    both = _length(len(_BEHIND_LAST_CHUNK))
    yield "pipelined", [], _SECOND
    yield "CL 0", [_length(0)], _SECOND
    yield "CL.TE", [both, _CHUNKED], _BEHIND_LAST_CHUNK
    yield "CL.TE short", [_length(5), _CHUNKED], _BEHIND_LAST_CHUNK
    yield "TE.CL", [_CHUNKED, _length(_AS_CHUNK.index(b"\n") + 1)], _AS_CHUNK
    yield "TE.CL 0", [_CHUNKED, _length(0)], _AS_CHUNK
    yield "after the last chunk", [_CHUNKED], _BEHIND_LAST_CHUNK
    for line in _CHUNK_LINES:
        yield f"after {printable(line)}", [_CHUNKED], line + _SECOND
    for value in _LENGTHS:
        yield f"CL {printable(value)!r}", [(b"Content-Length", value)], _SECOND
    yield "CL twice", [_length(0), _length(len(_SECOND))], _SECOND
    yield "CL twice, longer first", [_length(len(_SECOND)), _length(0)], _SECOND
    yield "CL by another name", [(b"Content_Length", b"%d" % len(_SECOND))], _SECOND
    for value in _CODINGS:
        yield f"TE {printable(value)!r}", [(b"Transfer-Encoding", value), both], _BEHIND_LAST_CHUNK
        yield f"TE {printable(value)!r} alone", [(b"Transfer-Encoding", value)], _BEHIND_LAST_CHUNK
    for name in _CODING_NAMES:
        yield f"TE named {printable(name)!r}", [(name, b"chunked"), both], _BEHIND_LAST_CHUNK
    yield "TE twice", [_CHUNKED, (b"Transfer-Encoding", b"identity")], _BEHIND_LAST_CHUNK


def smuggled() -> Iterator[Variant]:
    """A second request, for the result, hidden where two readers disagree about the first one's end."""
    shapes = [*((shape, 1) for shape in _WHOLE_BODIES), *((shape, 2) for shape in _two_endings())]
    for ((name, headers, following), answers), method in product(shapes, (b"POST", b"GET")):
        data = request(b"/open", headers, method=method, body=following, connection=b"keep-alive")
        yield Variant(f"smuggled {name} {printable(method)}", data, answers)


FAMILIES: tuple[Callable[[], Iterator[Variant]], ...] = (request_lines, heads, upgrades, smuggled)
"""In this order, the smuggled last: they alone may keep a server waiting."""
