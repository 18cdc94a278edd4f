"""Answers, as applications of all sorts give them."""

from __future__ import annotations

from dataclasses import replace

from .dice import ODD_IN_NAMES, Dice
from .message import Framing, Header, Told

_AT_ONE_GO = 16_000

_STATUSES = {
    200: 50, 201: 5, 202: 1, 204: 5, 205: 2, 206: 4, 299: 1, 301: 3, 302: 4, 303: 1, 304: 5, 307: 1, 400: 3, 401: 1,
    402: 1, 404: 6, 405: 1, 409: 2, 410: 1, 418: 2, 422: 1, 429: 1, 451: 1, 499: 1, 500: 4, 502: 1, 503: 4, 599: 1,
}  # fmt: skip

_COMMON: tuple[Header, ...] = (
    (b"Content-Type", b"text/html; charset=utf-8"),
    (b"Content-Type", b"application/json"),
    (b"Content-Type", b"application/octet-stream"),
    (b"Content-Language", b"de"),
    (b"Content-Disposition", b"attachment; filename*=UTF-8''caf%C3%A9.csv"),
    (b"Content-Location", b"/elsewhere;v=1"),
    (b"Last-Modified", b"Sat, 29 Oct 1994 19:43:31 GMT"),
    (b"Cache-Control", b"public, max-age=60, s-maxage=120"),
    (b"Cache-Control", b"no-store"),
    (b"Cache-Control", b'private="set-cookie", max-age=5'),
    (b"Cache-Control", b"max-age=31536000, immutable"),
    (b"CDN-Cache-Control", b"max-age=60"),
    (b"Surrogate-Control", b"max-age=60"),
    (b"Expires", b"0"),
    (b"Pragma", b"no-cache"),
    (b"Age", b"7"),
    (b"Vary", b"Accept-Encoding"),
    (b"Vary", b"*"),
    (b"Link", b"</style.css>; rel=preload; as=style"),
    (b"Server", b"Application/1.0 (any)"),
    (b"X-Powered-By", b"any"),
    (b"Accept-Ranges", b"bytes"),
    (b"Retry-After", b"120"),
    (b"WWW-Authenticate", b'Basic realm="any"'),
    (b"Strict-Transport-Security", b"max-age=63072000; includeSubDomains"),
    (b"Content-Security-Policy", b"default-src 'self'; img-src *"),
    (b"Access-Control-Allow-Origin", b"*"),
    (b"Refresh", b"5; url=/next"),
    (b"Alt-Svc", b'h3=":443"; ma=86400'),
    (b"Via", b"1.1 behind"),
    (b"Warning", b'110 - "stale"'),
)
_COOKIES = (b"", b"; Path=/", b"; Path=/; HttpOnly; SameSite=Lax", b"; Max-Age=0", b"; Domain=app.example; Secure")
_LOCATIONS = (b"/next", b"//other.example/x", b"http://app.example/a?b=c#d", b"../up;v=1", b"?page=2", b"/caf\xc3\xa9")
_CHANGED_BY_THE_GATEWAY: tuple[tuple[Header, ...], ...] = (
    ((b"Connection", b"X-Named, keep-alive"), (b"X-Named", b"for one connection")),
    ((b"Keep-Alive", b"timeout=60"), (b"Connection", b"keep-alive")),
    ((b"Upgrade", b"h2"), (b"Connection", b"Upgrade")),
    ((b"Proxy-Authenticate", b"Basic"), (b"Proxy-Connection", b"keep-alive"), (b"Proxy-Authentication-Info", b"x=1")),
    ((b"Paywall-Result", b"no"), (b"Paywall-Step", b"any")),
    ((b"Paywall-Result", b"yes"),),
    ((b"Paywall-Reason", b"open"), (b"Paywall-Context", b"any")),
    ((b"Trailer", b"X-Trailer"), (b"TE", b"trailers")),
)
"""Of these something is taken off or changed; documented.py knows what."""


def answer(dice: Dice, exact: bool) -> Told:
    """One answer; an application that is not `exact` is told only what a framework lets its applications say."""
    status = dice.weighted(_STATUSES)
    headers = _headers(dice, status)
    if exact:
        headers += [(b"Date", b"Sat, 29 Oct 1994 19:43:31 GMT")] if dice.chance(0.7) else []
        headers += [(b"Content-Encoding", dice.pick((b"br", b"gzip", b"zstd")))] if dice.chance(0.2) else []
        headers += dice.pick(_CHANGED_BY_THE_GATEWAY) if dice.every(10, 3) else ()
    early = exact and dice.every(19, 1)
    if early or (exact and dice.every(14, 3)):
        headers.append((b"Connection", b"close"))
    if dice.every(103, 12):
        size = 2900 if exact else 400  # a framework is told by a header, whose own size is limited
        headers += [(b"X-Large-%d" % number, dice.word(size, size)) for number in range(20)]
    body = b"" if status in (204, 205) else dice.body(dice.size())
    old = exact and dice.every(41, 10)
    framing = _framing(dice, status)
    told = Told(
        status,
        dice.shuffled(headers),
        body,
        Framing.CLOSE if old and framing is Framing.CHUNKED else framing,
        dice.pick((1, 10, 1000)) if len(body) < 4000 else dice.pick((8192, 50_000)),
        b"1.0" if old else b"1.1",
        dice.pick((b"OK", b"", b"Not what you think", b"caf\xe9 \t!")),
        _interim(dice),
        tuple((dice.name(ODD_IN_NAMES), dice.value()) for _ in range(2)) if dice.chance(0.3) else (),
        dice.pick((1, 1, 1, 2, 5)),
        early,
        dice.pick(("", "", "gzip", "br")),
    )
    # Of a longer one some is still unsent when the connection is reset, and a reset is no end of an answer.
    may_be_early = len(told.wire(b"GET")) <= _AT_ONE_GO and told.framing is not Framing.CLOSE
    return told if may_be_early else replace(told, early=False)


def _headers(dice: Dice, status: int) -> list[Header]:
    found = [
        (dice.cased(name), value) for name, value in {name: value for name, value in dice.several(_COMMON, 8)}.items()
    ]
    found += [(dice.name(ODD_IN_NAMES), dice.value()) for _ in range(dice.between(0, 3))]
    if dice.chance(0.3):
        found += [(dice.cased(b"Set-Cookie"), dice.cookie() + dice.pick(_COOKIES)) for _ in range(dice.between(1, 4))]
    if dice.chance(0.3):
        found.append((b"ETag", dice.pick((b'"%b"' % dice.word(), b'W/"%b"' % dice.word(), b'""', b'"\xe9"'))))
    if status // 100 == 3 or status == 201:
        found.append((b"Location", dice.pick(_LOCATIONS)))
    if status == 206:
        found.append((b"Content-Range", b"bytes 0-99/1000"))
    if dice.every(9, 5):
        found += [(b"X-Twice", dice.value()), (b"X-Twice", dice.value())]
    return found


def _framing(dice: Dice, status: int) -> Framing:
    if status == 204:
        return dice.pick((Framing.NONE, Framing.NONE, Framing.LENGTH))
    if status == 304:
        return dice.pick((Framing.NONE, Framing.LENGTH))
    return dice.pick((Framing.LENGTH, Framing.LENGTH, Framing.LENGTH, Framing.CHUNKED, Framing.CHUNKED, Framing.CLOSE))


def _interim(dice: Dice) -> bytes:
    if not dice.every(17, 4):
        return b""
    return b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n" * dice.between(1, 2)
