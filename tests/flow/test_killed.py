"""A gateway that is killed between taking a result and delivering it: nobody pays for what they did not get."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.cli.store_access import with_store
from gateway.core.subject import Subject, SubjectKind
from gateway.settings.load import load_settings
from tests.store.servers import KEEPING, serving

from .application import Application
from .conftest import CONFIG
from .service import Service, wait_until

ANN = {"x-user-id": "ann"}
GET = b"GET %s HTTP/1.1\r\nhost: a.example\r\nx-user-id: ann\r\n\r\n"
POST = b"POST %s HTTP/1.1\r\nhost: a.example\r\nx-user-id: ann\r\ncontent-length: 2\r\n\r\nhi"


@pytest.fixture
def service(application: Application, tmp_path: Path) -> Iterator[Service]:
    """A gateway of the test's own, before which Ann stands, whose trial is over and who has paid for one result."""
    one = Service(tmp_path, CONFIG.format(upstream=application.url, data=tmp_path / "data")).start()
    one.expire("ann")
    _grant(one)
    yield one
    one.stop()


def _grant(service: Service) -> None:
    subject = Subject(SubjectKind.PERSON, "ann")
    settings = load_settings(service.config).settings
    with_store(settings, lambda store: store.operations.grant(subject, "gift", 0, 1))


def _credits(service: Service) -> int:
    return int(service.me("ann")["results_paid_for"])


@pytest.mark.parametrize(
    ("head", "path"), [(GET, b"/reports/waits"), (POST, b"/reports/waits")], ids=["without a body", "with one"]
)
def test_a_credit_comes_back_with_the_next_start(
    service: Service, application: Application, head: bytes, path: bytes
) -> None:
    assert service.process is not None
    with service.connect() as client:
        client.sendall(head % path)
        wait_until(lambda: application.waiting == 1, "the application works on it")
        assert _credits(service) == 0
        service.process.kill()
        service.process.wait()
    application.let_go_on()
    again = Service(service.folder, service.config.read_text()).start()
    try:
        wait_until(lambda: _credits(again) == 1, "it is given back")
        assert service.folder.joinpath("data", "taken").is_dir()
        assert again.request("GET", "/reports/7", ANN).status == 200
        assert _credits(again) == 0
    finally:
        again.stop()
    assert list((service.folder / "data" / "taken").iterdir()) == []


def test_a_grace_result_comes_back_and_one_that_was_delivered_does_not(
    service: Service, application: Application
) -> None:
    assert service.process is not None
    service.request("GET", "/reports/7", ANN)  # the credit
    assert service.request("GET", "/metered/1", ANN).status == 200
    with service.connect() as client:
        client.sendall(GET % b"/metered/waits")
        wait_until(lambda: application.waiting == 1, "the application works on it")
        assert service.grace_used("ann", "metered") == 2
        service.process.kill()
        service.process.wait()
    application.let_go_on()
    again = Service(service.folder, service.config.read_text()).start()
    try:
        wait_until(lambda: again.grace_used("ann", "metered") == 1, "it is given back")
        assert again.request("GET", "/metered/2", ANN).status == 200
        assert again.request("GET", "/metered/3", ANN).status == 402
    finally:
        again.stop()


def test_of_several_workers_the_next_gives_back_what_the_killed_one_had_taken(
    application: Application, tmp_path: Path
) -> None:
    config = CONFIG.format(upstream=application.url, data=tmp_path / "data")
    several = Service(tmp_path, config)
    several._arguments += ("--workers", "2")
    several.start()
    try:
        several.expire("ann")
        _grant(several)
        with several.connect() as client:
            client.sendall(GET % b"/reports/waits")
            wait_until(lambda: application.waiting == 1, "the application works on it")
            worker = _whose(client.getsockname()[1], several)
            os.kill(worker, signal.SIGKILL)
            assert client.recv(100) == b""
        application.let_go_on()
        wait_until(lambda: _credits(several) == 1, "it is given back")
    finally:
        several.stop()


def test_what_was_taken_in_one_store_is_not_given_back_in_another(application: Application, tmp_path: Path) -> None:
    with serving("valkey", tmp_path / "one", *KEEPING) as one, serving("valkey", tmp_path / "other", *KEEPING) as other:
        config = CONFIG.format(upstream=application.url, data=tmp_path / "data") + "secret: {env: KEY}\n"
        places = [f'{config}store: "unix://{each.socket}"\n' for each in (one, other)]
        key = {"KEY": "k" * 40}
        first = Service(tmp_path, places[0], environment=key).start()
        first.expire("ann")
        with first.connect() as client:
            client.sendall(GET % b"/metered/waits")
            wait_until(lambda: application.waiting == 1, "the application works on it")
            assert first.process is not None
            first.process.kill()
            first.process.wait()
        application.let_go_on()
        stranger = Service(tmp_path, places[1], environment=key).start()
        words = "what was taken in another store by 1 process(es) that ended is not given back"
        wait_until(lambda: any(words in line for line in list(stranger.messages)), "it is told")
        assert stranger.stop() == 0
        assert b"ann" not in b"".join(other.do("KEYS", "*"))
        again = Service(tmp_path, places[0], environment=key).start()
        wait_until(lambda: again.grace_used("ann", "metered") == 0, "where it was taken it is given back")
        assert again.stop() == 0
        assert list((tmp_path / "data" / "taken").iterdir()) == []


def _whose(port: int, service: Service) -> int:
    """The process at the other end of the connection from this port."""
    for child in service.children():
        connections = Path(f"/proc/{child}/net/tcp").read_text().splitlines()
        inodes = {line.split()[9] for line in connections if line.split()[2].endswith(f":{port:04X}")}
        for descriptor in Path(f"/proc/{child}/fd").iterdir():
            if os.path.exists(descriptor) and os.readlink(descriptor) in {f"socket:[{inode}]" for inode in inodes}:
                return child
    raise AssertionError(f"no worker has the connection from port {port}")
