"""Hostile requests made by chance from a grammar: up to three changes of one request, each of a kind of its own.

The same seed makes the same requests, in the same order, on every machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random

from .message import TARGET, Header, Variant, printable, request
from .operators import OPERATORS

_MOST_CHANGES = 3
_STARTS = (TARGET, TARGET, TARGET, b"/api/result/", b"/api/result/7/", b"/api/result/a%20b", b"/open")
_SMUGGLED = request(TARGET, connection=b"close")


@dataclass(slots=True)
class _Draft:
    """A request while it is being changed."""

    target: bytes
    method: bytes = b"GET"
    host: bytes = b"localhost"
    version: bytes = b"HTTP/1.1"
    connection: bytes = b"close"
    headers: list[Header] = field(default_factory=list)
    body: bytes = b""
    answers: int = 1


_Change = Callable[[_Draft, Random], None]


def _stacked(draft: _Draft, luck: Random) -> None:
    draft.target = luck.choice(OPERATORS)(draft.target)


def _case(draft: _Draft, luck: Random) -> None:
    draft.target = bytes(luck.choice((byte, byte ^ 32)) if chr(byte).isalpha() else byte for byte in draft.target)


def _escapes(draft: _Draft, luck: Random) -> None:
    """Some bytes escaped once, twice or three times, in either case of hex digit."""
    times, form = luck.choice((1, 1, 1, 2, 3)), luck.choice(("%02x", "%02X"))
    chance = luck.choice((0.05, 0.3, 1.0))
    escaped = b"%" + b"25" * (times - 1)
    draft.target = draft.target[:1] + b"".join(
        escaped + (form % byte).encode() if luck.random() < chance else bytes((byte,)) for byte in draft.target[1:]
    )


_INSERTIONS = (
    *(b"/", b"//", b"\\", b";", b";x=y", b";jsessionid=1", b"%2f", b"%2F", b"%5c", b"%252f", b"%3b", b"%3f", b"%23"),
    *(b"/.", b"/./", b"/..", b"/../", b"/x/..", b"/%2e", b"/%2e%2e", b"/x/%2e%2e", b"/..;", b"/.;/", b"/%252e%252e"),
    *(b"%00", b"%0a", b"%0d%0a", b"%09", b"%20", b"+", b"%ff", b"%c3%a9", b"%c2%ad", b"%e2%80%8b", b"%", b"%zz"),
    *(b"\x00", b"\t", b"\x7f", b"\x80", b"\xff", b'"', b"<", b"|", b"^", b"`", b"{", b"~", b"!", b"*", b":", b"@"),
    *(b"?", b"?x=1", b"#", b"#x", b".", b".json", b".css", b".php", b"&", b"=", b","),
)


def _insertion(draft: _Draft, luck: Random) -> None:
    """At the end, at a slash, or anywhere."""
    slashes = [place for place, byte in enumerate(draft.target) if byte == 0x2F]
    places = (len(draft.target), luck.choice(slashes or [0]), luck.randint(0, len(draft.target)))
    place = luck.choice(places)
    draft.target = draft.target[:place] + luck.choice(_INSERTIONS) + draft.target[place:]


def _absolute(draft: _Draft, luck: Random) -> None:
    scheme = luck.choice((b"http", b"http", b"https", b"HTTP", b"ws", b"x"))
    authority = luck.choice(
        (b"localhost", b"localhost", b"LOCALHOST", b"evil.example", b"a@localhost", b"localhost:80")
    )
    draft.target = scheme + b"://" + authority + draft.target


def _query(draft: _Draft, luck: Random) -> None:
    name = luck.choice((b"x", b"_method", b"_METHOD", b"%5fmethod", b"path", b"format", b"x[]", b"_rsc", b""))
    value = luck.choice((b"", b"1", b"GET", b"POST", b"/open", b"..%2f..", b"%00", b"%2fapi%2fresult%2f7"))
    joint = luck.choice((b"&", b";")) if b"?" in draft.target else b"?"
    draft.target += joint + name + luck.choice((b"=", b"")) + value


def _fragment(draft: _Draft, luck: Random) -> None:
    draft.target += luck.choice((b"#", b"#x", b"#/open", b"#?x", b"%23x"))


_METHODS = (
    *(b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS", b"QUERY", b"PROPFIND", b"SEARCH", b"FOO", b"get"),
    *(b"TRACE", b"Get", b"LINK", b"PURGE", b"M-SEARCH"),
)


def _method(draft: _Draft, luck: Random) -> None:
    draft.method = luck.choice(_METHODS)
    if draft.method != b"HEAD" and not draft.headers and luck.random() < 0.5:
        draft.headers.append((b"Content-Length", b"0"))


_OVERRIDES = (
    *(b"X-HTTP-Method-Override", b"X-HTTP-Method", b"X-Method-Override", b"X_HTTP_Method_Override"),
    *(b"X-Original-URL", b"X-Original-URI", b"X-Rewrite-URL", b"X-Accel-Redirect", b"X_Original_URL"),
    *(b"X-Forwarded-Uri", b"X-Forwarded-Prefix", b"X-Forwarded-Path", b"X-Forwarded-Host", b"X-Forwarded-Method"),
    *(
        b"X-Middleware-Subrequest",
        b"X_User_Id",
        b"Paywall-Context",
        b"Forwarded",
        b"Range",
        b"If-None-Match",
        b"Expect",
    ),
)
_OVERRIDING = (b"GET", b"POST", b"HEAD", b"get", TARGET, b"/open", b"http://localhost" + TARGET, b"canary-user", b"*")


def _header(draft: _Draft, luck: Random) -> None:
    draft.headers.append((luck.choice(_OVERRIDES), luck.choice(_OVERRIDING)))


def _host(draft: _Draft, luck: Random) -> None:
    draft.host = luck.choice(
        (b"LOCALHOST", b"localhost.", b"a/?x=", b"", b"evil.example", b"a@b", b"localhost:0", b"[::1]")
    )


_NOMINATED = (b"X-User-Id", b"close, x-user-id", b"Host", b"Content-Length", b"X-Nonce, keep-alive", b"keep-alive")


def _connection(draft: _Draft, luck: Random) -> None:
    draft.connection = luck.choice(_NOMINATED)


def _upgrade(draft: _Draft, luck: Random) -> None:
    protocol = luck.choice((b"websocket", b"WebSocket", b"h2c", b"any/1"))
    draft.connection = luck.choice((b"Upgrade", b"upgrade", b"keep-alive, Upgrade"))
    draft.headers.append((b"Upgrade", protocol))
    if luck.random() < 0.7:
        draft.headers += [(b"Sec-WebSocket-Version", b"13"), (b"Sec-WebSocket-Key", b"dGhlIHNhbXBsZSBub25jZQ==")]


def _old(draft: _Draft, luck: Random) -> None:
    draft.version = luck.choice((b"HTTP/1.0", b"HTTP/1.0", b"HTTP/0.9", b"HTTP/2.0", b"HTTP/1.2"))


def _framing(draft: _Draft, luck: Random) -> None:
    """A length and a coding, of which one may be untrue, and behind them what may be a second request."""
    if luck.random() < 0.5:
        draft.method = b"POST"
    hidden = _SMUGGLED if luck.random() < 0.7 else b"hello"
    draft.body = luck.choice((hidden, b"0\r\n\r\n" + hidden, b"%x\r\n%b\r\n0\r\n\r\n" % (len(hidden), hidden)))
    length = luck.choice((b"0", b"5", b"%d" % len(draft.body), b"+0", b"0x0"))
    coding = luck.choice((b"chunked", b"chunked", b"Chunked", b"identity", b"gzip, chunked", b"xchunked"))
    framed = [(b"Content-Length", length), (b"Transfer-Encoding", coding)]
    draft.headers += luck.sample(framed, luck.choice((1, 1, 2)))
    draft.answers = 2


def _pipelining(draft: _Draft, luck: Random) -> None:
    """An innocent request of one's own, and the result's behind it, over one connection."""
    draft.body += request(luck.choice((draft.target, TARGET)), connection=b"close")
    draft.connection, draft.answers = b"keep-alive", 2
    draft.target = b"/open"


_CHANGES: tuple[tuple[int, _Change], ...] = (
    *((6, _stacked), (3, _case), (4, _escapes), (6, _insertion), (2, _absolute), (2, _query), (1, _fragment)),
    *((2, _method), (3, _header), (1, _host), (1, _connection), (1, _upgrade), (1, _old), (1, _framing)),
    (1, _pipelining),
)
_KINDS = [change for _, change in _CHANGES]
_WEIGHTS = [weight for weight, _ in _CHANGES]


def composed(count: int, seed: int) -> Iterator[Variant]:
    """So many requests, no two alike."""
    luck, made = Random(seed), set[bytes]()
    while len(made) < count:
        draft = _Draft(luck.choice(_STARTS))
        changes = luck.choices(_KINDS, _WEIGHTS, k=luck.randint(1, _MOST_CHANGES))
        for change in changes:
            change(draft, luck)
        data = _written(draft)
        if data not in made and (TARGET in data or draft.target != b"/open"):
            made.add(data)
            names = " ".join(change.__name__.lstrip("_") for change in changes)
            yield Variant(f"composed {seed}/{len(made)} ({names}) {printable(draft.target[:80])}", data, draft.answers)


def _written(draft: _Draft) -> bytes:
    return request(
        draft.target,
        draft.headers,
        method=draft.method,
        host=draft.host,
        version=draft.version,
        body=draft.body,
        connection=draft.connection,
    )
