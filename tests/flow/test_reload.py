"""A new config takes effect as a whole, a bad one not at all, what is under way goes on; and the operators' side."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from .application import OPEN_PAGE, PIECE, Application
from .conftest import CONFIG
from .service import DEADLINE, Administered, Service, read_head, wait_until

NEW_ROUTE = 'routes:\n  - {path: "/newly/**", class: result, mode: block, name: newly}\n'
PIECES = 1024


# The second config breaks when everything else of it is up already; and a plugin that stops says so.
BROKEN_LATE = """
from gateway.wiring import application
from gateway_pay_sandbox.provider import SandboxProvider

configs, real = [], application.assemble

def assemble(*parts):
    configs.append(parts)
    if len(configs) == 2:
        raise ValueError("broken by the test")
    return real(*parts)

async def stop(provider):
    provider._host.log("this sandbox has stopped")

application.assemble, SandboxProvider.stop = assemble, stop
"""


@pytest.fixture
def service(application: Application, tmp_path: Path) -> Iterator[Administered]:
    """A gateway of this test alone."""
    running = Administered(tmp_path, CONFIG.format(upstream=application.url, data=tmp_path / "data"))
    running.start()
    yield running
    assert running.stop() == 0


def test_a_new_route_takes_effect_and_a_download_under_way_goes_on(service: Administered, application: Application,
                                                                   expired: str) -> None:  # fmt: skip
    with service.connect(ahead=65536) as client:
        target = f"/large?pieces={PIECES}&length"
        client.sendall(f"GET {target} HTTP/1.1\r\nhost: x\r\nx-user-id: on-trial\r\n\r\n".encode())
        head, received = read_head(client)
        assert head.startswith(b"HTTP/1.1 200 ")
        assert application.stalled.wait(DEADLINE)
        assert not service.gates("/newly/made", expired)
        service.change("routes:\n", NEW_ROUTE)
        wait_until(lambda: service.gates("/newly/made", expired), "the new route is gated")
        assert service.said("the new config is in force")
        size = len(received)
        while size < PIECES * len(PIECE):
            size += len(client.recv(2**20))
        client.sendall(f"GET /newly/made HTTP/1.1\r\nhost: x\r\nx-user-id: {expired}\r\n\r\n".encode())
        assert read_head(client)[0].startswith(b"HTTP/1.1 402 "), "the connection goes on, by the new config"


def test_a_bad_config_changes_nothing_and_says_its_problems(service: Administered, expired: str) -> None:
    before = service.status()["config"]["digest"]
    service.change("routes:\n", NEW_ROUTE + "  - {path: no-slash, clas: open}\n")
    wait_until(lambda: service.said("was not taken; the old one goes on"), "the bad config is refused")
    line = service.config.read_text().splitlines().index("  - {path: no-slash, clas: open}") + 1
    assert service.said(f"paywall.yaml:{line}: routes[1].path") and service.said(f"paywall.yaml:{line}: routes[1].clas")
    assert not service.gates("/newly/made", expired)
    assert service.gates("/blocked/x", expired)
    status = service.status()
    assert status["config"]["digest"] == before and len(status["config"]["problems"]) >= 2
    assert service.metric("paywall_config_last_reload_successful") == 0
    service.change("  - {path: no-slash, clas: open}\n", "")
    wait_until(lambda: service.gates("/newly/made", expired), "the mended config takes effect")
    assert service.metric("paywall_config_last_reload_successful") == 1
    assert all("warning" in problem for problem in service.status()["config"]["problems"])


def test_a_config_that_breaks_late_leaves_no_plugins_behind(
    application: Application, tmp_path: Path, person: str
) -> None:
    service = Administered(tmp_path, CONFIG.format(upstream=application.url, data=tmp_path / "data"), BROKEN_LATE)
    service.start()
    try:
        service.expire(person)
        service.change("routes:\n", NEW_ROUTE)
        wait_until(lambda: service.said("can't be put in force: broken by the test"), "the config is refused")
        wait_until(lambda: service.said("this sandbox has stopped"), "the plugins that had started for it are stopped")
        assert not service.gates("/newly/made", person) and service.gates("/blocked/x", person)
        service.change(NEW_ROUTE, NEW_ROUTE + "\n")
        wait_until(lambda: service.gates("/newly/made", person), "the next one takes effect")
    finally:
        assert service.stop() == 0


def test_operators_can_ask_for_a_reload_by_signal_and_by_request(service: Administered, expired: str) -> None:
    assert service.admin.request("POST", "/reload").json() == {"result": "unchanged", "problems": []}
    assert service.admin.request("GET", "/reload").status == 405
    assert service.process is not None
    service.change("routes:\n", NEW_ROUTE)
    service.process.send_signal(signal.SIGHUP)
    wait_until(lambda: service.gates("/newly/made", expired), "the new route is gated")
    service.change('path: "/newly/**"', "path: 7")
    reply = service.admin.request("POST", "/reload")
    assert reply.status == 422 and reply.json()["result"] == "refused" and reply.json()["problems"]
    assert service.gates("/newly/made", expired)


@pytest.mark.parametrize(
    ("plan", "before", "after", "given"),
    [
        ("month", "gives: 30d", "gives: 60d", 60),
        ("five", "gives: 5 results", "gives: 7 results", 7),
    ],
)
def test_a_plan_that_gives_more_by_now_is_sold_as_it_is_by_now(
    service: Administered, expired: str, plan: str, before: str, after: str, given: int
) -> None:
    """Whoever set out to pay before has the same offer still; only what the plan gives has changed."""
    headers = {"x-user-id": expired}
    told = service.request("POST", "/blocked/x", headers).json()
    address = next(each["address"] for each in told["checkout"] if each["plan"] == plan)
    older = service.request("POST", address, headers).json()
    service.change(before, after)
    wait_until(lambda: service.said("the new config is in force"), "the config is taken")
    newer = service.request("POST", address, headers).json()
    assert newer["outcome"] == "begun" and newer["checkout"] != older["checkout"]
    assert service.request("POST", newer["address"], headers, b"choice=pay").status == 303
    (entry,) = service.ledger(expired)
    assert given in (entry.get("results"), entry.get("period_ms", 0) / 86_400_000)
    late = service.request("POST", older["address"], headers, b"choice=pay")
    assert late.status == 303, "money that arrives is never lost: it gives what was sold then"
    earlier = 30 if plan == "month" else 5
    (_, entry) = service.ledger(expired)
    assert earlier in (entry.get("results"), entry.get("period_ms", 0) / 86_400_000)


def test_what_needs_a_restart_is_told(service: Administered, expired: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("0123456789abcdef" * 4)
    service.change("log: {format: json}\n", f"log: {{format: text}}\nsecret: {{file: {secret}}}\n")
    wait_until(lambda: service.said("the new config is in force"), "the config is taken")
    for key in ("secret", "log"):
        assert service.said(f"{key}: warning: changed, which takes effect at the next start")
    assert not service.said("data: warning")
    assert service.gates("/blocked/x", expired)
    assert service.entry("/blocked/x")["status"] == 402, "the log goes on as it was"


def test_a_config_that_kubernetes_swaps_takes_effect(application: Application, tmp_path: Path, person: str) -> None:
    config = CONFIG.format(upstream=application.url, data=tmp_path / "data")
    mount, old, new = tmp_path / "mount", tmp_path / "mount" / "..old", tmp_path / "mount" / "..new"
    old.mkdir(parents=True)
    new.mkdir()
    (mount / "..data").symlink_to("..old")
    (mount / "paywall.yaml").symlink_to("..data/paywall.yaml")
    (new / "paywall.yaml").write_text(config.replace("routes:\n", NEW_ROUTE))
    running = Service(mount, config).start()
    try:
        running.expire(person)
        assert running.request("GET", "/newly/made", {"x-user-id": person}).status == 200
        (mount / "..data_tmp").symlink_to("..new")
        os.replace(mount / "..data_tmp", mount / "..data")
        wait_until(
            lambda: running.request("GET", "/newly/made", {"x-user-id": person}).status == 402,
            "the new config takes effect",
        )
    finally:
        running.stop()


def test_operators_see_decisions_by_route_and_never_paths(service: Administered, expired: str) -> None:
    for path in ("/reports/secret-name", "/blocked/secret-name", "/any/secret-name"):
        service.request("GET", path, {"x-user-id": expired})
        service.entry(path)
    page = service.admin.request("GET", "/metrics")
    assert page.header("content-type").startswith("text/plain")
    text = page.body.decode()
    counted = {
        tuple(re.findall(r'(?:http_route|decision|reason)="([^"]*)"', line))
        for line in text.splitlines()
        if line.startswith("paywall_decisions_total{")
    }
    assert len(counted) >= 3 and "secret-name" not in text and expired not in text
    assert service.metric("paywall_decisions_total", 'http_route="dynamic"', 'reason="result-held"') == 1
    assert service.metric("paywall_decisions_total", 'http_route="blocked"', 'reason="payment-required"') == 1
    status = service.status()
    assert status["routes"] == service.config.read_text().count("class:") and status["store"] == "embedded"
    assert service.admin.request("GET", "/health/ready").json()["status"] == "ready"


def test_each_listener_serves_its_own_side_alone(service: Administered, person: str) -> None:
    for path in ("/metrics", "/status", "/reload", "/health/live", "/health/ready"):
        reply = service.request("POST" if path == "/reload" else "GET", path, {"x-user-id": person})
        assert reply.body == OPEN_PAGE, f"{path} is the application's on the public address"
    for path in ("/_paywall/me", "/_paywall/health/live", "/_paywall/offer", "/report.csv", "/"):
        assert service.admin.request("GET", path, {"x-user-id": person}).status == 404
