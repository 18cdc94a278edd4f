"""What nobody waits for is let go: after an error of our own, and for a client that fell silent or does not read."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import CONFIG
from .raw import RawApplication, answer, endless, staying
from .service import DEADLINE, Service, read_head, read_to_end, running

HALF = b"HTTP/1.1 200 OK\r\ncontent-type: text/csv\r\ncontent-length: 100\r\n\r\nhalf of it"

BEFORE_THE_HEAD = """
from gateway.web import passage

def kept_private(*_):
    raise RuntimeError("broken by the test")

passage.kept_private = kept_private
"""
WITHIN_THE_BODY = """
from gateway.web.exchange import Exchange

async def send_body(*_, **__):
    raise RuntimeError("broken by the test")

Exchange.send_body = send_body
"""
HURRIED = """
from gateway.web import exchange
from gateway.wire import protocol

exchange.CLIENT_SECONDS = protocol.STALLED_SECONDS_LIMIT = 0.3
"""


@pytest.mark.parametrize(
    ("fault", "status"), [(BEFORE_THE_HEAD, 500), (WITHIN_THE_BODY, 200)], ids=["before the head", "within the body"]
)
def test_an_error_of_our_own_lets_the_application_go(
    raw: RawApplication, tmp_path: Path, fault: str, status: int
) -> None:
    ended = threading.Event()
    raw.answers[b"/report.csv"] = staying(HALF, ended)
    config = CONFIG.format(upstream=raw.url, data=tmp_path / "data")
    with running(tmp_path, config, fault) as service, service.connect() as client:
        client.sendall(b"GET /report.csv HTTP/1.1\r\nhost: x\r\nx-user-id: on-trial\r\n\r\n")
        assert ended.wait(DEADLINE), "the application's connection is held although nobody reads its answer"
        assert service.entry("/report.csv", reason="internal")["status"] == status


@pytest.fixture(scope="module")
def service(raw: RawApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A gateway with little patience for clients."""
    folder = tmp_path_factory.mktemp("gateway")
    with running(folder, CONFIG.format(upstream=raw.url, data=folder), HURRIED) as hurried:
        yield hurried


def upload(target: bytes, person: str) -> bytes:
    """The head of an upload and half of its body."""
    lines = [b"POST " + target + b" HTTP/1.1", b"host: x", b"x-user-id: " + person.encode(), b"content-length: 100"]
    return b"\r\n".join([*lines, b"", b"half of it"])


@pytest.mark.parametrize("target", [b"/upload", b"/metered/upload"], ids=["open", "result"])
def test_an_upload_whose_client_falls_silent_is_ended(
    service: Service, raw: RawApplication, expired: str, target: bytes
) -> None:
    ended = threading.Event()
    raw.answers[target] = staying(b"", ended)
    with service.connect() as client:
        client.sendall(upload(target, expired))
        assert ended.wait(DEADLINE), "the application goes on waiting for a body that does not come"
        assert read_to_end(client) == b"", "there is nobody to tell"
    entry = service.entry(target.decode(), reason="client-gone")
    assert entry["status"] == 499 and entry["detail"].startswith("the client sent nothing of its body for ")
    assert service.grace_used(expired, "metered") == 0


def test_an_answer_under_way_to_a_client_that_falls_silent_is_cut(
    service: Service, raw: RawApplication, person: str
) -> None:
    ended = threading.Event()
    raw.answers[b"/duplex"] = staying(HALF, ended)
    with service.connect() as client:
        client.sendall(upload(b"/duplex", person))
        assert read_head(client)[0].startswith(b"HTTP/1.1 200 ")
        assert ended.wait(DEADLINE)
        read_to_the_cut(client)
    assert service.entry("/duplex")["detail"].startswith("the client sent nothing of its body for ")


def test_a_client_that_does_not_read_is_let_go(service: Service, raw: RawApplication, person: str) -> None:
    ended = threading.Event()
    raw.answers[b"/large"] = endless(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000000\r\n\r\n", ended)
    with service.connect(ahead=65536) as client:
        client.sendall(b"GET /large HTTP/1.1\r\nhost: x\r\nx-user-id: " + person.encode() + b"\r\n\r\n")
        assert ended.wait(DEADLINE), "the application's connection is held for somebody who does not read"
        read_to_the_cut(client)
    assert service.entry("/large")["bytes"] < 10**9


def test_a_client_that_does_its_part_is_not_hurried(service: Service, raw: RawApplication, person: str) -> None:
    """The silence of another one, cut off meanwhile, shows that the time has passed for both."""
    begun, goes_on, ended = threading.Event(), threading.Event(), threading.Event()

    def script(connection: socket.socket, _: bytes) -> None:
        begun.set()
        assert goes_on.wait(DEADLINE)
        connection.sendall(answer(body=b"at last"))

    raw.answers[b"/slow-application"], raw.answers[b"/upload"] = script, staying(b"", ended)
    with service.connect() as patient, service.connect() as silent:
        patient.sendall(upload(b"/slow-application", person) + b"x" * 90)
        assert begun.wait(DEADLINE)
        silent.sendall(upload(b"/upload", person))
        assert read_to_end(silent) == b"" and ended.wait(DEADLINE)
        goes_on.set()
        head, body = read_head(patient)
        assert head.startswith(b"HTTP/1.1 200 ") and body == b"at last"


def read_to_the_cut(client: socket.socket) -> None:
    """Read until the connection ends, in order or with a reset."""
    with contextlib.suppress(ConnectionError):
        read_to_end(client)
