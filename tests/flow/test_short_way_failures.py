"""An application that fails on the short way: each request is carried out once, and told what came of it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from .raw import RawApplication, Script
from .service import DEADLINE
from .watched import OK, Watched, exchange, get, read_to_the_cut, watched


@pytest.fixture(scope="module")
def service(raw: RawApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """A gateway in front of an application that fails as a test says."""
    with watched(raw, tmp_path_factory.mktemp("gateway")) as running:
        yield running


def says(words: bytes) -> Script:
    """Says this and closes the connection."""

    def script(connection: socket.socket, _: bytes) -> None:
        connection.sendall(words)

    return script


def times_asked(raw: RawApplication, target: bytes) -> int:
    return sum(head.split(b" ")[1] == target for head in raw.heads)


FAILURES: dict[str, tuple[bytes, bytes]] = {
    # name: what the application says before it closes, the reason that the client is told
    "a byte": (b"H", b"upstream-broken"),
    "an interim head": (b"HTTP/1.1 103 Early Hints\r\n\r\n", b"upstream-broken"),
    "half a head": (b"HTTP/1.1 200 OK\r\ncontent-", b"upstream-broken"),
    "nonsense": (b"nonsense\r\n\r\n", b"upstream-malformed"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_before_the_answer_is_told(service: Watched, raw: RawApplication, name: str) -> None:
    words, reason = FAILURES[name]
    target = b"/fails/" + name.replace(" ", "-").encode()
    raw.answers[target] = says(words)
    with service.crossing(0):
        answer = exchange(service, get(target))
    assert answer.startswith(b"HTTP/1.1 502 ") and b"paywall-reason: " + reason in answer
    entry = service.entry(target.decode())
    assert (entry["status"], entry["reason"], entry["route"]) == (502, reason.decode(), "all")
    assert times_asked(raw, target) == 1


@pytest.mark.parametrize("words", [b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"], ids=["silent", "silent after hints"])
def test_an_application_that_does_not_answer_in_time_is_given_up(
    service: Watched, raw: RawApplication, words: bytes
) -> None:
    def script(connection: socket.socket, _: bytes) -> None:
        connection.sendall(words)
        assert connection.recv(1) == b"", "the gateway has closed"
        closed.set()

    closed = threading.Event()
    raw.answers[b"/silent"] = script
    before = times_asked(raw, b"/silent")
    answer = exchange(service, get(b"/silent"))
    assert answer.startswith(b"HTTP/1.1 504 ") and b"paywall-reason: upstream-timeout" in answer
    assert closed.wait(DEADLINE)
    assert times_asked(raw, b"/silent") == before + 1


@pytest.mark.parametrize(
    "words",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf ",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhalf \r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhalf \r\nzz",
    ],
    ids=["no body", "half a body", "no last chunk", "nonsense in the midst of it"],
)
def test_a_failure_within_the_answer_cuts_the_connection(service: Watched, raw: RawApplication, words: bytes) -> None:
    raw.answers[b"/cut-short"], raw.answers[b"/behind"] = says(words), OK
    asked = times_asked(raw, b"/cut-short"), times_asked(raw, b"/behind")
    with service.crossing(1), service.connect() as client:
        client.sendall(get(b"/cut-short", last=False) + get(b"/behind"))
        received = read_to_the_cut(client)
    body = received.partition(b"\r\n\r\n")[2]
    assert b"0\r\n\r\n" not in body and b"HTTP/1.1" not in body, "it can't be taken for a whole one"
    assert (times_asked(raw, b"/cut-short"), times_asked(raw, b"/behind")) == (asked[0] + 1, asked[1])
    assert service.entry("/cut-short", status=200)["detail"]


class ClosingDoor:
    """Connections that serve one request and close at the next, unanswered, until told to serve."""

    def __init__(self, raw: RawApplication) -> None:
        self.carried_out = 0
        self._both_in = threading.Barrier(2)
        raw.answers[b"/opens"] = self._open
        raw.answers[b"/closing"] = raw.answers[b"/blocked/closing"] = self._serve

    def open_two(self, service: Watched) -> ClosingDoor:
        """Leave two idle connections, used before all others, at the next request on each of which the door closes."""
        asking = [threading.Thread(target=service.request, args=("GET", "/opens")) for _ in range(2)]
        for thread in asking:
            thread.start()
        for thread in asking:
            thread.join()
        return self

    def _open(self, connection: socket.socket, _: bytes) -> None:
        self._both_in.wait(DEADLINE)
        connection.sendall(OK)
        if b"/closing " in connection.recv(65536):
            self.carried_out += 1

    def _serve(self, connection: socket.socket, _: bytes) -> None:
        self.carried_out += 1
        connection.sendall(OK)


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"OPTIONS"])
def test_a_safe_request_that_meets_a_closing_connection_is_sent_once_more(
    service: Watched, raw: RawApplication, method: bytes
) -> None:
    door = ClosingDoor(raw).open_two(service)
    answer = exchange(service, get(b"/closing", method=method))
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert door.carried_out == 2, "once on a connection that closed, and once on a new one"


@pytest.mark.parametrize("method", [b"POST", b"DELETE", b"PURGE"])
def test_any_other_request_is_never_sent_again(service: Watched, raw: RawApplication, method: bytes) -> None:
    """The application may have carried it out before it closed."""
    door = ClosingDoor(raw).open_two(service)
    answer = exchange(service, get(b"/closing", method=method))
    assert answer.startswith(b"HTTP/1.1 502 ") and b"paywall-reason: upstream-broken" in answer
    assert door.carried_out == 1


def test_what_counts_is_never_sent_again(service: Watched, raw: RawApplication) -> None:
    raw.answers[b"/blocked/x"] = OK
    person = b"x-user-id: known-to-be-on-trial"
    service.request("GET", "/warm")
    for _ in range(2):  # the first begins the trial, the second finds out that it goes on
        assert exchange(service, get(b"/blocked/x", person)).endswith(b"ok")
    with service.crossing(1):
        assert exchange(service, get(b"/blocked/x", person)).endswith(b"ok")
    door = ClosingDoor(raw).open_two(service)
    answer = exchange(service, get(b"/blocked/closing", person))
    assert answer.startswith(b"HTTP/1.1 502 ") and b"paywall-reason: upstream-broken" in answer
    assert door.carried_out == 1
    assert service.entry("/blocked/closing")["route"] == "blocked"
