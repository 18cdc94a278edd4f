"""Whoever has had the trial gets no second one by another name."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from .application import Application
from .conftest import CONFIG, Paywall
from .service import Reply, Service, running, wait_until

TRIAL = "trial: {length: 14d, starts: first-visit}"
PAGE = {"accept": "text/html", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


def config(application: Application, folder: object, once_per: str) -> str:
    text = CONFIG.format(upstream=application.url, data=f"{folder}/data")
    assert TRIAL in text
    return text.replace(TRIAL, f"trial: {{length: 14d, starts: first-visit, once_per: {{{once_per}}}}}")


@pytest.fixture(scope="module")
def service(application: Application, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("once")
    with running(folder, config(application, folder, "mail: subject, network: 5 per 30d")) as service:
        yield service


def ask(service: Service, person: str, address: str) -> str:
    headers = {"x-user-id": person, "x-forwarded-for": address}
    reply = service.request("GET", "/report.csv", headers)
    return "passed" if reply.status == 200 else reply.reason


def test_another_spelling_of_the_same_mail_has_no_trial(service: Service, paywall: Paywall) -> None:
    assert [ask(service, "ann@example.org", "192.0.2.1") for _ in range(2)] == ["passed"] * 2
    assert [ask(service, "Ann+2@Example.org", "192.0.2.1") for _ in range(2)] == ["result-held"] * 2
    assert ask(service, "bob@example.org", "192.0.2.1") == "passed"
    assert ask(service, "ann@example.org", "192.0.2.1") == "passed"
    shown = paywall("subject", "show", "Ann+2@Example.org", "--config", service.config)
    assert "expired" in shown.output and "another name" in shown.output
    told = paywall("explain", service.config, "GET", "/report.csv", "--subject", "Ann+2@Example.org")
    assert "another name" in told.output and "result-held" in told.output

    def refused() -> list[str]:
        lines = paywall("events", "--config", service.config, "--after", "0").output.splitlines()
        return [event["by"] for event in map(json.loads, lines) if event["name"] == "trial-refused"]

    assert wait_until(refused, "the event is there") == ["mail"]


def test_so_many_trials_begin_from_one_network(service: Service) -> None:
    told = [ask(service, f"eve{number}@example.com", f"198.51.100.{number}") for number in range(6)]
    assert told == ["passed"] * 5 + ["result-held"]
    assert ask(service, "eve9@example.com", "203.0.113.9") == "passed"
    assert ask(service, "eve1@example.com", "198.51.100.99") == "passed"


def test_behind_two_proxies_a_network_is_that_of_the_client(service: Service) -> None:
    """What the nearer one adds is the address of the other, which everybody comes by."""
    for number in range(6):
        headers = {"x-user-id": f"hal{number}@example.com", "x-forwarded-for": f"100.64.{100 + number}.1, 127.0.0.1"}
        assert service.request("GET", "/report.csv", headers).status == 200
    told = []
    for number in range(6):
        named = f"127.0.0.1, 100.64.{200 + number}.9, 198.18.0.7"
        headers = {"x-user-id": f"sal{number}@example.com", "x-forwarded-for": named}
        told.append(service.request("GET", "/report.csv", headers).status)
    assert told == [200] * 5 + [402], "nobody names a network of their own"


def test_a_page_begins_no_second_one_either(service: Service) -> None:
    for person, comes_to in (("dan@gmail.com", "passed"), ("d.a.n@googlemail.com", "result-held")):
        headers = {**PAGE, "x-user-id": person, "x-forwarded-for": "192.0.2.77"}
        assert service.request("GET", "/", headers).status == 200
        assert ask(service, person, "192.0.2.77") == comes_to


@pytest.mark.parametrize(("first", "address"), [("/report.csv", "100.64.1.1"), ("/_paywall/me", "100.64.2.1")])
def test_a_new_visitor_who_signs_in_brings_no_second_one(service: Service, first: str, address: str) -> None:
    """However new the visitor's cookie is: the mail of whom they sign in as has had its trial."""
    name = f"ivy-{first.rpartition('/')[2]}"
    assert ask(service, f"{name}@example.org", address) == "passed"
    visitor = service.request("GET", "/", {**PAGE, "x-forwarded-for": address})
    cookie = visitor.header("set-cookie").partition(";")[0]
    seen = service.request("GET", "/report.csv", {"cookie": cookie, "x-forwarded-for": address})
    assert seen.status == 200, "the visitor has one"
    headers = {"cookie": cookie, "x-user-id": f"{name}+again@example.org", "x-forwarded-for": address}
    service.request("GET", first, headers)
    assert service.request("GET", "/report.csv", headers).reason == "result-held"


def test_whoever_keeps_no_cookies_has_so_many_and_no_more(service: Service) -> None:
    """A program that forgets who it was is a new visitor each time, and all of these are one network."""
    told = [service.request("GET", "/report.csv", {"x-forwarded-for": "100.64.3.1"}).status for _ in range(7)]
    assert told == [200] * 5 + [402] * 2
    page = service.request("GET", "/", {**PAGE, "x-forwarded-for": "100.64.3.1"})
    assert page.status == 200


@pytest.fixture(scope="module")
def by_device(application: Application, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("device")
    with running(folder, config(application, folder, "device: true")) as service:
        yield service


class Browser:
    """Keeps every cookie."""

    def __init__(self, service: Service) -> None:
        self.service, self.jar = service, dict[str, str]()

    def get(self, path: str, person: str = "", page: bool = False) -> Reply:
        headers = {**(PAGE if page else {}), **({"x-user-id": person} if person else {})}
        if self.jar:
            headers["cookie"] = "; ".join(f"{name}={value}" for name, value in self.jar.items())
        reply = self.service.request("GET", path, headers)
        for name, value in reply.headers:
            if name == "set-cookie":
                cookie, _, rest = value.partition("=")
                self.jar[cookie] = rest.partition(";")[0]
        return reply


@pytest.mark.parametrize("first", ["/", "/report.csv"])
def test_a_second_account_from_the_same_browser_has_no_trial(by_device: Service, person: str, first: str) -> None:
    browser = Browser(by_device)
    browser.get(first, person, page=True)
    device = browser.jar["paywall_device"]
    assert browser.get("/report.csv", person).status == 200
    assert browser.get("/report.csv", f"{person}-second").reason == "result-held"
    assert browser.get("/report.csv", person).status == 200, "the first one goes on"
    assert browser.jar["paywall_device"] == device and person not in device
    assert Browser(by_device).get("/report.csv", f"{person}-third").status == 200, "and so does everybody elsewhere"


def test_signing_in_and_out_as_others_brings_none(by_device: Service, person: str) -> None:
    browser = Browser(by_device)
    browser.get("/", page=True)
    visitor = browser.jar["paywall_visitor"]
    assert browser.get("/report.csv").status == 200, "the visitor has a trial"
    assert browser.get("/report.csv", person).status == 200, "which is the person's now"
    wait_until(lambda: browser.get("/", person, page=True) and browser.jar["paywall_visitor"] != visitor, "a fresh one")
    assert browser.get("/report.csv").reason == "result-held"
    assert browser.get("/report.csv", f"{person}-second").reason == "result-held"
    browser.jar["paywall_device"] = browser.jar["paywall_device"][:-1] + "!"
    assert browser.get("/report.csv", f"{person}-third").status == 200, "a forged one is none"


def test_without_the_setting_no_browser_is_known(service: Service, person: str) -> None:
    browser = Browser(service)
    browser.get("/", person, page=True)
    assert "paywall_device" not in browser.jar
