"""Requests, as clients of all sorts send them."""

from __future__ import annotations

from dataclasses import dataclass

from .dice import Dice
from .message import Framing, Header, Question

USER = b"X-User-Id"
USERS = 20

_METHODS = {
    b"GET": 40, b"HEAD": 8, b"POST": 20, b"PUT": 8, b"PATCH": 6, b"DELETE": 8, b"OPTIONS": 5,
    b"PROPFIND": 1, b"REPORT": 1, b"PURGE": 1, b"M-SEARCH": 1, b"MKCOL": 1,
}  # fmt: skip
_LARGE = 58_000
"""Bytes of headers that leave room for the others, below the gateway's limit of 64 KiB."""
_BODY_IS_USUAL = (b"POST", b"PUT", b"PATCH")

_SEGMENT = b"abcXYZ019-._~!$&'()*+,=:@"
_ODD_SEGMENTS = (
    b"", b".", b"..", b"a;b=c", b";", b"a%2Fb", b"%2f", b"%2e%2e", b"%3B", b"%25", b"%61", b"caf%C3%A9", b"a%20b",
    b"%E2%80%AE", b"%FF", b"x" * 300, b"*", b"a+b", b"A%2520",
)  # fmt: skip
_ODD_QUERIES = (
    b"", b"?", b"a=1&a=2&b", b"x=%2F%2f/?", b"q=a+b%20c;d=e", b"a=%", b"=", b"&&", b"%00", b"a[]=1",
    b"a='\"<>|{}^`", b"url=http://h/?x=1", b"x=" + b"y" * 2000,
)  # fmt: skip
_HOSTS = (b"app.example", b"localhost", b"127.0.0.1:8000", b"APP.Example:80", b"[::1]:8080", b"xn--bcher-kva.example")

_COMMON: tuple[Header, ...] = (
    (b"User-Agent", b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"),
    (b"Accept", b"text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"),
    (b"Accept", b"application/json"),
    (b"Accept-Language", b"de-DE, en;q=0.7"),
    (b"Accept-Encoding", b"gzip, deflate, br, zstd"),
    (b"Authorization", b"Basic dXNlcjpwYXNz"),
    (b"Cache-Control", b"no-cache"),
    (b"Pragma", b"no-cache"),
    (b"Referer", b"http://app.example/a?b=c#d"),
    (b"Origin", b"http://app.example"),
    (b"Range", b"bytes=0-99"),
    (b"If-None-Match", b'W/"1", "2"'),
    (b"If-Modified-Since", b"Sat, 29 Oct 1994 19:43:31 GMT"),
    (b"Content-Type", b"application/x-www-form-urlencoded"),
    (b"Content-Encoding", b"gzip"),
    (b"Sec-Fetch-Mode", b"navigate"),
    (b"X-Requested-With", b"XMLHttpRequest"),
    (b"X-HTTP-Method-Override", b"PATCH"),
    (b"Via", b"1.1 somewhere"),
    (b"Priority", b"u=1, i"),
    (b"Prefer", b"return=minimal"),
    (b"Max-Forwards", b"10"),
    (b"Connection", b"keep-alive"),
    (b"TE", b"trailers"),
)
_CHANGED_BY_THE_GATEWAY: tuple[tuple[Header, ...], ...] = (
    ((b"Connection", b"X-Named, keep-alive"), (b"X-Named", b"for one connection")),
    (
        (b"Upgrade", b"h2c"),
        (b"Connection", b"Upgrade, HTTP2-Settings"),
        (b"HTTP2-Settings", b"AAMAAABkAARAAAAAAAIAAAAA"),
    ),
    ((b"Paywall-Result", b"yes"), (b"Paywall-Reason", b"open")),
    ((b"X-Original-URL", b"/else"), (b"X-Rewrite-URL", b"/else")),
    ((b"Proxy-Authorization", b"Basic eA=="), (b"Proxy-Connection", b"keep-alive"), (b"Keep-Alive", b"timeout=5")),
    ((b"X-Forwarded-For", b"192.0.2.7"), (b"X-Forwarded-Proto", b"https"), (b"X-Forwarded-Host", b"other.example")),
    ((b"X-Forwarded-For", b"192.0.2.7"), (b"X-Forwarded-For", b"192.0.2.8, 192.0.2.9")),
    ((b"Forwarded", b"for=192.0.2.7;proto=https"), (b"X-Real-IP", b"192.0.2.7")),
)
"""Of these something is taken off or added; documented.py knows what."""


@dataclass(frozen=True, slots=True)
class Habits:
    """What an application can be asked and told."""

    exact: bool = False
    """It answers byte for byte as told, by the number of the exchange; a framework is told by a header."""
    files: tuple[bytes, ...] = ()
    """Targets of files that it serves by itself."""
    conditions: tuple[Header, ...] = ()
    """Headers that it looks at when it serves them."""


def question(dice: Dice, more: list[Header], habits: Habits) -> Question:
    """One request."""
    exact = habits.exact
    method = dice.weighted(_METHODS)
    headers = [*more, (USER, b"user-%d" % (dice.number % USERS)), *_usual(dice)]
    headers += [(dice.name(), dice.value()) for _ in range(dice.between(0, 4))]
    if dice.chance(0.4):
        headers += [(dice.cased(b"Cookie"), b"; ".join(dice.cookie() for _ in range(dice.between(1, 5))))]
    if dice.every(7, 3):
        headers += [(b"Cookie", dice.cookie()), (b"X-Twice", dice.value()), (b"x-twice", dice.value())]
    if exact and dice.every(11, 4):
        headers += dice.pick(_CHANGED_BY_THE_GATEWAY)
    if dice.every(101, 11):
        headers += _large(dice, _LARGE - sum(len(value) for _, value in more))
    if habits.conditions and dice.chance(0.4):
        headers.append(dice.pick(habits.conditions))
    body, framing = _body(dice, method)
    if body and exact and dice.every(13, 2):
        headers.append((b"Expect", b"100-continue"))
    old = dice.every(37, 8) and framing is not Framing.CHUNKED and not _has(headers, b"expect")
    if not old and dice.chance(0.1) and not _has(headers, b"connection"):
        headers.append((b"Connection", b"close"))
    host = dice.pick(_HOSTS)
    if old and exact and dice.chance(0.5):
        host = b""
    else:
        headers.append((dice.cased(b"Host"), host))
    return Question(
        method,
        _target(dice, method, host, habits, bare=not body),
        dice.shuffled(headers),
        b"1.0" if old else b"1.1",
        body,
        framing,
        dice.pick((1, 7, 1000, 8192, 65536)) if len(body) < 4000 else 8192,
        tuple((dice.name(), dice.value()) for _ in range(2)) if exact and dice.chance(0.2) else (),
        dice.pick((1, 1, 1, 2, 3)),
    )


def _usual(dice: Dice) -> list[Header]:
    found = dict(dice.several(_COMMON, 8))
    return [(dice.cased(name), value) for name, value in found.items()]


def _has(headers: list[Header], wanted: bytes) -> bool:
    return any(name.lower() == wanted for name, _ in headers)


def _large(dice: Dice, size: int) -> list[Header]:
    """Headers of this size in all: one, or many."""
    if dice.chance(0.5):
        return [(b"X-Large", dice.word(size, size))]
    return [(b"X-Large-%d" % number, dice.word(size // 150 - 14, size // 150 - 14)) for number in range(150)]


def _body(dice: Dice, method: bytes) -> tuple[bytes, Framing]:
    if not dice.chance(0.85 if method in _BODY_IS_USUAL else 0.15):
        return b"", Framing.NONE
    body = dice.body(dice.size())
    return body, dice.pick((Framing.LENGTH, Framing.LENGTH, Framing.CHUNKED))


def _target(dice: Dice, method: bytes, host: bytes, habits: Habits, bare: bool) -> bytes:
    if method == b"OPTIONS" and bare and dice.chance(0.2):
        return b"*"
    if habits.files and dice.chance(0.5):
        path = dice.pick(habits.files)
    else:
        path = b"/" + b"/".join(_segment(dice) for _ in range(dice.between(0, 4)))
    if bare and dice.every(29, 6):
        path += dice.pick((b"|", b"\\x", b"{a}", b"^", b'"', b"[1]"))
    target = path + _query(dice)
    return b"http://%b%b" % (host, target) if bare and habits.exact and dice.every(31, 9) and host else target


def _segment(dice: Dice) -> bytes:
    if dice.chance(0.15):
        return dice.pick(_ODD_SEGMENTS)
    return bytes(dice.pick(_SEGMENT) for _ in range(dice.between(1, 10)))


def _query(dice: Dice) -> bytes:
    if dice.chance(0.5):
        return b""
    if dice.chance(0.3):
        return b"?" + dice.pick(_ODD_QUERIES)
    return b"?" + b"&".join(dice.word() + b"=" + dice.word() for _ in range(dice.between(1, 4)))
