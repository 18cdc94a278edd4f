"""Clients that stay and do nothing: nobody waits for them for ever. The limits are minutes; here they are shortened."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from . import service as services
from .application import Application
from .conftest import CONFIG
from .service import DEADLINE, Service, read_to_end, wait_until

HURRIED = """
import gateway.web.exchange, gateway.wire.protocol
gateway.web.exchange.CLIENT_SECONDS = 1.0
gateway.wire.protocol.STALLED_SECONDS_LIMIT = 1.0
from gateway.cli.main import main
main()
"""


@pytest.fixture
def hurried(application: Application, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """A gateway that waits for clients a second and no longer."""
    monkeypatch.setattr(services, "COMMAND", [sys.executable, "-c", HURRIED])
    running = Service(tmp_path, CONFIG.format(upstream=application.url, data=tmp_path / "data")).start()
    yield running
    assert running.stop() == 0


def test_a_body_that_does_not_go_on_is_given_up(hurried: Service, application: Application) -> None:
    with hurried.connect() as client:
        client.sendall(b"POST /upload HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhalf ")
        try:
            answer = read_to_end(client)
        except ConnectionResetError:
            answer = b""
    assert answer == b"", "nothing is wrong with the service, so that no error of it is told"
    entry = hurried.entry("/upload")
    assert (entry["status"], entry["reason"]) == (499, "client-gone")
    assert entry["detail"] == "the client sent nothing of its body for 1 s"
    assert application.aborted.wait(DEADLINE)


def test_a_client_that_does_not_read_is_let_go(hurried: Service) -> None:
    with hurried.connect(ahead=4096) as client:
        client.sendall(b"GET /large?pieces=2000 HTTP/1.1\r\nhost: x\r\nx-user-id: ann\r\n\r\n")
        entry = hurried.entry("/large")
    assert entry["bytes"] < 2000 * 65536


@pytest.fixture
def small(application: Application, tmp_path: Path) -> Iterator[Service]:
    """A gateway with sixteen connections to its application, behind a proxy at 127.0.0.1."""
    config = CONFIG.replace("read_timeout: 3s", "read_timeout: 60s, connect_timeout: 1s, max_connections: 16")
    running = Service(tmp_path, config.format(upstream=application.url, data=tmp_path / "data")).start()
    yield running
    running.stop()


def test_whoever_asks_for_much_and_reads_nothing_keeps_nobody_else_out(small: Service) -> None:
    request = b"GET /large?pieces=2000 HTTP/1.1\r\nhost: x\r\nx-user-id: ann\r\nx-forwarded-for: 192.0.2.1\r\n\r\n"
    with ExitStack() as stack:
        for _ in range(20):
            client = stack.enter_context(small.connect(ahead=4096))
            client.sendall(request)
        same = {"x-user-id": "ann", "x-forwarded-for": "192.0.2.1"}
        wait_until(lambda: small.request("GET", "/refused", same).status == 503, "the greedy one has its share")
        refused = small.request("GET", "/refused-again", same)
        assert (refused.status, refused.header("paywall-reason")) == (503, "upstream-overloaded")
        assert "192.0.2.1 alone had 14 of the 16 connections" in small.entry("/refused-again")["detail"]
        for number in range(5):
            other = {"x-user-id": f"other-{number}", "x-forwarded-for": f"192.0.2.1, 192.0.2.{number + 10}"}
            assert small.request("GET", "/pages", other).status == 200
