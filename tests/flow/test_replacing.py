"""SIGUSR1: other workers take the places of those that serve, one after the other, and nobody notices."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from .application import CSV, OPEN_PAGE, Application
from .service import DEADLINE, Service, alive, read_to_end, wait_until
from .test_workers import NEW_ROUTE, NONE_STARTS_AGAIN, WAITS, Crew, crew, service

__all__ = ["service"]
REPLACED = "all workers have been replaced"


def replace(service: Service) -> None:
    assert service.process is not None
    service.process.send_signal(signal.SIGUSR1)


def test_others_take_their_places_and_finish_nothing_of_theirs(service: Crew, application: Application) -> None:
    assert service.process is not None
    before = service.pids()
    clients = [theirs[0] for theirs in service.connections().values()]
    for client in clients:
        client.sendall(WAITS)
    wait_until(lambda: application.waiting == 2, "the requests are under way")
    replace(service)
    wait_until(lambda: service.said(REPLACED), "it is told")
    assert len(service.pids()) == 2 and not set(before) & set(service.pids()) and service.whole()
    assert all(map(alive, before)), "they wait for their requests"
    assert service.request("GET", "/any").body == OPEN_PAGE
    application.let_go_on()
    assert all(CSV in read_to_end(client) for client in clients)
    wait_until(lambda: not any(map(alive, before)), "and end")
    assert not service.said("starting another"), "nobody has missed them"


def test_told_again_and_again_they_are_replaced_once_more(service: Crew) -> None:
    noted = "when that is done, all are replaced once more"

    def tell() -> bool:
        replace(service)
        return sum(noted in line for line in list(service.messages)) > 2

    wait_until(tell, "it is told")
    wait_until(lambda: sum(REPLACED in line for line in list(service.messages)) == 2, "twice", 2 * DEADLINE)
    before = service.pids()
    service.change("routes:\n", NEW_ROUTE)
    wait_until(lambda: service.said("the new config is in force"), "no third time holds up a new config")
    assert service.pids() == before and service.whole()


def test_counters_never_fall_and_a_new_config_holds_meanwhile(service: Crew, application: Application) -> None:
    for _ in range(20):
        service.request("GET", "/any")
    wait_until(lambda: service.metric("paywall_decisions_total") == 20, "all requests are counted")
    client = service.connect()
    client.sendall(WAITS)
    wait_until(lambda: application.waiting == 1, "one worker can't end yet")
    before = service.pids()
    replace(service)
    wait_until(lambda: service.said(REPLACED), "it is told")
    assert service.metric("paywall_decisions_total") >= 20
    service.expire("ann")
    service.change("routes:\n", NEW_ROUTE)
    wait_until(lambda: service.said("the new config is in force"), "the config is taken although one is leaving")
    assert service.gates("/newly/made", "ann")
    application.let_go_on()
    assert CSV in read_to_end(client)
    wait_until(lambda: not any(map(alive, before)), "the old ones have ended")
    assert service.metric("paywall_decisions_total") >= 20


def test_those_that_serve_go_on_when_no_other_can_start(application: Application, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    service = crew(tmp_path, application, NONE_STARTS_AGAIN.format(broken=str(broken)))
    service.start()
    try:
        before = service.pids()
        broken.touch()
        replace(service)
        words = "worker 1 was not replaced: the gateway can't start: broken by the test; the workers that serve go on"
        wait_until(lambda: service.said(words), "it is told")
        assert service.pids() == before and service.whole()
        broken.unlink()
        replace(service)
        wait_until(lambda: service.said(REPLACED), "the next time they are")
        assert not set(before) & set(service.pids())
    finally:
        assert service.stop() == 0


def test_told_to_stop_while_one_is_leaving_all_end(service: Crew, application: Application) -> None:
    assert service.process is not None
    clients = [theirs[0] for theirs in service.connections().values()]
    for client in clients:
        client.sendall(WAITS)
    wait_until(lambda: application.waiting == 2, "the requests are under way")
    before = service.pids()
    replace(service)
    wait_until(lambda: service.said(REPLACED), "both are leaving")
    service.process.send_signal(signal.SIGTERM)
    wait_until(lambda: len(service.children()) == 3, "the new ones have nothing to wait for")
    assert all(map(alive, before)), "the old ones have, and one signal more is not the second for them"
    application.let_go_on()
    assert all(CSV in read_to_end(client) for client in clients)
    assert service.process.wait(DEADLINE) == 0


def test_told_twice_those_that_are_leaving_end_at_once_too(service: Crew, application: Application) -> None:
    assert service.process is not None
    client = service.connect()
    client.sendall(WAITS)
    wait_until(lambda: application.waiting == 1, "the request is under way")
    replace(service)
    wait_until(lambda: service.said(REPLACED), "one is leaving")
    service.process.send_signal(signal.SIGTERM)
    wait_until(lambda: len(service.children()) == 2, "it is left, and the store")
    service.process.send_signal(signal.SIGTERM)
    assert service.process.wait(DEADLINE / 2) == 0
    wait_until(lambda: application.waiting == 0, "the application was told")


@pytest.fixture
def alone(application: Application, tmp_path: Path) -> Iterator[Service]:
    running = crew(tmp_path, application)
    running.config.write_text(running.config.read_text().replace("workers: 2\n", ""))
    running.start()
    yield running
    assert running.stop() == 0


def test_one_that_serves_alone_says_that_it_can_not(alone: Crew) -> None:
    replace(alone)
    wait_until(lambda: alone.said("one process serves, which can't be replaced while it runs"), "it is told")
    assert alone.request("GET", "/any").body == OPEN_PAGE


LITTLE_PATIENCE = """
import sys
from gateway.cli import crew
crew.DRAIN_SECONDS = crew.CLOSING_SECONDS = 0.5
"""


def test_one_that_is_frozen_does_not_stay_for_ever(application: Application, tmp_path: Path) -> None:
    service = crew(tmp_path, application, LITTLE_PATIENCE)
    service.start()
    try:
        frozen = service.pids()[0]
        os.kill(frozen, signal.SIGSTOP)
        replace(service)
        wait_until(lambda: service.said(REPLACED), "others have taken their places")
        wait_until(lambda: not alive(frozen), "it is ended once its requests have had their time")
        assert service.whole() and not service.said("starting another")
    finally:
        assert service.stop() == 0


# Slowly, so that two signals to one worker are two: those that it has not heard yet become one.
STOPPED_AS_THE_OTHER_BEGINS = """
import sys
if "gateway.cli.worker" not in sys.orig_argv:
    import signal, time
    from gateway.cli import crew, worker_process
    begin, take_in, begun = worker_process.WorkerProcess.begin.__func__, crew.Crew._take_in, []

    async def begin_and_be_stopped(kind, *parts):
        worker = await begin(kind, *parts)
        begun.append(worker)
        if len(begun) == 3:
            signal.raise_signal(signal.SIGTERM)
        return worker

    def take_in_slowly(*parts):
        time.sleep(0.5)
        take_in(*parts)

    worker_process.WorkerProcess.begin = classmethod(begin_and_be_stopped)
    crew.Crew._take_in = take_in_slowly
"""


def test_told_to_stop_just_when_the_other_serves_the_first_is_told_once(
    application: Application, tmp_path: Path
) -> None:
    service = crew(tmp_path, application, STOPPED_AS_THE_OTHER_BEGINS)
    service.start()
    assert service.process is not None
    clients = [theirs[0] for theirs in service.connections().values()]
    for client in clients:
        client.sendall(WAITS)
    wait_until(lambda: application.waiting == 2, "the requests are under way")
    before = service.pids()
    replace(service)
    wait_until(lambda: len(service.children()) == 3, "the successor has nothing to wait for")
    assert all(map(alive, before)), "the others have"
    application.let_go_on()
    assert all(CSV in read_to_end(client) for client in clients)
    for client in service.clients:
        client.close()
    assert service.process.wait(DEADLINE) == 0
    assert not service.said(REPLACED)
