"""Clients of the short way that leave, read slowly or not at all, or send one request behind the other."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .raw import RawApplication, endless, staying
from .service import DEADLINE, leave, read_head, wait_until
from .watched import OK, Watched, exchange, get, watched

HALF = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf "
STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
MEGABYTE = 2**20
GROWTH_LIMIT = 32 * MEGABYTE
LITTLE_ROOM = """
import socket
from gateway.cli import serving

listen = serving.listen

def listen_with_little_room(host, port):
    listener = listen(host, port)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    return listener

serving.listen = listen_with_little_room
"""
ANSWERS_LIMIT = 40
"""So many of 10 kB are more than there is room for on the way."""

Going = Callable[[socket.socket], None]


@pytest.fixture(scope="module")
def service(raw: RawApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """A gateway in front of an application of exact bytes."""
    with watched(raw, tmp_path_factory.mktemp("gateway")) as running:
        yield running


class Pouring:
    """Answers with so many megabytes; notes how many were taken, and when nobody takes more."""

    def __init__(self, megabytes: int, head: bytes = b"") -> None:
        self.sent = 0
        self.stalled = threading.Event()
        self._megabytes = megabytes
        self._head = head or b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % (megabytes * MEGABYTE)

    def __call__(self, connection: socket.socket, _: bytes) -> None:
        connection.sendall(self._head)
        for _number in range(self._megabytes):
            left = bytes(MEGABYTE)
            while left:
                connection.settimeout(1.0)
                try:
                    left = left[connection.send(left) :]
                except TimeoutError:
                    self.stalled.set()
                    connection.settimeout(DEADLINE)
                    left = left[connection.send(left) :]
            self.sent += 1


class TestLeaving:
    @pytest.mark.parametrize("going", [socket.socket.close, leave], ids=["in order", "with a reset"])
    def test_before_the_answer_ends_the_work(self, service: Watched, raw: RawApplication, going: Going) -> None:
        ended = threading.Event()
        raw.answers[b"/waits"] = staying(b"", ended)
        before = len(raw.heads)
        with service.crossing(1):
            client = service.connect()
            client.sendall(get(b"/waits"))
            wait_until(lambda: b" /waits " in b"".join(raw.heads[before:]), "the application is at work")
            going(client)
            assert ended.wait(DEADLINE), "the application works for nobody"
        entry = service.entry("/waits")
        assert (entry["status"], entry["reason"], entry["detail"]) == (499, "client-gone", "the client left")

    @pytest.mark.parametrize("going", [socket.socket.close, leave], ids=["in order", "with a reset"])
    def test_during_the_answer_ends_the_work(self, service: Watched, raw: RawApplication, going: Going) -> None:
        ended = threading.Event()
        raw.answers[b"/stream"] = endless(STREAM, ended, b"data: x\n\n")
        with service.crossing(1):
            client = service.connect()
            client.sendall(get(b"/stream"))
            read_head(client)
            going(client)
            assert ended.wait(DEADLINE), "the application sends to nobody"
        entry = service.entry("/stream", detail="the client left")
        assert (entry["status"], entry["reason"]) == (200, "open")

    def test_without_having_read_ends_the_work(self, service: Watched, raw: RawApplication) -> None:
        ended = threading.Event()
        raw.answers[b"/unread"] = endless(b"HTTP/1.1 200 OK\r\n\r\n", ended)
        client = service.connect(ahead=65536)
        client.sendall(get(b"/unread"))
        read_head(client)
        leave(client)
        assert ended.wait(DEADLINE), "the application sends to nobody"
        assert service.entry("/unread", detail="the client left")["status"] == 200

    def test_a_result_that_is_being_kept_ends_the_work(
        self, service: Watched, raw: RawApplication, person: str
    ) -> None:
        def script(connection: socket.socket, received: bytes) -> None:
            staying(HALF.replace(b"OK\r\n", b"OK\r\npaywall-result: yes\r\n"), ended)(connection, received)

        ended = threading.Event()
        raw.answers[b"/any"], raw.answers[b"/kept"] = OK, script
        service.expire(person)
        service.request("GET", "/any", {"x-user-id": person})
        before = len(raw.heads)
        with service.crossing(0):
            client = service.connect()
            client.sendall(get(b"/kept", b"x-user-id: " + person.encode()))
            wait_until(lambda: b" /kept " in b"".join(raw.heads[before:]), "the application is at work")
            client.close()
            assert ended.wait(DEADLINE), "the application works for nobody"
        assert service.entry("/kept")["reason"] == "client-gone"
        assert service.me(person)["holds"] == []


class TestReadingSlowly:
    @pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\n\r\n"], ids=["length", "chunks"])
    def test_holds_the_application_back_and_loses_nothing(
        self, service: Watched, raw: RawApplication, head: bytes
    ) -> None:
        pouring = raw.answers[b"/pours"] = Pouring(128, head)
        before = service.memory()
        with service.crossing(1), service.connect(ahead=65536) as client:
            client.sendall(get(b"/pours"))
            assert pouring.stalled.wait(DEADLINE)
            assert pouring.sent < 64
            assert service.memory() - before < GROWTH_LIMIT
            size = 0
            while piece := client.recv(MEGABYTE):
                size += len(piece)
            assert size >= 128 * MEGABYTE
        assert service.entry("/pours")["bytes"] == 128 * MEGABYTE

    def test_or_not_at_all_brings_no_further_answers(self, raw: RawApplication, tmp_path: Path) -> None:
        """Many small ones, each whole before the next is asked for, are as much together as a large one."""
        raw.answers[b"/small"] = b"HTTP/1.1 200 OK\r\ncontent-length: 10000\r\n\r\n" + b"x" * 10_000
        with watched(raw, tmp_path, beforehand=LITTLE_ROOM) as service, service.connect(ahead=4096) as client:
            for number in range(1, ANSWERS_LIMIT + 1):
                client.sendall(get(b"/small", last=False))
                if not happens_soon(lambda number=number: answered(service, "/small") == number):  # type: ignore[misc]
                    break
            else:
                pytest.fail("answers pile up for somebody who does not read them")
            assert service.crossings() >= number - 2
            assert exchange(service, get(b"/warm")).endswith(b"ok"), "the connection last used is not held back with it"
            with client.makefile("rb") as answers:
                for _ in range(number):
                    while answers.readline() != b"\r\n":
                        pass
                    assert answers.read(10_000) == b"x" * 10_000


def answered(service: Watched, path: str) -> int:
    return sum(entry["path"] == path for entry in service.entries())


def happens_soon(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 2.0
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.001)
    return True
