"""Fifty at once: nobody gets more than was allowed, and nothing is spent that was not delivered."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import pytest

from .application import CSV, OPEN_PAGE, Application
from .conftest import CONFIG
from .service import Reply, Service, leave, pay, wait_until

T = TypeVar("T")
CROWD = 50


@pytest.fixture(scope="module")
def service(application: Application, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A gateway that waits for its application as long as these tests do."""
    folder = tmp_path_factory.mktemp("gateway")
    config = CONFIG.format(upstream=application.url, data=folder).replace("read_timeout: 3s", "read_timeout: 60s")
    running = Service(folder, config).start()
    yield running
    assert running.stop() == 0


def at_once(count: int, act: Callable[[int], T]) -> list[T]:
    """Do this so many times at the same moment."""
    start = threading.Barrier(count)

    def begin(number: int) -> T:
        start.wait()
        return act(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(begin, range(count)))


def test_a_crowd_gets_exactly_what_is_free(service: Service, expired: str) -> None:
    headers = {"x-user-id": expired}
    replies = at_once(CROWD, lambda _: service.request("GET", "/metered/report.csv", headers))
    assert sorted(reply.status for reply in replies) == [200] * 2 + [402] * (CROWD - 2)
    assert service.grace_used(expired, "metered") == 2


def test_who_left_without_a_byte_has_spent_nothing(service: Service, application: Application, expired: str) -> None:
    request = f"GET /metered/waits HTTP/1.1\r\nhost: x\r\nx-user-id: {expired}\r\nconnection: close\r\n\r\n".encode()
    before = application.executed["/metered/waits"]
    connections = [service.connect() for _ in range(CROWD)]
    at_once(CROWD, lambda number: connections[number].sendall(request))
    wait_until(lambda: application.waiting == 2, "two are at the application")
    wait_until(lambda: _logged(service, "/metered/waits", status=402) == CROWD - 2, "the others were told")
    assert application.executed["/metered/waits"] == before + 2
    at_once(CROWD, lambda number: leave(connections[number]))
    wait_until(lambda: service.grace_used(expired, "metered") == 0, "both are given back")
    statuses = [service.request("GET", "/metered/x", {"x-user-id": expired}).status for _ in range(3)]
    assert statuses == [200, 200, 402]


def test_in_a_crowd_that_half_leaves_what_is_spent_was_delivered(service: Service, expired: str) -> None:
    request = f"GET /metered/half HTTP/1.1\r\nhost: x\r\nx-user-id: {expired}\r\n\r\n".encode()

    def act(number: int) -> Reply | None:
        if number % 2:
            return service.request("GET", "/metered/half", {"x-user-id": expired})
        connection = service.connect()
        connection.sendall(request)
        leave(connection)
        return None

    replies = [reply for reply in at_once(CROWD, act) if reply is not None]
    received = sum(reply.status == 200 for reply in replies)
    assert received <= 2 and {reply.status for reply in replies} <= {200, 402}
    # A request whose client is gone before it was read leaves no trace; all others leave their line.
    wait_until(lambda: service.request("GET", "/metered/half", {"x-user-id": expired}).status == 402, "it is used up")

    def is_settled() -> bool:
        delivered = _logged(service, "/metered/half", status=200, reason="grace", bytes=len(OPEN_PAGE))
        return delivered == service.grace_used(expired, "metered") == 2

    wait_until(is_settled, "two were delivered and two are spent")


def test_a_crowd_that_fails_leaves_everything(service: Service, application: Application, expired: str) -> None:
    replies = at_once(CROWD, lambda _: service.request("GET", "/fails", {"x-user-id": expired}))
    # While another one has the last result in its hands, there is none; nobody is let in on credit.
    assert {500} <= {reply.status for reply in replies} <= {500, 402}
    wait_until(lambda: service.grace_used(expired, "fails") == 0, "nothing is spent on failures")


def test_pressing_pay_many_times_pays_once(service: Service, expired: str) -> None:
    headers = {"x-user-id": expired}
    prompt = service.request("POST", "/blocked/x", headers)
    begun = service.request("POST", prompt.json()["checkout"][1]["address"], headers)
    page = begun.header("location")
    replies = at_once(20, lambda _: service.request("POST", page, headers, b"choice=pay"))
    assert {reply.status for reply in replies} == {303}
    assert len(service.ledger(expired)) == 1
    assert service.me(expired)["results_paid_for"] == 5


def test_beginning_many_checkouts_from_one_offer_pays_once(service: Service, expired: str) -> None:
    headers = {"x-user-id": expired}
    address = service.request("POST", "/blocked/x", headers).json()["checkout"][1]["address"]
    begun = at_once(20, lambda _: service.request("POST", address, headers))
    pages = {reply.header("location") for reply in begun}
    orders = [json.loads(base64.urlsafe_b64decode(parse_qs(urlsplit(page).query)["order"][0])) for page in pages]
    assert {reply.status for reply in begun} == {303} and len({order["reference"] for order in orders}) == 1
    assert service.request("POST", pages.pop(), headers, b"choice=pay").status == 303
    assert service.request("POST", address, headers).json()["outcome"] == "already-paid"
    assert len(service.ledger(expired)) == 1


def test_taking_a_result_many_times_costs_one_credit(service: Service, expired: str) -> None:
    headers = {"x-user-id": expired}
    holds = [service.request("GET", f"/reports/{name}", headers).json()["hold"]["release"] for name in "ab"]
    blocked = service.request("POST", "/blocked/x", headers).json()
    pay(service, expired, blocked["checkout"][0]["address"])
    assert service.me(expired)["results_paid_for"] == 1
    replies = at_once(20, lambda number: service.request("GET", holds[0], headers))
    assert {reply.status for reply in replies} == {200}
    assert service.me(expired)["results_paid_for"] == 0
    assert service.request("GET", holds[1], headers).status == 402


def test_one_credit_opens_one_of_two_results(service: Service, expired: str) -> None:
    headers = {"x-user-id": expired}
    holds = [service.request("GET", f"/reports/{name}", headers).json()["hold"]["release"] for name in "ab"]
    blocked = service.request("POST", "/blocked/x", headers).json()
    pay(service, expired, blocked["checkout"][0]["address"])
    replies = at_once(20, lambda number: (holds[number % 2], service.request("GET", holds[number % 2], headers)))
    assert len({hold for hold, reply in replies if reply.status == 200}) == 1
    assert sorted(reply.status for _, reply in replies) == [200] * 10 + [402] * 10


def test_the_same_result_asked_for_many_times_is_kept_within_the_limits(service: Service, expired: str) -> None:
    replies = at_once(20, lambda _: service.request("GET", "/report.csv", {"x-user-id": expired}))
    assert {reply.reason for reply in replies} <= {"result-held", "hold-limit-reached"}
    assert not any(CSV in reply.body for reply in replies)
    assert 1 <= len(service.me(expired)["holds"]) <= 4


def _logged(service: Service, path: str, **fields: Any) -> int:
    return sum(
        entry["path"] == path and all(entry[name] == value for name, value in fields.items())
        for entry in service.entries()
    )
