"""Bodies of any size pass in pieces, at the pace of the slower side, and end when either side leaves."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterator

import pytest

from .application import PIECE, Application
from .service import DEADLINE, Service, leave, read_head, wait_until

PIECES = 1024
SIZE = PIECES * len(PIECE)
GROWTH_LIMIT = 32 * 2**20
STALLING = 2 * PIECES
"""Twice what the sockets of a machine with large buffers may take by themselves (32 MiB each)."""


def head(method: str, target: str, person: str, *more: str) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", "host: service.example", f"x-user-id: {person}", *more, "", ""]
    return "\r\n".join(lines).encode()


@pytest.fixture
def connection(service: Service) -> Iterator[socket.socket]:
    """A client that reads as slowly as it likes: its own machine takes little ahead of it."""
    with service.connect(ahead=65536) as client:
        yield client


def read_large(connection: socket.socket, service: Service) -> tuple[bytes, int, int]:
    """Head, bytes of the rest until the gateway closes, and the most memory the gateway had in the meantime."""
    answer, rest = read_head(connection)
    size, memory = len(rest), 0
    for number, piece in enumerate(iter(lambda: connection.recv(2**20), b"")):
        size += len(piece)
        if number % 8 == 0:
            memory = max(memory, service.memory())
    return answer, size, memory


@pytest.mark.parametrize("query", ["", "&length"])
def test_a_large_download_passes_in_pieces(service: Service, person: str, query: str) -> None:
    before = service.memory()
    with service.connect() as client:
        client.sendall(head("GET", f"/large?pieces={PIECES}{query}", person, "connection: close"))
        answer, size, memory = read_large(client, service)
    assert memory - before < GROWTH_LIMIT
    if query:
        assert f"content-length: {SIZE}\r\n".encode() in answer and b"transfer-encoding" not in answer
        assert size == SIZE
    else:
        assert b"transfer-encoding: chunked\r\n" in answer and b"content-length" not in answer
        assert size > SIZE
    assert service.entry("/large", bytes=SIZE)["status"] == 200


@pytest.mark.parametrize("framing", [f"content-length: {SIZE}", "transfer-encoding: chunked"])
def test_a_large_upload_passes_in_pieces(service: Service, person: str, framing: str) -> None:
    piece = PIECE if "length" in framing else b"%x\r\n%b\r\n" % (len(PIECE), PIECE)
    before = memory = service.memory()
    with service.connect() as client:
        client.sendall(head("POST", "/upload", person, framing, "connection: close"))
        for number in range(PIECES):
            client.sendall(piece)
            if number % 32 == 0:
                memory = max(memory, service.memory())
        if "chunked" in framing:
            client.sendall(b"0\r\n\r\n")
        _, body = read_head(client)
        while more := client.recv(65536):
            body += more
    assert memory - before < GROWTH_LIMIT
    assert f"{SIZE} by {framing.partition(': ')[2]}".encode() in body


def test_who_does_not_read_stops_the_application(
    service: Service, application: Application, connection: socket.socket, person: str
) -> None:
    before = service.memory()
    application.stalled.clear()
    connection.sendall(head("GET", f"/large?pieces={STALLING}&length", person, "connection: close"))
    assert application.stalled.wait(DEADLINE), "the application could write 128 MiB to nobody"
    assert application.sent < STALLING // 2
    assert service.memory() - before < GROWTH_LIMIT
    assert read_large(connection, service)[1] == STALLING * len(PIECE)


def test_an_application_that_does_not_read_stops_the_client(
    service: Service, application: Application, connection: socket.socket, person: str
) -> None:
    before, size = service.memory(), STALLING * len(PIECE)
    connection.sendall(head("POST", "/late-upload", person, f"content-length: {size}", "connection: close"))
    wait_until(lambda: application.waiting == 1, "the application has the request")
    sent, body = 0, memoryview(PIECE * STALLING)
    while sent < size and select.select([], [connection], [], 0.5)[1]:
        sent += connection.send(body[sent : sent + 2**20])
    assert sent < size // 2
    assert service.memory() - before < GROWTH_LIMIT
    application.let_go_on()
    connection.sendall(body[sent:])
    read_head(connection)
    assert application.received == size


def test_a_client_that_leaves_ends_the_download(service: Service, application: Application, person: str) -> None:
    application.aborted.clear()
    with service.connect() as client:
        client.sendall(head("GET", "/endless", person))
        assert b" 200 " in read_head(client)[0]
    assert application.aborted.wait(DEADLINE)
    assert service.entry("/endless", detail="the client left")["status"] == 200


def test_a_client_that_leaves_before_the_answer_ends_the_work(
    service: Service, application: Application, person: str
) -> None:
    with service.connect() as client:
        client.sendall(head("GET", "/any/waits", person))
        wait_until(lambda: application.waiting == 1, "the application has the request")
        application.aborted.clear()
    assert application.aborted.wait(DEADLINE)
    assert service.entry("/any/waits")["reason"] == "client-gone"


@pytest.mark.parametrize("framing", [f"content-length: {SIZE}", "transfer-encoding: chunked"])
def test_a_client_that_leaves_ends_the_upload(
    service: Service, application: Application, person: str, framing: str
) -> None:
    before = application.executed["/upload"]
    with service.connect() as client:
        client.sendall(head("POST", "/upload", person, framing))
        client.sendall(b"10\r\n0123456789abcdef\r\n")
        wait_until(lambda: application.executed["/upload"] > before and application.received, "the upload began")
    assert application.aborted.wait(DEADLINE), "half a body was taken for a whole one"


def test_grace_is_given_back_when_the_client_left_before_the_first_byte(
    service: Service, application: Application, expired: str
) -> None:
    for going in (socket.socket.close, leave):
        client = service.connect()
        client.sendall(head("GET", "/grace/waits", expired))
        wait_until(lambda: application.waiting == 1, "the application has the request")
        assert service.grace_used(expired, "graceful") == 1
        going(client)
        wait_until(lambda: service.grace_used(expired, "graceful") == 0, "the grace result is given back")
        wait_until(lambda: application.waiting == 0, "the application was told")


def test_grace_is_given_back_when_the_application_breaks_off(service: Service, expired: str) -> None:
    answer = service.raw(head("GET", "/grace/cut", expired))
    assert b" 200 " in answer and b"half of it" in answer
    wait_until(lambda: service.grace_used(expired, "graceful") == 0, "the grace result is given back")
    assert "broke" in service.entry("/grace/cut")["detail"] or "closed" in service.entry("/grace/cut")["detail"]


def test_grace_is_spent_when_the_client_left_after_the_first_byte(
    service: Service, application: Application, expired: str
) -> None:
    application.aborted.clear()
    with service.connect() as client:
        client.sendall(head("GET", "/grace/endless", expired))
        received = read_head(client)[1]
        while b"1,2,3" not in received:
            received += client.recv(65536)
    assert application.aborted.wait(DEADLINE)
    assert service.entry("/grace/endless")["detail"] == "the client left"
    assert service.grace_used(expired, "graceful") == 1
