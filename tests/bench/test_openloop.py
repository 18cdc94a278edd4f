"""The open-loop load counts the waiting of everything that fell due, and believes no wrong answer."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from selectors import EVENT_READ, DefaultSelector
from threading import Event, Thread

import pytest

from bench.candidate import BODY
from bench.load import Target
from bench.openloop import run_open_load

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(BODY), BODY)
CONNECTIONS = 64


@contextmanager
def server(answer: Callable[[int], bytes]) -> Iterator[int]:
    """One thread for all connections; `answer` is asked with the number of the request and may take its time."""
    done = Event()
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=128))
        selector = stack.enter_context(DefaultSelector())
        selector.register(listener, EVENT_READ)

        def serve() -> None:
            count = 0
            while not done.is_set():
                for key, _ in selector.select(0.05):
                    if key.fileobj is listener:
                        selector.register(stack.enter_context(listener.accept()[0]), EVENT_READ)
                        continue
                    connection = key.fileobj
                    assert isinstance(connection, socket.socket)
                    if not connection.recv(65536):
                        selector.unregister(connection)
                        continue
                    count += 1
                    connection.sendall(answer(count))

        thread = Thread(target=serve)
        thread.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            done.set()
            thread.join()


def test_requests_that_fell_due_during_a_pause_have_waited() -> None:
    # A closed loop would see the pause once per connection: 64 of about 1000.
    def pause_once(number: int) -> bytes:
        if number == CONNECTIONS + 1:
            time.sleep(0.6)
        return ANSWER

    with server(pause_once) as port:
        load = run_open_load(Target(port, "/"), 1000, 1.0)
    assert load.trouble == ""
    assert sum(latency > 100 for latency in load.latencies) > len(load.latencies) * 0.3
    assert load.percentile(0.99) > 400


def test_the_rate_is_what_was_asked_for_whatever_the_server_does() -> None:
    with server(lambda number: ANSWER) as port:
        fast = run_open_load(Target(port, "/"), 500, 1.0)
    assert 400 < len(fast.latencies) < 600
    assert 0 < fast.percentile(0.5) <= fast.percentile(0.99) <= max(fast.latencies)


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        pytest.param(b"HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n", "answered b'HTTP/1.1 503 No", id="an error"),
        pytest.param(ANSWER[:20], "requests were not answered", id="half an answer"),
    ],
)
def test_wrong_answers_are_told(answer: bytes, trouble: str) -> None:
    with server(lambda number: ANSWER if number <= CONNECTIONS else answer) as port:
        load = run_open_load(Target(port, "/"), 200, 0.5)
    assert trouble in load.trouble
