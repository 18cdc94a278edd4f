"""Requests of all sorts one behind the other on one connection: each is answered in its turn, and carried out once."""

from __future__ import annotations

import re
import socket
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .raw import RawApplication, answer
from .service import read_to_end
from .watched import Watched, get, watched

RICH = b"x-user-id: in-order-rich"
POOR = b"x-user-id: in-order-poor"


@dataclass(frozen=True)
class Sort:
    """One sort of requests, and what comes of it."""

    path: bytes
    status: int
    executed: int
    headers: tuple[bytes, ...] = ()
    method: bytes = b"GET"
    sent: bytes = b""
    body: bytes | None = None
    """None where it is not looked at."""

    def request(self, number: int, last: bool) -> bytes:
        target = b"%b?%d" % (self.path, number)
        more = (b"content-length: %d" % len(self.sent),) if self.sent else ()
        return get(target, *self.headers, *more, method=self.method, last=last) + self.sent


SORTS = {
    "open": Sort(b"/any", 200, 1, body=b"any"),
    "open, of somebody": Sort(b"/any", 200, 1, (RICH,), body=b"any"),
    "open, in chunks": Sort(b"/chunks", 200, 1, body=b"in chunks"),
    "exempt": Sort(b"/static/x", 200, 1, (POOR,), body=b"static"),
    "without a body": Sort(b"/none", 204, 1, body=b""),
    "a head": Sort(b"/head", 200, 1, method=b"HEAD", body=b""),
    "an upload": Sort(b"/upload", 200, 1, method=b"POST", sent=b"u" * 3000, body=b"stored"),
    "a post": Sort(b"/any", 200, 1, method=b"POST", body=b"any"),
    "a result": Sort(b"/blocked/x", 200, 1, (RICH,), body=b"the result"),
    "a result without a right": Sort(b"/blocked/x", 402, 0, (POOR,)),
    "a declared result": Sort(b"/declared", 200, 1, (RICH,), body=b"declared"),
    "a declared result without a right": Sort(b"/declared", 402, 1, (POOR,)),
    "a page of ours": Sort(b"/_paywall/health/live", 200, 0),
    "ambiguous": Sort(b"//any", 308, 0, (POOR,)),
    "in need of somebody": Sort(
        b"/any", 200, 1, (b"x-user-id: in-order-new", b"sec-fetch-mode: navigate"), body=b"any"
    ),
}


@pytest.fixture(scope="module")
def service(raw: RawApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """A gateway in front of an application of exact bytes, with one person who may have results and one who may not."""
    raw.answers |= {
        b"/any": answer(body=b"any"),
        b"/head": b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n",
        b"/upload": reads_body,
        b"/static/x": answer(body=b"static"),
        b"/none": b"HTTP/1.1 204 No Content\r\n\r\n",
        b"/chunks": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nin \r\n6\r\nchunks\r\n0\r\n\r\n",
        b"/blocked/x": answer(body=b"the result"),
        b"/declared": answer(b"paywall-result: yes", body=b"declared"),
    }
    with watched(raw, tmp_path_factory.mktemp("gateway")) as running:
        running.expire("in-order-poor")
        for who in ("in-order-poor", "in-order-rich"):
            running.request("GET", "/static/x", {"x-user-id": who})
            running.request("GET", "/chunks", {"x-user-id": who})
        yield running


def reads_body(connection: socket.socket, received: bytes) -> None:
    """Answer once the body is there."""
    while len(received.partition(b"\r\n\r\n")[2]) < 3000:
        received += connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 6\r\n\r\nstored")


def parse(received: bytes, methods: list[bytes]) -> list[tuple[int, bytes]]:
    """Status and body of each answer to requests with these methods."""
    found = []
    for method in methods:
        head, _, received = received.partition(b"\r\n\r\n")
        status = int(head.split(b" ")[1])
        length = re.search(rb"\r\ncontent-length: (\d+)", head)
        body = b""
        if method == b"HEAD" or status == 204:
            pass
        elif length:
            body, received = received[: int(length[1])], received[int(length[1]) :]
        else:
            assert b"transfer-encoding: chunked" in head
            while (size := int(received.partition(b"\r\n")[0], 16)) > 0:
                received = received.partition(b"\r\n")[2]
                body, received = body + received[:size], received[size + 2 :]
            received = received[5:]
        found.append((status, body))
    assert received == b""
    return found


def ask_in_order(service: Watched, raw: RawApplication, names: list[str], cuts: list[int], patient: bool) -> None:
    """All at once, or in pieces that end anywhere, with time for an answer between them."""
    sorts = [SORTS[name] for name in names]
    data = b"".join(sort.request(number, number == len(sorts) - 1) for number, sort in enumerate(sorts))
    before = len(raw.heads)
    with service.connect() as client:
        for cut in cuts:
            client.sendall(data[:cut])
            data = data[cut:]
            if patient:
                service.request("GET", "/_paywall/health/live")
        client.sendall(data)
        answers = parse(read_to_end(client), [sort.method for sort in sorts])
    assert [status for status, _ in answers] == [sort.status for sort in sorts]
    for (_, body), sort in zip(answers, sorts, strict=True):
        assert sort.body is None or body == sort.body
    executed = Counter(int(head.split(b" ")[1].partition(b"?")[2]) for head in raw.heads[before:])
    assert executed == Counter({number: sort.executed for number, sort in enumerate(sorts) if sort.executed})


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    names=st.lists(st.sampled_from(sorted(SORTS)), min_size=1, max_size=10),
    cuts=st.lists(st.integers(1, 600), max_size=8),
    patient=st.booleans(),
)
def test_in_any_order(service: Watched, raw: RawApplication, names: list[str], cuts: list[int], patient: bool) -> None:
    service.request("GET", "/warm")
    ask_in_order(service, raw, names, cuts, patient)


def test_open_result_post_open(service: Watched, raw: RawApplication) -> None:
    """The first goes the short way, and what comes behind it in the same breath waits for its turn."""
    with service.crossing(1):
        ask_in_order(service, raw, ["open", "a result", "an upload", "open", "a result without a right"], [], False)
