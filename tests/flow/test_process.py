"""The gateway's process: how it ends, what it finishes before, and what it leaves behind, which is nothing."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from .application import CSV, Application
from .conftest import CONFIG
from .service import COMMAND, DEADLINE, Service, alive, read_head, read_to_end, wait_until

WAITS = b"GET /any/waits HTTP/1.1\r\nhost: x\r\n\r\n"


@pytest.fixture
def service(application: Application, tmp_path: Path) -> Iterator[Service]:
    """A gateway that a test ends in its own way."""
    config = CONFIG.format(upstream=application.url, data=tmp_path / "data")
    # Longer than any test here waits: else a request would end by itself, and no signal would have been needed.
    running = Service(tmp_path, config.replace("read_timeout: 3s", "read_timeout: 60s")).start()
    yield running
    assert running.process is not None
    if running.process.poll() is None:
        running.process.kill()
        running.process.wait()


def test_told_to_stop_it_finishes_what_is_under_way(service: Service, application: Application) -> None:
    assert service.process is not None
    (store,) = service.children()
    with service.connect() as client, service.connect() as idle:
        client.sendall(WAITS)
        wait_until(lambda: application.waiting == 1, "the request is under way")
        service.process.send_signal(signal.SIGTERM)
        assert idle.recv(1) == b"", "an idle connection is closed"
        with pytest.raises(subprocess.TimeoutExpired):
            service.process.wait(1.0)  # one that does not wait for the request is gone by then
        assert alive(store)
        application.let_go_on()
        assert CSV in read_to_end(client)
    assert service.process.wait(DEADLINE) == 0
    assert not alive(store)
    wait_until(lambda: "paywall: stopped\n" in service.messages, "it says that it stopped")
    assert service.entry("/any/waits")["status"] == 200


# Each as it begins to start, when it serves no more, and when it is about to end its store.
EARLY_AND_LATE = """
import signal
from gateway.cli import run, serving

def told(real):
    def work(*given):
        for number in (signal.SIGHUP, signal.SIGUSR1):
            signal.raise_signal(number)
        return real(*given)

    return work

serving.find_secret, serving.EmbeddedStore.stop = told(serving.find_secret), told(serving.EmbeddedStore.stop)
run.say = told(run.say)
"""


def test_what_is_asked_too_early_or_too_late_does_not_end_it(application: Application, tmp_path: Path) -> None:
    config = CONFIG.format(upstream=application.url, data=tmp_path / "data")
    service = Service(tmp_path, config, beforehand=EARLY_AND_LATE).start()
    (store,) = service.children()
    assert service.stop() == 0
    wait_until(lambda: "paywall: stopped\n" in service.messages, "it says that it stopped")
    assert not alive(store)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_twice_it_stops_at_once(service: Service, application: Application, number: signal.Signals) -> None:
    assert service.process is not None
    (store,) = service.children()
    with service.connect() as client, service.connect() as idle:
        client.sendall(WAITS)
        wait_until(lambda: application.waiting == 1, "the request is under way")
        service.process.send_signal(number)
        assert idle.recv(1) == b""
        service.process.send_signal(number)
        assert service.process.wait(DEADLINE / 2) == 0
    assert not alive(store)
    wait_until(lambda: application.waiting == 0, "the application was told")


def test_killed_it_leaves_no_store_behind_and_begins_again_where_it_was(service: Service) -> None:
    assert service.process is not None
    service.expire("ann")
    held = service.request("GET", "/report.csv", {"x-user-id": "ann"}).json()["hold"]["release"]
    (store,) = service.children()
    service.process.kill()
    service.process.wait()
    wait_until(lambda: not alive(store), "the store ends with its gateway")
    again = Service(service.folder, service.config.read_text()).start()
    try:
        assert again.request("GET", held, {"x-user-id": "ann"}).status == 402
        assert again.me("ann")["standing"] == "expired"
    finally:
        again.stop()


def test_a_hangup_does_not_stop_it(service: Service) -> None:
    assert service.process is not None
    service.process.send_signal(signal.SIGHUP)
    assert service.request("GET", "/any").status == 200
    assert service.stop() == 0
    assert "paywall: stopped\n" in service.messages


def test_events_stop_quietly_when_nobody_reads_on(service: Service) -> None:
    service.expire("bob")
    service.request("GET", "/report.csv", {"x-user-id": "bob"})
    read, write = os.pipe()
    command = [*COMMAND, "events", "--config", str(service.config), "--follow"]
    process = subprocess.Popen(command, stdout=write, stderr=subprocess.PIPE, cwd=service.folder)
    os.close(write)
    with os.fdopen(read) as lines:
        assert lines.readline().startswith('{"position"')
    service.request("GET", "/reports/more", {"x-user-id": "bob"})  # the next event finds the pipe closed
    try:
        _, messages = process.communicate(timeout=DEADLINE)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, messages) == (0, b"")


def test_a_stream_under_way_is_not_cut_by_the_first_signal(service: Service, application: Application) -> None:
    assert service.process is not None
    with service.connect() as client:
        client.sendall(b"GET /any/letters HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        received = read_head(client)[1]
        while b"data: a" not in received:
            received += client.recv(65536)
        service.process.send_signal(signal.SIGTERM)
        for letter in (b"b", b"c"):
            wait_until(lambda: application.waiting == 1, "the application waits for the test")
            application.let_go_on()
            while b"data: " + letter not in received:
                received += client.recv(65536)
        wait_until(lambda: application.waiting == 1, "the application waits for the test")
        application.let_go_on()
        received += read_to_end(client)
        assert received.endswith(b"0\r\n\r\n")
    assert service.process.wait(DEADLINE) == 0
