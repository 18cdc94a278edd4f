"""`paywall doctor`, as somebody meets it whose gateway does not do what it should; and what `run` says of its store."""

from __future__ import annotations

import http.client
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.free_port import free_port
from tests.store.servers import KEEPING, Server, serving

from .application import Application
from .conftest import CONFIG, Done, Paywall
from .service import Administered, wait_until

ALWAYS = (*KEEPING, "--appendfsync", "always")


@pytest.fixture(params=["valkey", "redis"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    with serving(request.param, tmp_path / "server", *ALWAYS) as running:
        yield running


def written(folder: Path, upstream: str, store: str = "embedded", more: str = "") -> Path:
    """A config of this deployment."""
    file = folder / "paywall.yaml"
    if store != "embedded" and "secret" not in more:
        (folder / "shared").write_text("x" * 32)
        more += f"secret: {{file: {folder}/shared}}\n"
    text = CONFIG.format(upstream=upstream, data=folder / "data") + f"store: {store}\n{more}"
    file.write_text(text if "listen" in more else text + f"listen: 127.0.0.1:{free_port()}\n")
    return file


def blocks(done: Done, label: str) -> list[str]:
    """The findings of a kind, each with its mend."""
    found: list[str] = []
    for line in done.output.splitlines():
        if line[0] != " ":
            found.append(line)
        else:
            assert line.startswith(" " * 12 + "-> ")
            found[-1] += line
    return [block for block in found if block.startswith(label)]


def test_a_good_deployment(paywall: Paywall, application: Application, server: Server, tmp_path: Path) -> None:
    file = written(tmp_path, application.url, server.url)
    done = paywall("doctor", file)
    assert done.code == 0 and not blocks(done, "FAULT") and not blocks(done, "can't tell")
    assert [block.partition("sandbox")[0] for block in blocks(done, "warning")] == [f"warning     {file}:4: "]
    for words in (
        "upstream http",
        "the store at unix://",
        "secret: it is there",
        "a payment is on its disk before anyone is told",
        "nothing listens there",
        "may do all",
        "payments: sandbox has all",
    ):
        assert words in done.output
    assert done.messages == f"paywall: {file}: no faults, 1 warning\n"
    assert not (tmp_path / "data").exists() and server.do("DBSIZE") == 0, "nothing is made"


def test_an_ill_deployment_has_each_fault_with_its_place_and_mend(
    paywall: Paywall, server: Server, tmp_path: Path
) -> None:
    server.do("CONFIG", "SET", "appendonly", "no")
    server.do("CONFIG", "SET", "maxmemory", "100mb")
    server.do("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    upstream = f"http://127.0.0.1:{free_port()}"
    done = paywall("doctor", written(tmp_path, upstream, server.url))
    faults = blocks(done, "FAULT")
    for words, mend in (
        (f"upstream {upstream}: no connection (Connection refused)", "is the application running"),
        ("every payment is lost", "CONFIG SET appendonly yes"),
        ("maxmemory-policy is allkeys-lru", "CONFIG SET maxmemory-policy noeviction"),
    ):
        [fault] = [fault for fault in faults if words in fault]
        assert mend in fault.partition("-> ")[2]
    assert done.code == 1 and done.output.startswith("FAULT"), "the worst comes first"
    assert done.messages == f"paywall: {tmp_path}/paywall.yaml: 3 faults, 1 warning\n"


def test_for_programs(paywall: Paywall, application: Application, server: Server, tmp_path: Path) -> None:
    file = written(tmp_path, application.url, server.url)
    done = paywall("doctor", file, "--json")
    assert done.code == 0 and {each["gravity"] for each in json.loads(done.output)} == {"good", "warning"}
    server.do("CONFIG", "SET", "appendonly", "no")
    done = paywall("doctor", file, "--json")
    [fault] = [each for each in json.loads(done.output) if each["gravity"] == "fault"]
    assert done.code == 1 and fault["matter"] == "store-payments" and set(fault) == set(json.loads(done.output)[-1])


def test_a_managed_server_is_not_called_ill_for_what_it_keeps_to_itself(
    paywall: Paywall, application: Application, server: Server, tmp_path: Path
) -> None:
    server.do("ACL", "SETUSER", "limited", "on", ">word", "~*", "&*", "+@all", "-config", "-info", "-acl")
    done = paywall("doctor", written(tmp_path, application.url, server.url_of("limited:word")))
    assert done.code == 0 and len(blocks(done, "can't tell")) >= 3 and "can't be told from here" in done.messages
    assert "word" not in done.output.replace("password", "")


@pytest.mark.parametrize(
    ("store", "words"),
    [
        ("unix:///nowhere/at/all", "is it running"),
        ("redis+cluster://127.0.0.1:9", "does not answer"),
    ],
)
def test_a_store_that_can_not_be_reached(
    paywall: Paywall, application: Application, tmp_path: Path, store: str, words: str
) -> None:
    done = paywall("doctor", written(tmp_path, application.url, store))
    assert done.code == 1 and [words in fault for fault in blocks(done, "FAULT")] == [True]


def test_an_embedded_store_that_does_not_run_is_not_started(
    paywall: Paywall, application: Application, tmp_path: Path
) -> None:
    done = paywall("doctor", written(tmp_path, application.url))
    [unknown] = blocks(done, "can't tell")
    assert done.code == 0 and "no gateway runs with this folder" in unknown and not (tmp_path / "data").exists()


def test_a_config_that_can_not_be_used_is_told_as_check_does(paywall: Paywall, tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text("upstream: http://localhost:1\nrutes: []\n")
    told, checked = paywall("doctor", file), paywall("check", file)
    assert told == checked and told.code == 1


def test_a_secret_that_the_config_names_and_that_is_missing(
    paywall: Paywall, application: Application, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(tmp_path, application.url, server.url, "secret: {env: NOT_THERE}\n")
    done = paywall("doctor", file)
    assert done.code == 1 and "NOT_THERE" in blocks(done, "FAULT")[0] and f"{file}:" in blocks(done, "FAULT")[0]
    monkeypatch.setenv("NOT_THERE", "x" * 16)
    assert paywall("doctor", file).code == 0


def test_a_secret_that_is_empty_or_that_others_can_read(
    paywall: Paywall, application: Application, tmp_path: Path
) -> None:
    file = written(tmp_path, application.url)
    (tmp_path / "data").mkdir()
    secret = tmp_path / "data" / "secret"
    secret.write_text("\n")
    done = paywall("doctor", file)
    assert done.code == 1 and f"{secret}: it is empty" in "".join(blocks(done, "FAULT"))
    secret.write_text("x" * 32)
    secret.chmod(0o644)
    assert f"chmod 600 {secret}" in "".join(blocks(paywall("doctor", file), "warning"))
    secret.chmod(0o600)
    assert "chmod 600" not in paywall("doctor", file).output


def test_a_data_folder_that_is_a_file(paywall: Paywall, application: Application, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    done = paywall("doctor", written(tmp_path, application.url))
    assert done.code == 1 and any(f"{tmp_path}/data is no folder" in fault for fault in blocks(done, "FAULT"))


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_data_folder_of_somebody_else(paywall: Paywall, application: Application, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o500)
    done = paywall("doctor", written(tmp_path, application.url))
    assert done.code == 1 and "can't write in" in done.output


def test_a_port_that_another_program_has(paywall: Paywall, application: Application, tmp_path: Path) -> None:
    more = f"listen: {application.url.removeprefix('http://')}\nadmin: {{listen: 127.0.0.1:{free_port()}}}\n"
    done = paywall("doctor", written(tmp_path, f"http://127.0.0.1:{free_port()}", more=more))
    assert any("another program" in fault and "listen" in fault for fault in blocks(done, "FAULT"))


def test_a_port_where_something_hangs(
    paywall: Paywall, application: Application, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.cli.network_findings._SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        more = f"listen: 127.0.0.1:{silent.getsockname()[1]}\n"
        done = paywall("doctor", written(tmp_path, application.url, more=more))
    assert any("gives no answer in HTTP" in fault for fault in blocks(done, "FAULT"))


class TestRunning:
    """Of a gateway that runs."""

    @pytest.fixture
    def gateway(self, application: Application, tmp_path: Path) -> Iterator[Administered]:
        with serving("valkey", tmp_path / "server", "--appendonly", "no", "--save", "") as server:
            (tmp_path / "gateway").mkdir()
            text = CONFIG.format(upstream=application.url, data=tmp_path / "gateway" / "data")
            secret = tmp_path / "shared"
            secret.write_text("x" * 32)
            running = Administered(tmp_path / "gateway", text + f"store: {server.url}\nsecret: {{file: {secret}}}\n")
            running.start()
            yield running
            assert running.stop() == 0

    def test_what_is_wrong_with_the_store_is_said_at_the_start_and_to_operators(self, gateway: Administered) -> None:
        wait_until(lambda: gateway.said("FAULT: the store at unix://"), "it is said")
        [line] = [line for line in gateway.messages if "FAULT" in line]
        assert "every payment is lost" in line and "CONFIG SET appendonly yes" in line
        [warning] = gateway.status()["store_warnings"]
        assert warning in line

    def test_doctor_sees_it_run(self, gateway: Administered, paywall: Paywall) -> None:
        wait_until(lambda: gateway.said("FAULT: the store at unix://"), "it is said")
        text = gateway.config.read_text()
        gateway.config.write_text(text + f"listen: 127.0.0.1:{gateway.port}\n")
        done = paywall("doctor", gateway.config)
        assert done.code == 1 and "the gateway runs and is ready" in done.output
        assert "the operators' pages answer" in done.output and done.output.count("every payment is lost") == 1

    def test_doctor_examines_the_embedded_store_of_a_gateway_that_runs(
        self, paywall: Paywall, application: Application, tmp_path: Path
    ) -> None:
        text = CONFIG.format(upstream=application.url, data=tmp_path / "data")
        running = Administered(tmp_path, text)
        running.start()
        try:
            assert not running.said("FAULT") and running.status()["store_warnings"] == []
            done = paywall("doctor", running.config)
            assert done.code == 0 and "a payment is on its disk before anyone is told" in done.output
        finally:
            assert running.stop() == 0


def test_what_operators_are_told_is_told(
    paywall: Paywall, application: Application, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: dict[str, Any] = {"upstream_set_aside": ["http://10.0.0.9:1"], "events_dropped": 3, "store_warnings": ["odd"]}

    class Answer:
        status = 200

        @staticmethod
        def read(limit: int) -> bytes:
            return json.dumps(said).encode()

        @staticmethod
        def getheader(name: str) -> str:
            return "health"

    monkeypatch.setattr(http.client.HTTPConnection, "request", lambda *_: None)
    monkeypatch.setattr(http.client.HTTPConnection, "getresponse", lambda _: Answer())
    more = f"admin: {{listen: 127.0.0.1:{free_port()}}}\n"
    warned = "".join(blocks(paywall("doctor", written(tmp_path, application.url, more=more)), "warning"))
    assert "http://10.0.0.9:1 aside" in warned and "lost 3 events" in warned and ": odd" in warned
