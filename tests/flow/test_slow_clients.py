"""Clients that stay and do nothing: nobody waits for them for ever. The limits are minutes; here they are shortened."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import service as services
from .application import Application
from .conftest import CONFIG
from .service import DEADLINE, Service, read_to_end

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
