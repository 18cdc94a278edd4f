"""What people type at three in the morning: each mistake is told in a sentence with its mend, and changes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.free_port import free_port

from .conftest import Paywall
from .service import Service


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("run paywall.yaml", "`run` has no use for 'paywall.yaml': did you mean --config paywall.yaml?"),
        ("run --config", "--config needs a value"),
        ("init", "`init` needs --upstream"),
        ("subject extend ann --config {config}", "`subject extend` needs BY"),
        ("check a b", "`check` has no use for 'b'"),
        ("runn", 'Did you mean "run"?'),
    ],
)
def test_wrong_usage_is_told_with_where_to_look(paywall: Paywall, config: Path, command: str, said: str) -> None:
    done = paywall(*command.format(config=config).split())
    first, second = done.messages.splitlines()
    assert (done.code, done.output) == (2, "") and said in first
    words = command.split(" --")[0].split()
    named = "paywall subject extend" if words[0] == "subject" else f"paywall {words[0]}"
    assert f"`{named if words[0] != 'runn' else 'paywall'} --help`" in second


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["/reports/7", "GET"], "'/reports/7' is no method"),
        (["GET", "reports/7"], "a path begins with a slash, as in /reports/7"),
        (["GET", "/a", "--subject", ""], "the subject '' can't be"),
        (["GET", "/a", "--subject", "visiter:7"], "did you mean visitor:7?"),
        (["GET", "/a", "--at", ""], "--at '' is not a time"),
        (["GET", "/a", "--at", "0001-01-01"], "is not a time: write it like 2026-12-24"),
        (["GET", "/a", "--at", "9999-12-31T23:59:59-12:00"], "is not a time: write it like 2026-12-24"),
    ],
)
def test_explain_takes_nothing_that_it_would_misunderstand(
    paywall: Paywall, config: Path, arguments: list[str], said: str
) -> None:
    done = paywall("explain", config, *arguments)
    assert (done.code, done.output, len(done.messages.splitlines())) == (2, "", 1) and said in done.messages


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("show persn:ann", "did you mean person:ann? Write person:persn:ann"),
        ("expire Person:ann", "did you mean person:ann?"),
        ("export acount:7", "did you mean account:7?"),
        ("erase key: --yes", "'key:' has no id"),
        ("grant ann --results -3", "write a number from 1 to"),
        ("grant ann --results 0", "write a number from 1 to"),
        ("grant ann --results 99999999999999999999", "write a number from 1 to"),
        ("grant ann --period 0d", "0d is no time to give"),
        ("extend ann 0s", "0s is no time to give"),
        ("extend ann 999999999w", "999999999w is no time to give"),
    ],
)
def test_a_subject_is_not_changed_by_a_slip(paywall: Paywall, config: Path, command: str, said: str) -> None:
    done = paywall("subject", *command.split(), "--config", config)
    assert (done.code, done.output, len(done.messages.splitlines())) == (2, "", 1) and said in done.messages


def test_an_id_may_have_a_colon_of_its_own(paywall: Paywall, config: Path) -> None:
    assert paywall("subject", "show", "urn:isbn:7", "--config", config).output.startswith("person:urn:isbn:7: ")
    assert paywall("subject", "show", "person:persn:7", "--config", config).output.startswith("person:persn:7: ")


def test_somebody_who_never_came_is_told_apart(paywall: Paywall, config: Path) -> None:
    assert "nothing is known of person:noone" in paywall("subject", "show", "noone", "--config", config).messages
    assert paywall("subject", "grant", "someone", "--results", "1", "--config", config).code == 0
    assert paywall("subject", "show", "someone", "--config", config).messages == ""


def test_a_change_that_was_made_before_is_told(paywall: Paywall, config: Path) -> None:
    for verb, *what in (["grant", "twice", "--results", "2"], ["extend", "twice", "7d"]):
        change = ["subject", verb, *what, "--config", config, "--operation", "ticket-7"]
        assert paywall(*change).messages == ""
        again = paywall(*change)
        assert again.code == 0 and "nothing was changed: this was done before as 'ticket-7'" in again.messages
    assert json.loads(paywall("subject", "export", "twice", "--config", config).output)["credits"] == 2


def test_events_begin_only_where_there_may_be_some(paywall: Paywall, config: Path) -> None:
    done = paywall("events", "--config", config, "--after", "yesterday")
    assert (done.code, done.output) == (2, "") and "--after 'yesterday' is no position" in done.messages


def test_the_demo_is_not_built_for_an_address_that_is_none(
    paywall: Paywall, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = paywall("demo", "--listen", "8080")
    assert (done.code, len(done.messages.splitlines())) == (2, 1) and "--listen: '8080' is not an" in done.messages
    assert not list(tmp_path.iterdir())


def test_an_address_that_cannot_be_listened_on_is_told_once(paywall: Paywall) -> None:
    done = paywall("run", "--upstream", "http://localhost:3000", "--listen", "192.0.2.1:80")
    assert done.code == 1 and "paywall: can't listen on 192.0.2.1:80: " in done.messages
    assert done.messages.count("192.0.2.1") == 1 and done.messages.endswith("; choose another with --listen\n")


def test_a_shared_store_without_a_config_asks_for_a_secret_that_can_be_given(
    paywall: Paywall, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = (
        "run",
        "--upstream",
        "http://localhost:3000",
        "--store",
        "redis://localhost:1",
        "--listen",
        "192.0.2.1:80",
    )
    done = paywall(*command)
    assert done.code == 1 and "set PAYWALL__SECRET__ENV=PAYWALL_SECRET" in done.messages
    monkeypatch.setenv("PAYWALL__SECRET__ENV", "PAYWALL_SECRET")
    monkeypatch.setenv("PAYWALL_SECRET", "0123456789abcdef0123456789abcdef")
    assert "can't listen" in paywall(*command).messages, "the secret is taken as told"


def test_a_store_that_does_not_answer_is_told_at_the_start(tmp_path: Path) -> None:
    store = f"redis://:password@127.0.0.1:{free_port()}"
    environment = {"PAYWALL__SECRET__ENV": "PAYWALL_SECRET", "PAYWALL_SECRET": "0123456789abcdef0123456789abcdef"}
    arguments = ("run", "--upstream", "http://127.0.0.1:9", "--listen", "127.0.0.1:0", "--store", store)
    running = Service(tmp_path, "", arguments, environment).start()
    try:
        told = [line for line in running.messages if "does not answer" in line]
        assert len(told) == 1 and "results answer 503" in told[0] and "password" not in told[0]
    finally:
        assert running.stop() == 0


def test_check_knows_the_plugins_and_their_secrets(
    paywall: Paywall, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "paywall.yaml"
    jwt = "jwt: {from: [bearer], secret: {env: TEST_OF_CHECK}, algorithms: [HS256]}"
    file.write_text(f"upstream: http://localhost:1\nidentity:\n  - jwtt: {{}}\n  - cookies: {{}}\n  - {jwt}\n")
    done = paywall("check", file)
    assert done.code == 1
    assert f"{file}:3: identity[0].jwtt: there is no such plugin for `identity`: did you mean 'jwt'?" in done.messages
    assert f"{file}:4: identity[1].cookies: " in done.messages
    assert "installed: api_key, header, jwt, visitor" in done.messages
    told = f"{file}:5: identity[2].jwt.secret.env: warning: the environment variable TEST_OF_CHECK is not set or empty"
    assert told in done.messages
    file.write_text(f"upstream: http://localhost:1\nidentity:\n  - {jwt}\n")
    assert paywall("check", file).code == 0, "it may be there where the gateway runs"
    monkeypatch.setenv("TEST_OF_CHECK", "0123456789abcdef0123456789abcdef")
    assert "TEST_OF_CHECK" not in paywall("check", file).messages


def test_check_warns_where_nobody_can_be_known(paywall: Paywall, tmp_path: Path) -> None:
    file = tmp_path / "paywall.yaml"
    file.write_text("upstream: http://localhost:1\nidentity: []\nroutes:\n  - {path: /a, class: result}\n")
    done = paywall("check", file)
    assert done.code == 0 and f"{file}:2: identity: warning: nobody can be known" in done.messages
    assert done.messages.endswith("can be used: 1 route, 0 plans\n")


@pytest.mark.parametrize(
    ("store", "said"),
    [
        ("redis+sentinel://a,b", "must name the service that the sentinels watch, as in redis+sentinel://"),
        ("redis+cluster://a/2", "a cluster has no databases"),
        ("redis://a?socket_timeot=2", "an option that does not exist"),
    ],
)
@pytest.mark.parametrize("command", ["check", "run"])
def test_an_address_of_the_store_that_can_not_be_used_is_told_with_its_line(
    paywall: Paywall, tmp_path: Path, command: str, store: str, said: str
) -> None:
    file = tmp_path / "paywall.yaml"
    file.write_text(f"upstream: http://127.0.0.1:9\nstore: {store}\nsecret: {{env: PATH}}\n")
    done = paywall(*(("check", file) if command == "check" else ("run", "--config", file)))
    assert done.code == 1 and f"{file}:2: store: " in done.messages and said in done.messages
