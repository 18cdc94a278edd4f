"""Each exchange on both ways: what the client gets and the application is asked is the same, byte for byte."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator

import pytest

from .raw import RawApplication, Script
from .watched import OK, Watched, exchange, get, watched

ON_TRIAL = b"x-user-id: on-trial"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"

ANSWERS: dict[str, tuple[bytes, bytes]] = {
    # name: method, answer of the application
    "length": (b"GET", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: 1\r\n\r\nhello"),
    "no bytes": (b"GET", b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
    "chunked": (b"GET", CHUNKED + b"5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n"),
    "chunked, no bytes": (b"GET", CHUNKED + b"0\r\n\r\n"),
    "trailers": (b"GET", CHUNKED + b"5;x=1\r\nhello\r\n0\r\nx-trailer: 1\r\n\r\n"),
    "no content": (b"GET", b"HTTP/1.1 204 No Content\r\nx-of: 204\r\n\r\n"),
    "no content, with a length": (b"GET", b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n"),
    "not modified": (b"GET", b'HTTP/1.1 304 Not Modified\r\netag: "7"\r\ncontent-length: 5000\r\n\r\n'),
    "not modified, no length": (b"GET", b'HTTP/1.1 304 Not Modified\r\netag: "7"\r\n\r\n'),
    "head": (b"HEAD", b"HTTP/1.1 200 OK\r\ncontent-length: 123456\r\n\r\n"),
    "head, chunked": (b"HEAD", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"),
    "head, nothing": (b"HEAD", b"HTTP/1.1 404 Not Found\r\nx-a: 1\r\n\r\n"),
    "options": (b"OPTIONS", b"HTTP/1.1 204 No Content\r\nallow: GET, HEAD\r\n\r\n"),
    "post": (b"POST", b"HTTP/1.1 201 Created\r\nlocation: /x/1\r\ncontent-length: 0\r\n\r\n"),
    "until the end": (b"GET", b"HTTP/1.0 200 OK\r\nx-of: old\r\n\r\nuntil the end"),
    "interim": (b"GET", b"HTTP/1.1 103 Early Hints\r\nlink: </s.css>\r\n\r\nHTTP/1.1 102 \r\n\r\n" + OK),
    "an odd status": (b"GET", b"HTTP/1.1 299 Fine \xe9\r\ncontent-length: 1\r\n\r\nx"),
    "a failure": (b"GET", b"HTTP/1.1 500 Oops\r\ncontent-length: 4\r\n\r\noops"),
    "a redirect": (b"GET", b"HTTP/1.1 302 Found\r\nlocation: /x?y#z\r\ncontent-length: 0\r\n\r\n"),
    "repeated headers": (
        b"GET",
        b"HTTP/1.1 200 OK\r\nset-cookie: a=1\r\nVary: A\r\nset-cookie: b=2\r\nvary: B\r\ncontent-length: 0\r\n\r\n",
    ),
    "odd bytes": (b"GET", b"HTTP/1.1 200 OK\r\nx-a: \xe9\xff\t end \r\nx-b:\r\ncontent-length: 0\r\n\r\n"),
    "words for the gateway": (
        b"GET",
        b"HTTP/1.1 200 OK\r\nPaywall-Result: no\r\nPaywall-Step: x\r\nPaywall-Reason: free\r\npaywall-context: y\r\n"
        b"content-length: 2\r\n\r\nok",
    ),
    "words for one connection": (
        b"GET",
        b"HTTP/1.1 200 OK\r\nConnection: x-inner\r\nX-Inner: 1\r\nkeep-alive: timeout=9\r\nproxy-authenticate: x\r\n"
        b"upgrade: h2c\r\ncontent-length: 2\r\n\r\nok",
    ),
    "much": (b"GET", b"HTTP/1.1 200 OK\r\ncontent-length: 300000\r\n\r\n" + b"0123456789" * 30_000),
    "not HTTP": (b"GET", b"nonsense\r\n\r\n"),
    "two lengths": (b"GET", b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok!"),
}

REQUESTS: dict[str, bytes] = {
    "plain": get(b"/same/x", b"Accept: a/b"),
    "a query": get(b"/same/x?a=%41&a=2&&b='\"<>|;c??"),
    "a trusted proxy's words": get(
        b"/same/x", b"x-forwarded-for: 192.0.2.1", b"X-Forwarded-Proto: https", b"forwarded: for=x", b"x-real-ip: y"
    ),
    "words for one connection": get(
        b"/same/x", b"te: trailers", b"keep-alive: 5", b"proxy-authorization: x", b"x-inner: 1",
        b"connection: x-inner, close", b"upgrade-insecure-requests: 1", last=False,
    ),
    "words of the gateway": get(b"/same/x", b"Paywall-Result: yes", b"paywall-reason: x", b"paywall-context: y"),
    "another path for some": get(b"/same/x", b"x-original-url: /report.csv", b"x-rewrite-url: /report.csv"),
    "repeated headers": get(b"/same/x", b"x-a: 1", b"x-b: 1", b"x-a: 2", b"x-b: 2", b"x-a: \xe9\xff"),
    "an absolute target": get(b"http://service.example/same/x?y"),
    "an expectation": get(b"/same/x", b"expect: 100-continue"),
    "no body, said so": get(b"/same/x", b"content-length: 0"),
    "a post without a body": get(b"/same/x", method=b"POST"),
    "another method": get(b"/same/x", method=b"PROPFIND"),
    "nothing but a slash": get(b"/"),
}  # fmt: skip

LONG: dict[str, bytes] = {
    "an odd name of a header": get(b"/same/x", b"x_user_id: root"),
    "two hosts": get(b"/same/x", b"host: another.example"),
    "lengths": get(b"/same/x", b"content-length: 0", b"content-length: 0"),
    "an impossible expectation": get(b"/same/x", b"expect: the-impossible"),
    "another host": get(b"http://another.example/same/x"),
    "a forbidden method": get(b"/same/x", method=b"TRACE"),
    "no host": b"GET /same/x HTTP/1.1\r\nconnection: close\r\n\r\n",
    "an address of ours": get(b"/_paywall/health/live"),
    "an address that might be ours": get(b"/_paywall/nothing"),
    "empty segments": get(b"//same//x", ON_TRIAL),
    "a needless escape": get(b"/same/x%2e", ON_TRIAL),
    "a fragment": get(b"/same/x#y", ON_TRIAL),
    "a byte that must be escaped": get(b"/same/\xff", ON_TRIAL),
    "a star": get(b"*", ON_TRIAL, method=b"OPTIONS"),
    "HTTP/1.0": b"GET /same/x HTTP/1.0\r\n\r\n",
    "HTTP/1.0 that goes on": b"GET /same/x HTTP/1.0\r\nconnection: keep-alive\r\nhost: x\r\n\r\n",
    "a body": get(b"/same/x", b"content-length: 4") + b"body",
    "an empty body in chunks": get(b"/same/x", b"transfer-encoding: chunked") + b"0\r\n\r\n",
}


def and_close(answer: bytes) -> Script:
    """The same answer from an application that closes the connection behind it, and says so."""
    answer = re.sub(rb"(HTTP/1\.[01] [2-5][^\r]*\r\n)", rb"\1connection: close\r\n", answer, count=1)

    def script(connection: socket.socket, received: bytes) -> None:
        while b"content-length: 4\r\n" in received and not received.endswith(b"body"):
            received += connection.recv(100)
        connection.sendall(answer)

    return script


@pytest.fixture(scope="module")
def service(raw: RawApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """A gateway in front of an application that keeps its connections."""
    with watched(raw, tmp_path_factory.mktemp("gateway")) as running:
        running.request("GET", "/warm", {"x-user-id": "on-trial"})
        yield running


@pytest.fixture(scope="module")
def closing() -> Iterator[RawApplication]:
    """An application that closes each connection: behind it there is no short way."""
    application = RawApplication()
    yield application
    application.close()


@pytest.fixture(scope="module")
def long_way(closing: RawApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """The same gateway in front of that application, for comparison."""
    with watched(closing, tmp_path_factory.mktemp("long-way")) as running:
        yield running
        assert running.crossings() == 0


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("last", [True, False], ids=["the last answer", "more to come"])
def test_answers_are_the_same(
    service: Watched, long_way: Watched, raw: RawApplication, closing: RawApplication, name: str, last: bool
) -> None:
    method, answer = ANSWERS[name]
    raw.answers[b"/same/x"] = answer if answer.startswith(b"HTTP/1.1") else and_close(answer)
    closing.answers[b"/same/x"] = and_close(answer)
    raw.answers[b"/same/next"], closing.answers[b"/same/next"] = OK, and_close(OK)
    request = get(b"/same/x", method=method, last=last) + (b"" if last else get(b"/same/next"))
    failing = name in ("not HTTP", "two lengths")
    with service.crossing(0 if failing else 1):
        received = exchange(service, request)
    assert received == exchange(long_way, request)
    assert received.startswith(b"HTTP/1.1 502 " if failing else b"HTTP/1.1 ")
    assert received.count(b"HTTP/1.1 ") == (1 if last else 2)


@pytest.mark.parametrize("name", REQUESTS)
def test_requests_are_the_same(
    service: Watched, long_way: Watched, raw: RawApplication, closing: RawApplication, name: str
) -> None:
    for path in (b"/same/x", b"/"):
        raw.answers[path], closing.answers[path] = OK, and_close(OK)
    with service.crossing(1):
        received = exchange(service, REQUESTS[name])
    assert received == exchange(long_way, REQUESTS[name])
    assert received.endswith(b"\r\n\r\nok")
    assert raw.heads[-1] == closing.heads[-1]


@pytest.mark.parametrize("name", LONG)
def test_what_needs_more_goes_the_long_way_and_is_answered_the_same(
    service: Watched, long_way: Watched, raw: RawApplication, closing: RawApplication, name: str
) -> None:
    for path in (b"/same/x", b"//same//x", b"/same/x%2e", b"/same/x#y", b"*"):
        raw.answers[path] = closing.answers[path] = and_close(OK)
    with service.crossing(0):
        received = exchange(service, LONG[name])
    assert received == exchange(long_way, LONG[name])
    assert received.startswith(b"HTTP/1.1 ")
