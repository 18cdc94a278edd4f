"""Results that the store is asked about cross on the short way, too, and what is counted there is counted once."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from .application import CSV
from .raw import RawApplication, answer
from .service import DEADLINE, pay, read_head, wait_until
from .watched import Watched, exchange, get, read_to_the_cut, watched

FILE = answer(b"content-type: text/csv", b"cache-control: public", body=CSV)


@pytest.fixture(scope="module")
def raw() -> Iterator[RawApplication]:
    made = RawApplication()
    for path in (b"/metered/a", b"/report.csv", b"/grace/a", b"/blocked/x"):
        made.answers[path] = FILE
    made.answers[b"/metered/missing"] = answer(status=b"404 Not Found")
    made.answers[b"/metered/denied"] = answer(b"paywall-result: no")
    made.answers[b"/metered/cut"] = lambda connection, _: connection.sendall(FILE[:-5])
    made.answers[b"/metered/closed"] = lambda connection, _: None
    yield made
    made.close()


@pytest.fixture(scope="module")
def service(raw: RawApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    with watched(raw, tmp_path_factory.mktemp("gateway")) as running:
        # The first question of all takes the long way: it is there that the store learns the script.
        running.request("GET", "/report.csv", {"x-user-id": "the very first"})
        yield running


def of(person: str) -> bytes:
    return b"x-user-id: " + person.encode()


def began(service: Watched) -> int:
    """How many trials the log of events tells of."""
    return service.command("events").count("trial-began")


def test_grace_crosses_until_it_is_used_up(service: Watched, expired: str) -> None:
    with service.crossing(2):
        for _ in range(2):
            reply = service.request("GET", "/metered/a", {"x-user-id": expired})
            assert (reply.status, reply.body) == (200, CSV)
            assert (reply.header("cache-control"), reply.header("vary")) == ("private", "x-user-id, cookie")
        assert service.request("GET", "/metered/a", {"x-user-id": expired}).reason == "payment-required"
    assert service.grace_used(expired, "metered") == 2
    entry = service.entry("/metered/a", status=200)
    assert (entry["decision"], entry["reason"], entry["route"]) == ("take", "grace", "metered")
    assert entry["subject"]


def test_a_first_result_begins_the_trial_and_crosses(service: Watched, person: str) -> None:
    with service.crossing(3):
        for _ in range(3):
            assert service.request("GET", "/report.csv", {"x-user-id": person}).body == CSV
    assert service.me(person)["standing"] == "trial"


def test_a_whole_result_is_asked_for(service: Watched, raw: RawApplication, expired: str) -> None:
    """Each part of it would cost one."""
    parts = {"range": "bytes=0-1", "if-range": '"1"', "if-none-match": '"1"'}
    with service.crossing(1):
        assert service.request("GET", "/metered/a", {"x-user-id": expired, **parts, "x-other": "1"}).body == CSV
    head = raw.head_of(b"/metered/a").lower()
    assert b"range" not in head and b"if-none-match" not in head and b"\r\nx-other: 1\r\n" in head


@pytest.mark.parametrize("path", ["/metered/missing", "/metered/denied"])
def test_what_is_no_result_costs_nothing(service: Watched, expired: str, path: str) -> None:
    with service.crossing(1):
        service.request("GET", path, {"x-user-id": expired})
    wait_until(lambda: service.grace_used(expired, "metered") == 0, "it is given back")


def test_what_breaks_off_costs_nothing(service: Watched, expired: str) -> None:
    with service.crossing(1), service.connect() as client:
        client.sendall(get(b"/metered/cut", of(expired)))
        assert CSV[:-5] in read_to_the_cut(client)
    wait_until(lambda: service.grace_used(expired, "metered") == 0, "it is given back")
    with service.crossing(0):
        assert service.request("GET", "/metered/closed", {"x-user-id": expired}).reason == "upstream-broken"
    wait_until(lambda: service.grace_used(expired, "metered") == 0, "it is given back")


def test_whoever_leaves_without_a_byte_has_spent_nothing(service: Watched, raw: RawApplication, expired: str) -> None:
    asked, left = threading.Event(), threading.Event()

    def wait(connection: socket.socket, _: bytes) -> None:
        asked.set()
        left.wait(DEADLINE)

    raw.answers[b"/metered/waits"] = wait
    client = service.connect()
    client.sendall(get(b"/metered/waits", of(expired)))
    assert asked.wait(DEADLINE)
    assert service.grace_used(expired, "metered") == 1
    client.close()
    wait_until(lambda: service.grace_used(expired, "metered") == 0, "it is given back")
    left.set()
    assert service.entry("/metered/waits")["status"] == 499


def test_whoever_leaves_in_the_midst_has_had_it(service: Watched, raw: RawApplication, expired: str) -> None:
    left = threading.Event()

    def half(connection: socket.socket, _: bytes) -> None:
        connection.sendall(FILE[:-5])
        left.wait(DEADLINE)

    raw.answers[b"/metered/half"] = half
    with service.crossing(1):
        client = service.connect()
        client.sendall(get(b"/metered/half", of(expired)))
        read_head(client)
        client.close()
        assert service.entry("/metered/half")["detail"] == "the client left"
        left.set()
    assert service.grace_used(expired, "metered") == 1


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 404 X\r\n", b"HTTP/1.1 503 X\r\n", b"HTTP/1.1 200 OK\r\npaywall-result: no\r\n"]
)
@pytest.mark.parametrize("method", [b"GET", b"POST"], ids=["short way", "long way"])
def test_whoever_leaves_in_the_midst_of_no_result_has_spent_nothing(
    service: Watched, raw: RawApplication, expired: str, head: bytes, method: bytes
) -> None:
    left = threading.Event()

    def half(connection: socket.socket, _: bytes) -> None:
        connection.sendall(head + b"content-length: 100\r\n\r\nhalf")
        left.wait(DEADLINE)

    raw.answers[b"/metered/none"] = half
    body = b"content-length: 2\r\n\r\nhi" if method == b"POST" else b"\r\n"
    with service.connect() as client:
        client.sendall(get(b"/metered/none", of(expired), method=method, last=False)[:-2] + body)
        read_head(client)
    assert service.entry("/metered/none", detail="the client left")
    wait_until(lambda: service.grace_used(expired, "metered") == 0, "it is given back")
    left.set()


def test_what_was_paid_for_by_number_is_taken_like_ever(service: Watched, expired: str) -> None:
    """Not by the visit that finds it, and so not on the short way."""
    prompt = service.request("GET", "/blocked/x", {"x-user-id": expired}).json()
    pay(service, expired, prompt["checkout"][1]["address"])
    with service.crossing(0):
        for left in (4, 3):
            assert service.request("GET", "/metered/a", {"x-user-id": expired}).body == CSV
            assert service.me(expired)["results_paid_for"] == left
    assert service.grace_used(expired, "metered") == 0


def test_where_no_connection_is_free_what_was_taken_goes_along(service: Watched, expired: str) -> None:
    """It is not taken a second time on the long way."""
    count = 6
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(service.connect()) for _ in range(count)]
        for client in clients:
            client.sendall(get(b"/metered/a", of(expired)))
        answers = sorted(read_to_the_cut(client).split(b" ")[1] for client in clients)
    assert answers == [b"200"] * 2 + [b"402"] * (count - 2)
    assert service.grace_used(expired, "metered") == 2


def test_what_the_gate_finds_out_anew_it_is_told(service: Watched, expired: str) -> None:
    """A refusal costs one question about the subject, not two."""
    before = service.store_calls()
    assert service.request("GET", "/blocked/x", {"x-user-id": expired}).reason == "payment-required"
    assert service.store_calls() - before == 1


def test_what_is_taken_costs_one_question(service: Watched, expired: str) -> None:
    before = service.store_calls()
    with service.crossing(1):
        assert service.request("GET", "/metered/a", {"x-user-id": expired}).status == 200
    assert service.store_calls() - before == 1


def test_on_the_long_way_too(service: Watched, raw: RawApplication, expired: str) -> None:
    raw.answers[b"/metered/posted"] = FILE
    before = service.store_calls()
    with service.crossing(0):
        assert service.request("POST", "/metered/posted", {"x-user-id": expired}, b"make it").status == 200
    assert service.store_calls() - before == 1
    assert service.grace_used(expired, "metered") == 1


class TestWithoutStore:
    @pytest.fixture
    def store(self, service: Watched) -> Iterator[int]:
        """The store's process, stopped."""
        (store,) = service.children()
        os.kill(store, signal.SIGSTOP)
        try:
            yield store
        finally:
            os.kill(store, signal.SIGCONT)
            wait_until(lambda: service.request("GET", "/_paywall/health/ready").status == 200, "it is back")

    def test_nothing_passes_that_was_not_taken(self, service: Watched, raw: RawApplication, store: int) -> None:
        before = len(raw.heads)
        told = exchange(service, get(b"/metered/a", of("somebody-new")))
        assert told.startswith(b"HTTP/1.1 503 ") and b"paywall-reason: store-unavailable" in told
        assert len(raw.heads) == before

    def test_what_may_have_been_taken_is_given_back(self, service: Watched, expired: str, store: int) -> None:
        told = exchange(service, get(b"/metered/a", of(expired)))
        assert told.startswith(b"HTTP/1.1 503 ")
        os.kill(store, signal.SIGCONT)  # now it does what it was asked, and nobody listens
        wait_until(lambda: service.request("GET", "/_paywall/health/ready").status == 200, "it is back")
        wait_until(lambda: service.grace_used(expired, "metered") == 0, "it is given back")

    def test_whoever_leaves_meanwhile_has_spent_nothing(self, service: Watched, expired: str, store: int) -> None:
        client = service.connect()
        client.sendall(get(b"/metered/a", of(expired)))
        client.close()
        os.kill(store, signal.SIGCONT)
        assert service.entry("/metered/a", status=499)["reason"] == "client-gone"
        wait_until(lambda: service.grace_used(expired, "metered") == 0, "it is given back")

    def test_a_trial_that_begins_for_somebody_who_has_left_is_told_of(
        self, service: Watched, person: str, store: int
    ) -> None:
        os.kill(store, signal.SIGCONT)
        before = began(service)
        os.kill(store, signal.SIGSTOP)
        client = service.connect()
        client.sendall(get(b"/report.csv", of(person)))
        client.close()
        service.entry("/report.csv", status=499)
        os.kill(store, signal.SIGCONT)
        wait_until(lambda: service.request("GET", "/_paywall/health/ready").status == 200, "it is back")
        wait_until(lambda: began(service) == before + 1, "the event is recorded")


def test_what_may_have_been_taken_is_given_back_before_the_end(raw: RawApplication, tmp_path: Path) -> None:
    """The gateway stops, and the store with it, while somebody's question is still unanswered."""
    with watched(raw, tmp_path) as service:
        service.request("GET", "/report.csv", {"x-user-id": "the very first"})
        service.expire("ann")
        (store,) = service.children()
        os.kill(store, signal.SIGSTOP)
        client = service.connect()
        client.sendall(get(b"/metered/a", of("ann")))
        client.close()
        service.entry("/metered/a", status=499)
        assert service.process is not None
        service.process.send_signal(signal.SIGTERM)
        os.kill(store, signal.SIGCONT)
        assert service.process.wait(DEADLINE) == 0
        assert service.grace_used("ann", "metered") == 0
