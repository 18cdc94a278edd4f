"""The command line, as somebody at a terminal meets it: help, mistakes, looking at subjects and changing them."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from tests.free_port import free_port

from .application import Application
from .conftest import Paywall
from .service import Service, wait_until

COMMANDS = {
    "": [
        "run",
        "demo",
        "init",
        "check",
        "doctor",
        "explain",
        "schema",
        "subject",
        "ledger",
        "events",
        "health",
        "plugins",
        "--version",
    ],
    "run": ["--config", "--upstream", "--listen", "--store"],
    "demo": ["--listen", "--data"],
    "init": ["--upstream", "--file", "--force"],
    "check": ["FILE"],
    "doctor": ["FILE", "--json", "Exit 1"],
    "explain": ["FILE", "METHOD", "URL", "--body", "--content-type", "--subject", "--at", "--json"],
    "schema": [],
    "subject": ["show", "extend", "grant", "expire", "export", "merge", "erase"],
    "subject show": ["SUBJECT", "--config", "--json"],
    "subject extend": ["SUBJECT", "BY", "--config", "--operation"],
    "subject grant": ["SUBJECT", "--config", "--period", "--results", "--operation"],
    "subject expire": ["SUBJECT", "--config"],
    "subject export": ["SUBJECT", "--config"],
    "subject merge": ["SOURCE", "TARGET", "--config"],
    "subject erase": ["SUBJECT", "--config", "--yes", "--with-ledger"],
    "ledger": ["verify", "export"],
    "ledger verify": ["FILE", "--json", "Exit 1"],
    "ledger export": ["FILE"],
    "events": ["--config", "--after", "--follow"],
    "health": ["URL", "--prefix"],
    "plugins": ["--json"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(paywall: Paywall, command: str) -> None:
    done = paywall(*command.split(), "--help")
    assert (done.code, done.messages) == (0, "")
    assert f"Usage: paywall {command}".rstrip() in done.output
    for word in COMMANDS[command]:
        assert word in done.output
    assert len(done.output.split("\n\n")[1].strip()) > 20, "it says what it is for"


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_the_list_of_commands_says_what_each_does(paywall: Paywall, arguments: list[str]) -> None:
    lines = [line.strip("│ ") for line in paywall(*arguments).output.splitlines()]
    told = {line.split()[0]: line.partition(" ")[2].strip() for line in lines if line}
    assert all(len(told[name]) > 20 for name in COMMANDS if name and " " not in name)


def test_help_is_not_cluttered(paywall: Paywall) -> None:
    for command in COMMANDS:
        output = paywall(*command.split(), "--help").output
        assert "[default: False]" not in output and '[default: ""]' not in output
    assert "Do it." in paywall("subject", "erase", "--help").output
    assert "HOST:PORT" in paywall("run", "--help").output


@pytest.mark.parametrize(
    "command",
    [
        "nonsense", "run", "run --nonsense", "run --config", "init", "check", "check a b", "doctor", "doctor a b",
        "explain a.yaml", "schema x",
        "subject nonsense", "subject show", "subject show ann", "subject extend ann --config {config}",
        "subject extend ann 7parsecs --config {config}", "subject grant ann --config {config}",
        "subject grant ann --config {config} --period 1d --results 1",
        "subject grant ann --config {config} --results many", "subject erase ann --config {config}", "events",
        "explain {config} GET / --subject ann --at someday", "health a b", "plugins --xml",
    ],
)  # fmt: skip
def test_wrong_usage_is_told_in_a_sentence(paywall: Paywall, config: Path, command: str) -> None:
    done = paywall(*command.format(config=config).split())
    assert (done.code, done.output) == (2, "")
    lines = done.messages.splitlines()
    assert 1 <= len(lines) <= 2 and all(line.startswith("paywall: ") for line in lines)
    assert len(lines) == 1 or "--help" in lines[1]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("check none.yaml", "there is no such file"),
        ("run --config none.yaml", "there is no such file"),
        ("run --upstream nonsense", "write it like http://localhost:3000"),
        ("health http://127.0.0.1:{port}", "does not answer"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_sentence(paywall: Paywall, command: str, said: str) -> None:
    done = paywall(*command.format(port=free_port()).split())
    assert (done.code, done.output, len(done.messages.splitlines())) == (1, "", 1)
    assert said in done.messages


def test_check_finds_everything_that_is_wrong_and_where(paywall: Paywall, tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(
        "upstream: http://localhost:1\n"
        "trial: {length: two weeks}\n"
        "plans:\n"
        "  - {id: a, name: A, price: 3 dollars, gives: 1 result}\n"
        "rutes: []\n"
        "routes:\n"
        "  - {path: /a, class: paid}\n"
        "  - {path: b, class: open}\n"
    )
    done = paywall("check", file)
    assert (done.code, done.output) == (1, "")
    for place in ("2: trial.length", "4: plans[0].price", "5: rutes", "7: routes[0].class", "8: routes[1].path"):
        assert f"{file}:{place}: " in done.messages
    assert "routes" in next(line for line in done.messages.splitlines() if ": rutes: " in line)
    assert len(done.messages.splitlines()) == 5


def test_init_writes_a_config_that_check_accepts_and_the_gateway_runs_with(
    paywall: Paywall, application: Application, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = paywall("init", "--upstream", application.url)
    assert done.code == 0 and "next: paywall check paywall.yaml" in done.messages
    assert paywall("check", "paywall.yaml").code == 0
    again = paywall("init", "--upstream", application.url)
    assert again.code == 1 and "is there already" in again.messages
    assert paywall("init", "--upstream", application.url, "--force").code == 0
    text = Path("paywall.yaml").read_text().replace("admin: {", "# admin: {")  # its port may be taken on this machine
    running = Service(tmp_path, text).start()
    try:
        first = running.request("GET", "/report.csv")
        assert first.status == 200 and first.header("set-cookie")
    finally:
        assert running.stop() == 0
    assert paywall("init", "--upstream", "http://localhost:3000", "--file=-").output.startswith("# Paywall Gateway")


def test_the_schema_tells_good_configs_from_bad_ones(paywall: Paywall, config: Path) -> None:
    schema = json.loads(paywall("schema").output)
    content: Any = YAML(typ="safe").load(config.read_text())
    jsonschema.validate(content, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**content, "rutes": []}, schema)


def test_plugins_are_listed(paywall: Paywall) -> None:
    listed = {tuple(line.split()[:2]) for line in paywall("plugins").output.splitlines()}
    names = {"identity": ["jwt", "api_key", "header", "visitor"], "payment": ["sandbox"],
             "teaser": ["metadata", "text", "table", "json", "image", "pdf"]}  # fmt: skip
    assert listed >= {(kind, name) for kind, each in names.items() for name in each}
    rows = json.loads(paywall("plugins", "--json").output)
    assert {(row["kind"], row["name"]) for row in rows} == listed and all(row["summary"] for row in rows)


def test_a_subject_can_be_looked_at_changed_and_forgotten(paywall: Paywall, config: Path) -> None:
    def subject(verb: str, *arguments: str) -> str:
        done = paywall("subject", verb, "person:ann", *arguments, "--config", config)
        assert done.code == 0, done.messages
        return done.output

    assert "person:ann: expired" in subject("expire")
    assert "person:ann: trial" in subject("extend", "7d", "--operation", "first")
    ends = subject("show").partition("trial ends")[2].splitlines()[0]
    assert subject("extend", "7d", "--operation", "first").partition("trial ends")[2].splitlines()[0] == ends
    assert subject("extend", "7d", "--operation", "second").partition("trial ends")[2].splitlines()[0] != ends
    subject("expire")
    for _ in range(2):
        assert "person:ann: entitled" in subject("grant", "--results", "2", "--operation", "gift")
    found = json.loads(subject("show", "--json"))
    assert found["credits"] == 2 and found == json.loads(subject("export"))
    assert "paid until" in subject("grant", "--period", "30d", "--operation", "month")
    refused = paywall("subject", "erase", "person:ann", "--config", config)
    assert refused.code == 2 and "can't be undone" in refused.messages
    subject("erase", "--yes")
    left = json.loads(subject("export"))
    assert (left["credits"], left["ledger"][-1]["kind"], left["ledger"][-1]["results"]) == (0, "erasure", 2)
    assert "person:ann: expired" in subject("show") and "forgotten" in subject("show")
    again = paywall("subject", "erase", "person:ann", "--yes", "--config", config)
    assert again.code == 0 and "before" in again.messages
    subject("erase", "--yes", "--with-ledger")
    assert json.loads(subject("export"))["ledger"] == []
    assert paywall("ledger", "verify", config).code == 0
    assert paywall("subject", "erase", "person:bob", "--yes", "--config", config).code == 1


def test_a_subject_becomes_another_and_leads_to_it(paywall: Paywall, config: Path) -> None:
    def merge(source: str, target: str) -> tuple[int, str]:
        done = paywall("subject", "merge", source, target, "--config", config)
        return done.code, done.output + done.messages

    paywall("subject", "expire", "visitor:v1", "--config", config)
    paywall("subject", "grant", "visitor:v1", "--results", "2", "--operation", "gift", "--config", config)
    code, said = merge("visitor:v1", "person:ann")
    assert code == 0 and "person:ann: entitled" in said and "results paid  2" in said
    assert "nothing has come since" in merge("visitor:v1", "person:ann")[1]
    assert merge("visitor:v1", "person:bob")[0] == merge("person:bob", "visitor:v1")[0] == 1
    assert merge("visitor:unknown", "person:ann")[0] == 1
    assert merge("person:ann", "ann")[0] == 2
    shown = paywall("subject", "show", "visitor:v1", "--config", config).output
    assert "visitor:v1: expired" in shown and "became        person:ann" in shown
    assert paywall("ledger", "verify", config).code == 0


def test_a_change_counts_at_once_for_the_gateway_that_runs(paywall: Paywall, service: Service, person: str) -> None:
    assert service.request("POST", "/blocked/x", {"x-user-id": person}).status == 200
    assert paywall("subject", "expire", person, "--config", service.config).code == 0
    assert service.request("POST", "/blocked/x", {"x-user-id": person}).status == 402
    assert paywall("subject", "grant", person, "--results", "1", "--config", service.config).code == 0
    assert service.request("POST", "/blocked/x", {"x-user-id": person}).status == 200


@pytest.fixture
def seen(service: Service, expired: str) -> Iterator[Service]:
    """A gateway that has something to tell of."""
    service.request("POST", "/blocked/x", {"x-user-id": expired})
    yield service


def test_events_are_json_line_by_line(seen: Service, paywall: Paywall) -> None:
    service = seen
    subject = service.entry("/blocked/x")["subject"]

    def read(after: str) -> list[Any]:
        done = paywall("events", "--config", service.config, "--after", after)
        return [json.loads(line) for line in done.output.splitlines()]

    events: list[Any] = []

    def is_told() -> bool:
        events.extend(read(events[-1]["position"] if events else "0"))
        return any(event["name"] == "request-decided" and event["subject"] == subject for event in events)

    wait_until(is_told, "the decision is among the events")
    assert all(event["position"] and event["name"] and event["at"] for event in events)
    positions = [event["position"] for event in events]
    assert len(set(positions)) == len(positions)
    assert read(positions[-2])[0]["position"] == positions[-1]


def test_health_is_an_exit_code(paywall: Paywall, service: Service) -> None:
    done = paywall("health", service.address)
    assert (done.code, done.output) == (0, "") and "is ready" in done.messages
    assert paywall("health", f"http://127.0.0.1:{free_port()}").code == 1
    assert paywall("health", service.address.replace("http:", "https:")).code == 1, "it asks as it is told to"


def test_health_is_not_taken_in_by_the_application(paywall: Paywall, application: Application) -> None:
    done = paywall("health", application.url)
    assert done.code == 1 and "not the gateway" in done.messages


def test_health_asks_under_the_prefix_that_it_is_given(paywall: Paywall, service: Service) -> None:
    done = paywall("health", service.address, "--prefix", "/_billing")
    assert done.code == 1 and "not the gateway" in done.messages and "--prefix" in done.messages


def test_health_of_what_speaks_no_http_is_told_in_a_sentence(paywall: Paywall) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"220 mail.example ESMTP\r\n")
                connection.recv(65536)

        thread = threading.Thread(target=greet)
        thread.start()
        done = paywall("health", f"http://127.0.0.1:{server.getsockname()[1]}")
        thread.join()
    assert (done.code, len(done.messages.splitlines())) == (1, 1) and "does not answer in HTTP" in done.messages


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("init --upstream nonsense", "--upstream: the address has no scheme that is known here: write it like http://"),
        ("health http://127.0.0.1:x", "http://127.0.0.1:x is not the address of a gateway: write it like http://"),
        ("health 127.0.0.1:9", "127.0.0.1:9 is not the address of a gateway: write it like http://"),
        ("health unix:/run/gateway.sock", "is not the address of a gateway: write it like http://"),
        ("health --prefix billing", "--prefix: 'billing' can't be the prefix: write it like /_paywall"),
    ],
)
def test_an_address_that_is_none_is_told_in_a_sentence(paywall: Paywall, command: str, said: str) -> None:
    done = paywall(*command.split())
    assert (done.code, done.output, len(done.messages.splitlines())) == (2, "", 1) and said in done.messages


def test_init_writes_to_standard_output(paywall: Paywall) -> None:
    assert paywall("init", "--upstream", "http://localhost:3000", "--file", "-").output.startswith("# Paywall Gateway")


def test_init_takes_no_option_for_a_file(paywall: Paywall, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = paywall("init", "--upstream", "http://localhost:3000", "--file", "--force")
    assert done.code == 2 and "a file of that name is ./--force" in done.messages
    assert not list(tmp_path.iterdir())
    assert paywall("init", "--upstream", "http://localhost:3000", "--file", "./--force").code == 0
