"""The short way through a whole gateway: what goes it, the same bytes as on the long one, and what ends it."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from .conftest import CONFIG
from .raw import RawApplication, Script
from .service import Service, read_to_end, wait_until
from .test_reload import Administered

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
PAGE = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 4\r\n\r\npage"
ON_TRIAL = b"x-user-id: on-trial"
MARK = "/_paywall/health/live"


class Watched(Administered):
    """A gateway of which can be told how many requests have gone the short way."""

    def crossings(self) -> int:
        """So many have gone it so far, to the end of their answers."""
        before = self._marks()
        self.request("GET", MARK)
        wait_until(lambda: self._marks() > before, "what was before is counted")
        text = self.admin.request("GET", "/metrics").body.decode()
        return int(float(re.findall(r"^paywall_short_way_requests_total (\S+)$", text, re.M)[0]))

    def warm(self) -> None:
        """See to it that a connection to the application is idle."""
        assert self.request("GET", "/warm").body == b"ok"

    def _marks(self) -> int:
        return sum(entry["path"] == MARK for entry in self.entries())


@pytest.fixture(scope="module")
def raw() -> Iterator[RawApplication]:
    """An application of exact bytes that keeps its connections."""
    application = RawApplication()
    application.answers[b"/warm"] = OK
    yield application
    application.close()


@pytest.fixture(scope="module")
def closing() -> Iterator[RawApplication]:
    """One that closes each connection: behind it there is no short way."""
    application = RawApplication()
    yield application
    application.close()


def gateway(raw: RawApplication, folder: Path, config: str = CONFIG) -> Watched:
    config = config.replace("read_timeout: 3s", "read_timeout: 3s, keepalive: 60s")
    return Watched(folder, config.format(upstream=raw.url, data=folder / "data"))


@pytest.fixture(scope="module")
def service(raw: RawApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    running = gateway(raw, tmp_path_factory.mktemp("gateway"))
    running.start()
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="module")
def long_way(closing: RawApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """The same gateway without a short way, for comparison."""
    running = gateway(closing, tmp_path_factory.mktemp("long-way"))
    running.start()
    yield running
    assert running.crossings() == 0
    assert running.stop() == 0


def get(target: bytes, *more: bytes, method: bytes = b"GET", last: bool = True) -> bytes:
    lines = [method + b" " + target + b" HTTP/1.1", b"host: service.example", *more]
    return b"\r\n".join([*lines, *([b"connection: close"] if last else []), b"", b""])


def exchange(service: Service, request: bytes) -> bytes:
    """Everything the gateway answers to these bytes until it closes."""
    with service.connect() as client:
        client.sendall(request)
        return read_to_end(client)


def and_close(answer: bytes) -> Script:
    """The same answer from an application that closes the connection behind it, and says so."""
    answer = re.sub(rb"(HTTP/1\.[01] [2-5][^\r]*\r\n)", rb"\1connection: close\r\n", answer, count=1)

    def script(connection: socket.socket, _: bytes) -> None:
        connection.sendall(answer)

    return script


class TestSameBytes:
    """Each exchange on both ways: what the client gets and the application is asked is the same, byte for byte."""

    ANSWERS: ClassVar[dict[str, tuple[bytes, bytes]]] = {
        # name: method, answer of the application
        "length": (b"GET", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: 1\r\n\r\nhello"),
        "no bytes": (b"GET", b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
        "chunked": (b"GET", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n"),
        "chunked, no bytes": (b"GET", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
        "trailers": (
            b"GET",
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5;x=1\r\nhello\r\n0\r\nx-trailer: 1\r\n\r\n",
        ),
        "no content": (b"GET", b"HTTP/1.1 204 No Content\r\nx-of: 204\r\n\r\n"),
        "no content, with a length": (b"GET", b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n"),
        "not modified": (b"GET", b'HTTP/1.1 304 Not Modified\r\netag: "7"\r\ncontent-length: 5000\r\n\r\n'),
        "head": (b"HEAD", b"HTTP/1.1 200 OK\r\ncontent-length: 123456\r\n\r\n"),
        "head, chunked": (b"HEAD", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"),
        "head, nothing": (b"HEAD", b"HTTP/1.1 404 Not Found\r\nx-a: 1\r\n\r\n"),
        "options": (b"OPTIONS", b"HTTP/1.1 204 No Content\r\nallow: GET, HEAD\r\n\r\n"),
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
            b"HTTP/1.1 200 OK\r\nPaywall-Result: no\r\nPaywall-Step: x\r\nPaywall-Reason: free\r\n"
            b"paywall-context: y\r\ncontent-length: 2\r\n\r\nok",
        ),
        "words for one connection": (
            b"GET",
            b"HTTP/1.1 200 OK\r\nConnection: x-inner\r\nX-Inner: 1\r\nkeep-alive: timeout=9\r\n"
            b"proxy-authenticate: x\r\nupgrade: h2c\r\ncontent-length: 2\r\n\r\nok",
        ),
        "much": (b"GET", b"HTTP/1.1 200 OK\r\ncontent-length: 300000\r\n\r\n" + b"0123456789" * 30_000),
        "not HTTP": (b"GET", b"nonsense\r\n\r\n"),
        "two lengths": (b"GET", b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok!"),
    }
    REQUESTS: ClassVar[dict[str, bytes]] = {
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
        "nothing but a slash": get(b"/"),
    }  # fmt: skip

    @pytest.mark.parametrize("name", ANSWERS)
    @pytest.mark.parametrize("last", [True, False], ids=["the last answer", "more to come"])
    def test_of_answers(
        self, service: Watched, long_way: Watched, raw: RawApplication, closing: RawApplication, name: str, last: bool
    ) -> None:
        method, answer = self.ANSWERS[name]
        kept = answer if answer.startswith(b"HTTP/1.1") else and_close(answer)
        raw.answers[b"/same/x"], closing.answers[b"/same/x"] = kept, and_close(answer)
        raw.answers[b"/same/next"], closing.answers[b"/same/next"] = OK, and_close(OK)
        request = get(b"/same/x", method=method, last=last) + (b"" if last else get(b"/same/next"))
        service.warm()
        before = service.crossings()
        received = exchange(service, request)
        assert received == exchange(long_way, request)
        assert received.startswith(b"HTTP/1.1 ")
        failed = received.startswith(b"HTTP/1.1 502 ")
        assert service.crossings() == before + (0 if failed else 1)

    @pytest.mark.parametrize("name", REQUESTS)
    def test_of_requests(
        self, service: Watched, long_way: Watched, raw: RawApplication, closing: RawApplication, name: str
    ) -> None:
        for path in (b"/same/x", b"/"):
            raw.answers[path], closing.answers[path] = OK, and_close(OK)
        service.warm()
        before = service.crossings()
        assert exchange(service, self.REQUESTS[name]) == exchange(long_way, self.REQUESTS[name])
        assert service.crossings() == before + 1
        assert raw.heads[-1] == closing.heads[-1]

    @pytest.mark.parametrize(
        "request_",
        [
            get(b"/same/x", b"x_user_id: root"),
            get(b"/same/x", b"host: another.example"),
            get(b"/same/x", b"content-length: 1, 1"),
            get(b"/same/x", b"content-length: 0", b"content-length: 0"),
            get(b"/same/x", b"expect: the-impossible"),
            get(b"http://another.example/same/x"),
            get(b"/same/x", method=b"TRACE"),
            b"GET /same/x HTTP/1.1\r\nconnection: close\r\n\r\n",
            get(b"/_paywall/nothing"),
            get(b"/_paywall/health/live"),
            get(b"//same//x", ON_TRIAL),
            get(b"/same/x%2e", ON_TRIAL),
            get(b"/same/x#y", ON_TRIAL),
            get(b"/same/\xff", ON_TRIAL),
            get(b"*", ON_TRIAL, method=b"OPTIONS"),
            b"GET /same/x HTTP/1.0\r\n\r\n",
            b"GET /same/x HTTP/1.0\r\nconnection: keep-alive\r\nhost: x\r\n\r\n",
            get(b"/same/x", b"content-length: 4") + b"body",
            get(b"/same/x", b"transfer-encoding: chunked") + b"0\r\n\r\n",
            get(b"/same/x", method=b"POST"),
            get(b"/same/x", method=b"PROPFIND"),
            get(b"/blocked/x", ON_TRIAL),
        ],
        ids=lambda request: request[:40].partition(b"\r\n")[0].decode("latin-1"),
    )
    def test_of_what_needs_more_than_the_short_way(
        self, service: Watched, long_way: Watched, raw: RawApplication, closing: RawApplication, request_: bytes
    ) -> None:
        def answer(connection: socket.socket, received: bytes) -> None:
            if b"content-length: 4" in received:
                while not received.endswith(b"body"):
                    received += connection.recv(100)
            and_close(OK)(connection, received)

        for path in (b"/same/x", b"/blocked/x", b"//same//x", b"/same/x%2e", b"/same/x#y", b"*"):
            raw.answers[path] = closing.answers[path] = answer
        service.warm()
        before = service.crossings()
        assert exchange(service, request_) == exchange(long_way, request_)
        assert service.crossings() == before
