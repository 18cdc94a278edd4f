"""Whoever chooses the `Host` of a request does not choose where a payer comes out."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from gateway.cli.store_access import with_store
from gateway.core.subject import Subject, SubjectKind
from gateway.settings.load import load_settings

from .application import Application
from .conftest import CONFIG
from .service import COMMAND, FORM, NAVIGATION, Reply, Service

EVIL = "evil.example"
ELSEWHERE = """
from urllib.parse import urlencode

from gateway.ports.payment import Started
from gateway.ports.fields import Settings
from gateway.ports.plugin import Plugin


class Elsewhere:
    label = "a provider elsewhere"
    form_origins = ("https://pay.example",)

    def __init__(self, settings, host):
        pass

    async def start(self):
        pass

    async def stop(self):
        pass

    async def begin(self, request):
        return Started("https://pay.example/?" + urlencode({"success": request.success, "cancel": request.cancel}))

    async def answer(self, request, desk):
        raise NotImplementedError

    async def look(self, pending, desk):
        raise NotImplementedError


plugin = Plugin(summary="A provider elsewhere.", settings=Settings, create=Elsewhere)
broken = Plugin(summary="One that can't be made.", settings=Settings, create=lambda settings, host: 1 / 0)
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """An environment in which two more payment plugins are installed: `elsewhere` and `broken`."""
    folder = tmp_path_factory.mktemp("plugins")
    (folder / "pay_elsewhere.py").write_text(ELSEWHERE)
    distribution = folder / "pay_elsewhere-1.0.dist-info"
    distribution.mkdir()
    (distribution / "METADATA").write_text("Metadata-Version: 2.1\nName: pay-elsewhere\nVersion: 1.0\n")
    (distribution / "entry_points.txt").write_text(
        "[gateway.payment]\nelsewhere = pay_elsewhere:plugin\nbroken = pay_elsewhere:broken\n"
    )
    return {"PYTHONPATH": os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH", "")]))}


def config_of(upstream: str, folder: Path, public_url: str = "") -> str:
    text = CONFIG.format(upstream=upstream, data=folder).replace("- sandbox: {}", "- sandbox: {}\n  - elsewhere: {}")
    return f"{text}public_url: {public_url}\n" if public_url else text


@pytest.fixture(scope="module")
def named(
    application: Application, installed: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """A gateway that knows its public address."""
    folder = tmp_path_factory.mktemp("named")
    text = config_of(application.url, folder, "https://app.example.com:443/")
    running = Service(folder, text, environment=installed).start()
    yield running
    assert running.stop() == 0


def leads_away(reply: Reply) -> bool:
    """Whether anything in the answer speaks of the host that the request named."""
    return EVIL in str(reply.headers) or EVIL.encode() in reply.body


HOSTILE = [
    {"host": EVIL},
    {"host": f"{EVIL}:8080"},
    {"x-forwarded-host": EVIL, "x-forwarded-proto": "https"},
    {"x-forwarded-host": f"{EVIL}/x?", "x-forwarded-proto": "javascript"},
]
"""Ways to name another host. Tests come from an address that this config trusts, so that all of them count."""


@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_page_of_the_gateway_leads_to_the_host_that_was_named(
    service: Service, expired: str, hostile: dict[str, str]
) -> None:
    person = {"x-user-id": expired, **hostile}
    offer = service.request("GET", "/report.csv", person)
    hold, checkout = offer.json()["hold"]["id"], offer.json()["checkout"][0]["address"]
    begun = service.request("POST", checkout, person)
    page = begun.header("location")
    replies = [
        offer,
        begun,
        service.request("GET", page, person),
        service.request("POST", page, person, b"choice=cancel"),
        service.request("POST", page, person, b"choice=pay"),
        service.request("POST", checkout, person),
        service.request("POST", "/_paywall/decline", {**person, **FORM}, b"reason=nothing"),
        service.request("GET", "/_paywall/nothing", person),
        service.request("GET", f"/_paywall/hold/{hold}", person),
        service.request("GET", "/any//page", person),
    ]
    back = replies[4].header("location")
    assert urlsplit(back)[:2] == ("", "")
    replies.append(service.request("GET", back, person))
    for each in (f"/_paywall/offer?hold={hold}", back, "/_paywall/me", "/_paywall/nothing"):
        replies.append(service.request("GET", each, {**person, **NAVIGATION}))
    assert replies[4].status == 303 and replies[-1].status == 404
    assert [reply.status for reply in replies if leads_away(reply)] == []


def test_nothing_of_the_host_that_was_named_is_kept(service: Service, expired: str) -> None:
    person = {"x-user-id": expired, "host": EVIL}
    offer = service.request("GET", "/report.csv", person).json()
    service.request("POST", offer["checkout"][0]["address"], person)
    subject = Subject(SubjectKind.PERSON, expired)
    settings = load_settings(service.config).settings
    exported = with_store(settings, lambda store: store.operations.export(subject))
    assert len(exported["checkouts"]) == 1  # type: ignore[arg-type]
    assert EVIL not in str(exported)


@pytest.mark.parametrize("hostile", [{}, *HOSTILE])
def test_a_provider_elsewhere_sends_people_back_to_the_public_url(named: Service, hostile: dict[str, str]) -> None:
    person = {"x-user-id": "somebody", **hostile}
    begun = named.request("POST", "/_paywall/checkout?plan=single&provider=elsewhere", person)
    assert begun.status == 303
    told = {name: values[0] for name, values in parse_qs(urlsplit(begun.header("location")).query).items()}
    assert told["success"].startswith("https://app.example.com/_paywall/paid?checkout=")
    assert told["cancel"] == "https://app.example.com/_paywall/offer"
    assert not leads_away(begun)


def test_without_a_public_url_they_come_back_to_where_they_were(
    application: Application, installed: Mapping[str, str], tmp_path: Path
) -> None:
    nameless = Service(tmp_path, config_of(application.url, tmp_path), environment=installed).start()
    try:
        for headers, site in (
            ({"host": "app.example.com"}, "http://app.example.com"),
            ({"x-forwarded-host": "app.example.com", "x-forwarded-proto": "https"}, "https://app.example.com"),
            ({"x-forwarded-host": "app example", "x-forwarded-proto": "gopher"}, nameless.address),
        ):
            person = {"x-user-id": f"{site}{len(headers)}", **headers}
            begun = nameless.request("POST", "/_paywall/checkout?plan=single&provider=elsewhere", person)
            (success,) = parse_qs(urlsplit(begun.header("location")).query)["success"]
            assert success.startswith(f"{site}/_paywall/paid?checkout=")
    finally:
        assert nameless.stop() == 0


def test_check_warns_of_a_provider_elsewhere_without_a_public_url(
    application: Application, installed: Mapping[str, str], tmp_path: Path
) -> None:
    def check(text: str) -> tuple[int, list[str]]:
        file = tmp_path / "paywall.yaml"
        file.write_text(text)
        environment = {**os.environ, **installed}
        done = subprocess.run([*COMMAND, "check", str(file)], env=environment, capture_output=True, text=True)
        return done.returncode, done.stderr.splitlines()

    warning = "payments[1].elsewhere: warning: its provider sends people back to the host that their request named"
    code, said = check(config_of(application.url, tmp_path))
    assert code == 0
    assert [line for line in said if warning in line and "add `public_url`" in line]
    code, said = check(config_of(application.url, tmp_path, "https://app.example.com"))
    assert code == 0
    assert not [line for line in said if "public_url" in line or "elsewhere" in line]
    code, said = check(config_of(application.url, tmp_path).replace("elsewhere:", "broken:"))
    assert code == 1
    assert [line for line in said if "payments[1].broken: the plugin can't be used so: division by zero" in line]


def test_forms_of_the_public_url_are_taken_also_where_the_proxy_in_front_changes_the_host(named: Service) -> None:
    for origin, status in (
        ("https://app.example.com", 204),
        (f"http://127.0.0.1:{named.port}", 204),
        ("https://app.example.com.evil.example", 403),
        ("http://[", 403),
        ("null", 403),
    ):
        headers = {"x-user-id": "somebody-else", "origin": origin, **FORM}
        reply = named.request("POST", "/_paywall/decline", headers, b"reason=not-now")
        assert reply.status == status, origin
