"""Where the trial starts with the first result, whatever may be a result starts it: no spelling makes it endless."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .conftest import CONFIG
from .raw import RawApplication, answer
from .service import Service, read_head, running, wait_until
from .test_sockets import HANDSHAKE

RESULT = answer(b"content-type: text/csv", body=b"the result")
TARGETS = ["/x/../report.csv", "//report.csv", "/report%2Ecsv", "/report.csv;x", "/./report.csv", "/REPORT.csv", "/x#y"]


@pytest.fixture(scope="module")
def service(raw: RawApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A gateway whose trials are over a second after the first result."""
    folder = tmp_path_factory.mktemp("gateway")
    config = CONFIG.format(upstream=raw.url, data=folder)
    trial = "{length: 14d, starts: first-visit}"
    assert trial in config
    with running(folder, config.replace(trial, "{length: 1s, starts: first-result}")) as service:
        yield service


def ask(service: Service, target: str, person: str) -> bytes:
    request = f"GET {target} HTTP/1.1\r\nhost: x\r\nx-user-id: {person}\r\nconnection: close\r\n\r\n"
    return service.raw(request.encode())


@pytest.mark.parametrize("target", TARGETS)
def test_an_ambiguous_target_starts_it(service: Service, raw: RawApplication, person: str, target: str) -> None:
    raw.answers[target.encode()] = RESULT
    assert ask(service, target, person).endswith(b"the result")
    assert service.me(person)["trial_ends"] is not None
    wait_until(lambda: ask(service, target, person).split(b" ")[1] in (b"402", b"308"), "the trial is over")


def test_a_socket_by_an_ambiguous_target_starts_it(service: Service, raw: RawApplication, person: str) -> None:
    raw.answers[b"/x/../socket"] = answer(status=b"404 Not Found")
    with service.connect() as client:
        client.sendall(HANDSHAKE.format(path="/x/../socket", person=person).encode())
        assert read_head(client)[0].startswith(b"HTTP/1.1 404 ")
    assert service.me(person)["trial_ends"] is not None


def test_browsing_by_plain_addresses_does_not(service: Service, raw: RawApplication, person: str) -> None:
    raw.answers[b"/any/page"] = RESULT
    for _ in range(3):
        assert ask(service, "/any/page", person).endswith(b"the result")
    assert service.me(person)["trial_ends"] is None
