"""Requests on the short way while the gateway changes or ends: each goes on as it began."""

from __future__ import annotations

import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .raw import RawApplication, answer
from .service import DEADLINE, Service, read_head, read_to_end, wait_until
from .watched import OK, Watched, get, watched

DECLARED = answer(b"paywall-result: yes", body=b"what was declared")
STOPPING = signal.SIGTERM


class Held:
    """An answer that waits for the test after its first bytes."""

    def __init__(self, answer: bytes, first: int = 0) -> None:
        self.came = threading.Event()
        self.ended = threading.Event()
        self._go_on = threading.Event()
        self._answer, self._first = answer, first
        self.waited = 0.0
        """Seconds that the application let pass."""

    def __call__(self, connection: socket.socket, _: bytes) -> None:
        began = time.monotonic()
        connection.sendall(self._answer[: self._first])
        self.came.set()
        connection.settimeout(0.05)
        while not self._go_on.is_set():
            try:
                if connection.recv(1) == b"":
                    self.ended.set()
                    return
            except TimeoutError:
                continue
            except ConnectionError:
                self.ended.set()
                return
        self.waited = time.monotonic() - began
        connection.sendall(self._answer[self._first :])

    def go_on(self) -> None:
        self._go_on.set()


@pytest.fixture
def service(raw: RawApplication, tmp_path: Path) -> Iterator[Watched]:
    """A gateway of this test alone."""
    raw.answers[b"/any"] = OK
    with watched(raw, tmp_path) as running:
        yield running


def begin(service: Service, raw: RawApplication, held: Held, *headers: bytes, path: bytes = b"/held") -> socket.socket:
    """A client whose request is at the application, on a connection that would go on."""
    raw.answers[path] = held
    service.request("GET", "/warm")
    client = service.connect()
    client.sendall(get(path, *headers, last=False))
    assert held.came.wait(DEADLINE)
    return client


def reload(service: Watched, old: str, new: str) -> None:
    service.change(old, new)
    wait_until(lambda: service.said("the new config is in force"), "the new config is in force")


class TestReload:
    @pytest.mark.parametrize("first", [0, len(OK) - 1], ids=["before the answer", "during it"])
    def test_a_request_goes_on_by_the_config_it_began_with(
        self, service: Watched, raw: RawApplication, person: str, first: int
    ) -> None:
        held = Held(OK, first)
        service.expire(person)
        service.request("GET", "/any", {"x-user-id": person})
        who = b"x-user-id: " + person.encode()
        with begin(service, raw, held, who) as client:
            reload(service, "routes:\n", 'routes:\n  - {path: "/held", class: result, mode: block, name: newly}\n')
            before = service.crossings()
            held.go_on()
            head, body = read_head(client)
            assert head.startswith(b"HTTP/1.1 200 ")
            while body != b"ok":
                body += client.recv(100)
            assert service.crossings() == before + 1
            client.sendall(get(b"/held", who))
            assert read_to_end(client).startswith(b"HTTP/1.1 402 "), "the connection goes on, by the new config"

    def test_a_result_that_only_its_answer_shows_is_treated_by_that_config(
        self, service: Watched, raw: RawApplication, person: str
    ) -> None:
        held = Held(DECLARED)
        service.expire(person)
        service.request("GET", "/any", {"x-user-id": person})
        with begin(service, raw, held, b"x-user-id: " + person.encode()) as client:
            reload(service, "price: 3.00 USD", "price: 5.00 USD")
            held.go_on()
            head, body = read_head(client)
            while b"USD" not in body:
                body += client.recv(65536)
        assert b"paywall-reason: result-held" in head and b"3.00 USD" in body
        raw.answers[b"/held"] = DECLARED
        assert b"5.00 USD" in service.request("GET", "/held", {"x-user-id": person}).body

    @pytest.mark.parametrize("first", [0, len(OK) - 1], ids=["before the answer", "during it"])
    def test_another_application_takes_over_from_the_next_request_on(
        self, service: Watched, raw: RawApplication, first: int
    ) -> None:
        other = RawApplication()
        other.answers[b"/any"] = answer(body=b"another")
        held = Held(OK, first)
        try:
            with begin(service, raw, held) as client:
                reload(service, raw.url, other.url)
                assert service.request("GET", "/any").body == b"another"
                held.go_on()
                head, body = read_head(client)
                assert head.startswith(b"HTTP/1.1 200 ")
                while body != b"ok":
                    body += client.recv(100)
                client.sendall(get(b"/any"))
                assert read_to_end(client).endswith(b"another")
        finally:
            other.close()


class TestStop:
    @pytest.mark.parametrize(("answer", "first"), [(OK, 0), (OK, len(OK) - 1)], ids=["before the answer", "during it"])
    def test_an_answer_goes_on_to_its_end_and_is_the_last(
        self, service: Watched, raw: RawApplication, answer: bytes, first: int
    ) -> None:
        assert service.process is not None
        held = Held(answer, first)
        with begin(service, raw, held) as client, service.connect() as idle:
            service.process.send_signal(STOPPING)
            assert idle.recv(1) == b"", "the gateway is stopping"
            with pytest.raises(subprocess.TimeoutExpired):
                service.process.wait(1.0)  # one that does not wait for the answer is gone by then
            held.go_on()
            told = read_to_end(client)
        assert told.endswith(b"\r\n\r\nok") and (b"connection: close" in told) == (first == 0)
        assert service.process.wait(DEADLINE) == 0
        assert service.entry("/held")["status"] == 200

    def test_what_turns_out_to_be_a_result_is_kept_all_the_same(
        self, service: Watched, raw: RawApplication, person: str
    ) -> None:
        assert service.process is not None
        held = Held(DECLARED)
        service.expire(person)
        service.request("GET", "/any", {"x-user-id": person})
        with begin(service, raw, held, b"x-user-id: " + person.encode()) as client, service.connect() as idle:
            service.process.send_signal(STOPPING)
            assert idle.recv(1) == b"", "the gateway is stopping"
            held.go_on()
            told = read_to_end(client)
        assert told.startswith(b"HTTP/1.1 402 ") and b"paywall-reason: result-held" in told
        assert b"connection: close" in told
        assert service.process.wait(DEADLINE) == 0

    @pytest.mark.parametrize("first", [0, len(OK) - 1], ids=["before the answer", "during it"])
    def test_told_twice_it_stops_at_once(self, service: Watched, raw: RawApplication, first: int) -> None:
        assert service.process is not None
        held = Held(OK, first)
        with begin(service, raw, held), service.connect() as idle:
            service.process.send_signal(STOPPING)
            assert idle.recv(1) == b""
            service.process.send_signal(STOPPING)
            assert service.process.wait(DEADLINE / 2) == 0
        assert held.ended.wait(DEADLINE), "the application is told"


class TestRecord:
    """What the log says the gateway itself took does not hold the application's time."""

    def overhead_is_its_own(self, service: Watched, held: Held, status: int) -> None:
        entry = service.entry("/held", status=status)
        assert entry["overhead_us"] + held.waited * 1e6 <= entry["duration_us"] + 1

    def test_of_an_answer(self, service: Watched, raw: RawApplication) -> None:
        held = Held(OK, len(OK) - 1)
        with begin(service, raw, held) as client:
            held.go_on()
            read_head(client)
            self.overhead_is_its_own(service, held, 200)

    def test_of_a_result_that_only_the_answer_shows(self, service: Watched, raw: RawApplication, person: str) -> None:
        held = Held(DECLARED)
        service.expire(person)
        service.request("GET", "/any", {"x-user-id": person})
        with begin(service, raw, held, b"x-user-id: " + person.encode()) as client:
            held.go_on()
            read_head(client)
            self.overhead_is_its_own(service, held, 402)

    def test_of_a_failure(self, service: Watched, raw: RawApplication) -> None:
        held = Held(b"nonsense\r\n\r\n")
        with begin(service, raw, held) as client:
            held.go_on()
            read_head(client)
            self.overhead_is_its_own(service, held, 502)
