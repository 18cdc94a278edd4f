"""Hostile requests whose point is not (only) the spelling of the target: methods and headers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product

from .message import TARGET, Header, Variant, printable, request, words

_METHODS = words(b"""
    HEAD POST PUT PATCH DELETE OPTIONS TRACE CONNECT PROPFIND QUERY SEARCH REPORT LINK PURGE M-SEARCH MKCOL COPY LOCK
    PRI
""")
_ODD_METHODS = words(
    b"get Get gET head post FOO GET! GETGET G _GET GE%54 GET\x00 \xc7ET",
    *(b"GET\t", b"\tGET", b" GET", b"GET GET", b"", b"HEAD\x0b"),
)
_FORM = (b"Content-Type", b"application/x-www-form-urlencoded")


def methods() -> Iterator[Variant]:
    """Every method reaches some handler; HEAD runs the one of GET."""
    spellings = words(b"/api/result/7 /API/result/7 /%61pi/result/7 //api/result/7 /api/result/7/")
    for method, target in product(_METHODS, spellings):
        data = request(target, [(b"Content-Length", b"0")], method=method)
        yield Variant(f"method {printable(method)} {printable(target)}", data)
    for method in _ODD_METHODS:
        yield Variant(f"method {printable(method)}", request(TARGET, method=method))
    queries = words(b"?_method=GET ?x=1&_method=get ?x=1;_method=POST ?%5fmethod=GET ?_method=PUT&_method=GET")
    for method, query in product(words(b"HEAD PUT DELETE OPTIONS"), queries):
        data = request(TARGET + query, [(b"Content-Length", b"0")], method=method)
        yield Variant(f"method {printable(method)} {printable(TARGET + query)}", data)
    bodies = words(b'x=1 _method=GET _method=POST {"_method":"GET"}')
    for method, body in product(words(b"GET POST DELETE OPTIONS HEAD"), bodies):
        headers = [_FORM, (b"Content-Length", b"%d" % len(body))]
        yield Variant(f"body {printable(method)} {printable(body)}", request(TARGET, headers, method=method, body=body))


_METHOD_HEADERS = words(b"""
    X-HTTP-Method-Override X-HTTP-Method X-Method-Override x-http-method-override X_HTTP_METHOD_OVERRIDE
    X-Original-Method X-Forwarded-Method
""")


def method_overrides() -> Iterator[Variant]:
    """A method that another header replaces behind the gate."""
    for name, method, value in product(_METHOD_HEADERS, words(b"GET POST OPTIONS DELETE"), words(b"GET POST HEAD")):
        data = request(TARGET, [(name, value), (b"Content-Length", b"0")], method=method)
        yield Variant(f"override {printable(method)} by {printable(name)}: {printable(value)}", data)


_PATH_HEADERS = words(b"""
    X-Original-URL X-Rewrite-URL x-original-url X_Original_URL X_Rewrite_URL X-Original-URI X-Forwarded-Uri
    X-Forwarded-Path X-Forwarded-Prefix X-Override-URL X-Envoy-Original-Path X-Accel-Redirect X-Sendfile Request-Uri
    X-Request-Uri Destination X-Http-Path-Override X-Script-Name Script-Name X-Invoke-Path X-Middleware-Rewrite
    X-Matched-Path X-Proxy-URL Base-Url Referer Forwarded
""")


def path_overrides() -> Iterator[Variant]:
    """An open target whose headers name the result, and a result whose headers name something open."""
    for name in _PATH_HEADERS:
        shown = printable(name)
        yield Variant(f"path /open, {shown} result", request(b"/open", [(name, TARGET)]))
        yield Variant(f"path /, {shown} result in full", request(b"/", [(name, b"http://localhost" + TARGET)]))
        yield Variant(f"path result, {shown} /open", request(TARGET, [(name, b"/open")]))


_NOMINATED = words(b"""
    X-User-Id x-user-id X-USER-ID Host X-Nonce Cookie Authorization Content-Length Transfer-Encoding Paywall-Context
    X-Forwarded-For Connection close Upgrade Paywall-Result
""")


def connection_nominations() -> Iterator[Variant]:
    """Headers that the next hop is told to drop: the identity, the framing, the gateway's own."""
    for name in _NOMINATED:
        for value in (name, b"close, " + name, b"keep-alive," + name + b",\t" + name.lower()):
            yield Variant(f"nominated {printable(value)}", request(TARGET, connection=value))


_ALIASES = words(
    b"""
    X_User_Id X-User_Id x_user_id X.User.Id HTTP_X_USER_ID HTTP-X-USER-ID Remote-User X-Remote-User X-Forwarded-User
    X-Auth-User Paywall-Subject Paywall-Standing Paywall_Context Authorization Proxy-Authorization X-User-Id\x00
    X\xadUser-Id
    """,
    b"X-User-Id\x0b",
)


def aliases() -> Iterator[Variant]:
    """Names that a server or a framework may fold into one the gateway believes."""
    for name, target in product(_ALIASES, (TARGET, b"/API/result/7")):
        yield Variant(f"alias {printable(name)} {printable(target)}", request(target, [(name, b"canary-user")]))


def _headers(table: bytes) -> list[Header]:
    """A header from each line."""
    pairs = (line.strip().partition(b": ") for line in table.strip().splitlines())
    return [(name, value) for name, _, value in pairs]


_FORGED = _headers(b"""
    Paywall-Result: no
    Paywall-Context: eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4Iiwic3RhbmRpbmciOiJlbnRpdGxlZCJ9.
    Paywall-Reason: entitled
    Paywall-Step: any
    Cookie: paywall=1; paywall_visitor=forged; entitled=1
    Cookie: paywall_entitlement=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
    X-Forwarded-For: 127.0.0.1
    X-Forwarded-For: 127.0.0.1, 8.8.8.8
    X-Forwarded-Host: evil.example
    X-Forwarded-Proto: https
    Forwarded: for=127.0.0.1;host=evil.example
    X-Real-IP: 127.0.0.1
    X-Middleware-Subrequest: middleware:middleware:middleware:middleware:middleware
    User-Agent: kube-probe/1.30
    User-Agent: GoogleHC/1.0
    User-Agent: Googlebot/2.1
    X-Prerender: 1
    Purpose: prefetch
    Sec-Purpose: prefetch;prerender
    RSC: 1
    Next-Action: abc
    HX-Request: true
    Accept: text/html
    Accept: text/event-stream
    Accept: application/json
    Content-Type: application/json
    X-Requested-With: XMLHttpRequest
    PAYMENT-SIGNATURE: e30=
    X-PAYMENT: e30=
    Authorization: Payment id=forged
""")


def forged() -> Iterator[Variant]:
    """Headers of the gateway's own, of proxies in front, of probes, browsers, frameworks and payments, all untrue."""
    for name, value in _FORGED:
        yield Variant(f"forged {printable(name)}: {printable(value)}", request(TARGET, [(name, value)]))


_PARTIAL = _headers(b"""
    Range: bytes=0-
    Range: bytes=0-0
    Range: bytes=-5
    Range: bytes=0-1,2-3
    Range: bytes=99999-
    Range: items=0-5
    If-None-Match: *
    If-None-Match: "x"
    If-Match: *
    If-Match: "x"
    If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT
    If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT
    If-Unmodified-Since: Fri, 01 Jan 2100 00:00:00 GMT
    If-Range: "x"
    Expect: 100-continue
    Expect: y 100-continue
    Expect: 402-payment
    Accept-Encoding: gzip, br, zstd
    Accept-Encoding: identity;q=0
    TE: trailers
    TE: chunked, gzip
    Trailer: X-User-Id
    Max-Forwards: 0
    Cache-Control: only-if-cached
    Cache-Control: no-cache
    Pragma: no-cache
    Prefer: return=minimal
    Want-Digest: sha-256
""")


def partial() -> Iterator[Variant]:
    """A part of a result, or the news that it has not changed, is a result too."""
    for (name, value), method in product(_PARTIAL, (b"GET", b"HEAD")):
        shown = f"{printable(method)} {printable(name)}: {printable(value)}"
        yield Variant(f"partial {shown}", request(TARGET, [(name, value)], method=method))


_HOSTS = words(
    b"""
    a/?x= a/api/result/7? a# a? a@b localhost:80 localhost:0 localhost:99999 localhost:x [::1] [::1 a,b a/../..
    evil.example LOCALHOST localhost. 127.0.0.1 %6cocalhost a\\b \xff a\x00b localhost/open xn--a * _ http://localhost
    """,
    *(b"", b"a b", b"a\tb", b"a" * 300),
)


def hosts() -> Iterator[Variant]:
    """A Host that changes what a URL built from it says."""
    for value, target in product(_HOSTS, words(b"/api/result/7 /open/../api/result/7 /API/result/7 /open")):
        yield Variant(f"host {printable(value[:30])} {printable(target)}", request(target, host=value))
    yield Variant("host missing", request(TARGET, host=None))
    yield Variant("host twice", request(TARGET, [(b"Host", b"evil.example")]))
    twins = [(b"X_Host", b"evil.example"), (b"X-Forwarded-Host", b"a/?x=")]
    yield Variant("host and its twins", request(TARGET, twins))


FAMILIES: tuple[Callable[[], Iterator[Variant]], ...] = (
    *(methods, method_overrides, path_overrides, connection_nominations, aliases, forged, partial, hosts),
)
"""In this order: bytes that several families make count for the first."""
