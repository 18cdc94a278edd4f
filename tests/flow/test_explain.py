"""`paywall explain`: the rule and why, and the very decision that the gateway makes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from .conftest import Paywall
from .service import Service, wait_until

HANDSHAKE = (
    "upgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\n"
    "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
)


def test_explain_says_which_rule_and_why(paywall: Paywall, config: Path) -> None:
    lines = config.read_text().splitlines()
    number = next(number for number, line in enumerate(lines, 1) if "name: blocked" in line)
    result = paywall("explain", config, "POST", "https://service.example/blocked/send?x=1")
    assert result.code == 0
    assert "blocked (result, mode block" in result.output and f"{config}:{number}" in result.output
    plain = json.loads(paywall("explain", config, "GET", "/docs/manual", "--json").output)
    assert plain["path"] == "/docs/manual" and "(open)" in plain["rule"]
    assert "when the answer is an attachment or its media type is one of text/csv" in plain["or documents"]
    odd = json.loads(paywall("explain", config, "GET", "/x/../report.csv", "--json").output)
    assert odd["reading"].startswith("ambiguous: ") and odd["canonical"] == "/report.csv"
    assert "decision" not in odd


def test_explain_says_what_would_be_decided(paywall: Paywall, config: Path) -> None:
    def decision(target: str, subject: str, *more: str) -> tuple[str, str]:
        report = json.loads(paywall("explain", config, "GET", target, "--subject", subject, "--json", *more).output)
        return report["standing"], report["decision"]

    assert paywall("subject", "expire", "late", "--config", config).code == 0
    assert decision("/blocked/x", "late") == ("expired", "prompt, because payment-required")
    assert decision("/report.csv", "person:late") == ("expired", "hold, because result-held")
    assert decision("/grace/x", "late") == ("grace", "take, because grace")
    assert decision("/any", "late")[1] == "forward, because open"
    assert decision("/docs/../report.csv", "late")[1] == "refuse, because target-not-canonical"
    assert decision("/blocked/x", "nobody-yet") == ("trial", "forward, because trial")
    text = paywall("explain", config, "GET", "/blocked/x", "--subject", "late", "--at", "2030-01-02T03:04").output
    assert "2030-01-02 03:04:00 UTC" in text and "prompt, because payment-required" in text
    exported = json.loads(paywall("subject", "export", "nobody-yet", "--config", config).output)
    assert exported["trial_started"] == 0, "explaining begins nobody's trial"


def test_a_trial_of_no_length_is_over_when_it_begins(paywall: Paywall, config: Path, tmp_path: Path) -> None:
    none = tmp_path / "none.yaml"
    none.write_text(config.read_text().replace("length: 14d", "length: 0s"))
    report = json.loads(paywall("explain", none, "GET", "/report.csv", "--subject", "new", "--json").output)
    assert (report["standing"], report["decision"]) == ("expired", "hold, because result-held")


def test_what_only_a_token_knows_is_said_not_to_be_known(paywall: Paywall, config: Path, tmp_path: Path) -> None:
    claimed = tmp_path / "claimed.yaml"
    claimed.write_text(config.read_text().replace("starts: first-visit", 'starts: "claim:created_at"'))
    report = json.loads(paywall("explain", claimed, "GET", "/report.csv", "--subject", "new", "--json").output)
    assert report["standing"] == "trial" and "'created_at'" in report["note"]


def test_what_the_answer_may_show_is_decided_too(paywall: Paywall, config: Path) -> None:
    assert paywall("subject", "expire", "over", "--config", config).code == 0
    report = json.loads(paywall("explain", config, "GET", "/docs/x", "--subject", "over", "--json").output)
    assert (report["decision"], report["if documents"]) == ("forward, because open", "hold, because result-held")


def test_columns_stay_apart(paywall: Paywall, config: Path) -> None:
    output = paywall("explain", config, "GET", "/docs/x", "--subject", "nobody-yet").output
    assert all("  " in line for line in output.splitlines())
    assert len({len(line) - len(line.partition("  ")[2].lstrip()) for line in output.splitlines()}) == 1


TARGETS = [
    ("GET", "/report.csv"), ("HEAD", "/report.csv"), ("OPTIONS", "/report.csv"), ("GET", "/report.csv?page=2"),
    ("POST", "/blocked/x"), ("HEAD", "/preview/x"), ("GET", "/preview/x"), ("GET", "/grace/x"), ("HEAD", "/grace/x"),
    ("GET", "/docs/../report.csv"), ("HEAD", "/docs/../open"), ("POST", "/docs/../open"), ("GET", "/docs%2f..%2fopen"),
    ("GET", "/REPORT.CSV"), ("GET", "/report.csv#top"), ("GET", "/open#top"), ("GET", "/open;x"), ("GET", "/static/x"),
    ("GET", "/_paywall/me"), ("GET", "/_paywallet"), ("TRACE", "/open"), ("POST", "/projects"), ("GET", "/open"),
    ("PROPFIND", "/blocked/x"), ("WEBSOCKET", "/socket"), ("WEBSOCKET", "/open/socket?refuse"),
    ("WEBSOCKET", "/grace/socket?refuse"), ("WEBSOCKET", "/docs/../socket?refuse"),
]  # fmt: skip


def decided(service: Service, method: str, target: str, person: str) -> dict[str, Any]:
    """What the gateway writes of this request."""
    path, known = target.partition("#")[0].partition("?")[0], len(service.entries())
    upgrade = HANDSHAKE if method == "WEBSOCKET" else "connection: close\r\n"
    verb = "GET" if method == "WEBSOCKET" else method
    with service.connect() as connection:
        connection.sendall(f"{verb} {target} HTTP/1.1\r\nhost: x\r\nx-user-id: {person}\r\n{upgrade}\r\n".encode())
        assert connection.recv(65536)

    def find() -> Any:
        return next((entry for entry in service.entries()[known:] if entry["path"] == path), None)

    found: dict[str, Any] = wait_until(find, f"a log line for {target}")
    return found


@pytest.mark.parametrize(("method", "target"), TARGETS)
@pytest.mark.parametrize("standing", ["trial", "expired", "credit"])
def test_explain_decides_as_the_gateway_does(
    paywall: Paywall, service: Service, person: str, standing: str, method: str, target: str
) -> None:
    if standing != "trial":
        service.expire(person)
    if standing == "credit":
        assert paywall("subject", "grant", person, "--results", "1", "--config", service.config).code == 0
    done = paywall("explain", service.config, method, target, "--subject", person, "--json")
    report, entry = json.loads(done.output), decided(service, method, target, person)
    if entry["decision"] == "page":
        assert "the gateway's own" in report["rule"] and "decision" not in report
    elif "refused" in report:
        assert report["refused"].startswith(f"{entry['status']} {entry['reason']}, because ")
    else:
        assert report["decision"] == f"{entry['decision']}, because {entry['reason']}"
        assert report["rule"].startswith(entry["route"] + " ")


def test_own_data_is_promised_whatever_the_routes_say(paywall: Paywall, config: Path, tmp_path: Path) -> None:
    fair = tmp_path / "fair.yaml"
    fair.write_text(config.read_text() + '\nfairness: {own_data: ["/blocked/mine/**"]}\n')
    told = paywall("explain", fair, "GET", "/blocked/mine/all.zip").output
    assert "own-data (exempt" in told and "promised by fairness.own_data" in told
