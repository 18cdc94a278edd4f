"""An application at several addresses: one of them can go and come back, and no client is told."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from .application import OPEN_PAGE, Application
from .conftest import CONFIG
from .raw import RawApplication, answer
from .service import DEADLINE, Administered, Reply, wait_until

ONE = 'upstream: {{url: "{upstream}", read_timeout: 3s}}'
SEVERAL = "upstream: {{urls: [{upstream}], read_timeout: 3s, keepalive: 60s}}"
SET_ASIDE = 'paywall_upstream_set_aside{{upstream="{}"}} {}'


def before(folder: Path, *urls: str) -> Administered:
    """A gateway before these addresses."""
    assert ONE in CONFIG
    config = CONFIG.replace(ONE, SEVERAL).format(upstream=", ".join(f'"{url}"' for url in urls), data=folder / "data")
    service = Administered(folder, config)
    service.start()
    return service


@pytest.fixture
def pair() -> Iterator[tuple[Application, Application]]:
    """The application, twice."""
    first, second = Application().start(), Application().start()
    yield first, second
    first.close()
    second.close()


@pytest.fixture
def service(pair: tuple[Application, Application], tmp_path: Path) -> Iterator[Administered]:
    """A gateway before both."""
    running = before(tmp_path, *(application.url for application in pair))
    yield running
    assert running.stop() == 0


def metrics(service: Administered) -> str:
    return service.admin.request("GET", "/metrics").body.decode()


def test_one_goes_under_load_and_comes_back_and_no_client_notices(
    pair: tuple[Application, Application], service: Administered
) -> None:
    """Browsers read, on the short way and the long one, and post, while one of two is stopped and started again."""
    first, second = pair
    replies: list[Reply] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            replies.append(service.request("GET", "/page", {"x-user-id": "reader"}))

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    try:
        wait_until(lambda: first.executed["/page"] > 20 and second.executed["/page"] > 20, "both are asked")
        first.stop()
        wait_until(lambda: service.status()["upstream_set_aside"] == [first.url], "the one that is gone is set aside")
        assert SET_ASIDE.format(first.url, "1.0") in metrics(service)
        assert SET_ASIDE.format(second.url, "0.0") in metrics(service)
        for number in range(5):
            posted = service.request("POST", f"/echo/{number}", {"x-user-id": "poster"}, b"the body")
            assert posted.status == 200 and posted.body.endswith(b"the body")
        first.restart()
        asked = first.executed["/page"]
        wait_until(lambda: first.executed["/page"] > asked + 20, "it takes its turn again")
    finally:
        done.set()
        for reader in readers:
            reader.join(DEADLINE)
    assert Counter((reply.status, reply.body) for reply in replies) == {(200, OPEN_PAGE): len(replies)}
    assert service.status()["upstream_set_aside"] == []
    assert service.status()["upstream"] == f"{first.url}, {second.url}"
    said = [line for line in service.messages if first.url in line and "upstream" in line]
    assert ["set aside" in line for line in said] == [True, False] and "is back" in said[-1]


def test_a_result_that_counts_is_made_once_wherever_it_is_made(
    pair: tuple[Application, Application], service: Administered, person: str
) -> None:
    first, second = pair
    service.expire(person)
    first.stop()
    for number in range(1, 3):
        reply = service.request("POST", "/metered/made", {"x-user-id": person}, b"make it")
        assert (reply.status, reply.body) == (200, OPEN_PAGE)
        assert (first.executed["/metered/made"], second.executed["/metered/made"]) == (0, number)
        assert service.grace_used(person, "metered") == number
    assert service.request("POST", "/metered/made", {"x-user-id": person}, b"make it").status == 402
    assert second.executed["/metered/made"] == 2


def test_a_result_whose_making_broke_off_is_not_made_elsewhere(tmp_path: Path, person: str) -> None:
    first, second = RawApplication(), RawApplication()
    for each in (first, second):
        each.answers[b"/reports/made"] = lambda connection, head: None
    service = before(tmp_path, first.url, second.url)
    try:
        for number in range(1, 5):
            reply = service.request("POST", "/reports/made", {"x-user-id": person}, b"make it")
            assert (reply.status, reply.reason) == (502, "upstream-broken")
            assert len(first.heads) + len(second.heads) == number
        assert len(first.heads) == len(second.heads) == 2
    finally:
        assert service.stop() == 0
        first.close()
        second.close()


async def test_websockets_go_where_the_application_is(
    pair: tuple[Application, Application], service: Administered, person: str
) -> None:
    first, second = pair
    timeout = aiohttp.ClientTimeout(total=DEADLINE)
    async with aiohttp.ClientSession(service.address, headers={"x-user-id": person}, timeout=timeout) as client:
        for _ in range(2):
            async with client.ws_connect("/open/socket") as peer:
                await peer.send_str("hello")
                assert await peer.receive_str(timeout=DEADLINE) == "echo hello"
        assert (first.executed["/open/socket"], second.executed["/open/socket"]) == (1, 1)
        second.stop()
        for _ in range(4):
            async with client.ws_connect("/open/socket") as peer:
                await peer.send_str("hello")
                assert await peer.receive_str(timeout=DEADLINE) == "echo hello"
        assert first.executed["/open/socket"] == 5


def test_a_reload_keeps_the_connections_to_addresses_that_stay(tmp_path: Path) -> None:
    stays, goes, comes = RawApplication(), RawApplication(), RawApplication()
    for each, name in ((stays, b"stays"), (goes, b"goes"), (comes, b"comes")):
        each.answers[b"/who"] = answer(body=name)
    service = before(tmp_path, stays.url, goes.url)
    try:
        assert {service.request("GET", "/who").body for _ in range(4)} == {b"stays", b"goes"}
        service.change(goes.url, comes.url)
        wait_until(lambda: service.said("the new config is in force"), "the config is taken")
        asked = len(goes.heads)
        assert {service.request("GET", "/who").body for _ in range(4)} == {b"stays", b"comes"}
        assert len(goes.heads) == asked
        assert (stays.connections, comes.connections) == (1, 1)
    finally:
        assert service.stop() == 0
        for each in (stays, goes, comes):
            each.close()
