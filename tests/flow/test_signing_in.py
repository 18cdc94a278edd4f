"""A visitor signs in and finds everything again; the next one at the same computer finds nothing of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.cli.store_access import with_store
from gateway.core.quantity import DAY
from gateway.core.subject import Subject
from gateway.settings.load import load_settings

from .application import Application
from .conftest import CONFIG
from .service import Reply, Service, running, wait_until

PAGE = {"accept": "text/html", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


@pytest.fixture(scope="module")
def shared(application: Application, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("shared")
    with running(folder, CONFIG.format(upstream=application.url, data=folder / "data")) as service:
        yield service


class Browser:
    """Keeps the visitor's cookie, and signs in and out."""

    def __init__(self, service: Service) -> None:
        self.service, self.cookie, self.person = service, "", ""

    def get(self, path: str, page: bool = False) -> Reply:
        headers = dict(PAGE) if page else {}
        headers |= {"cookie": self.cookie} if self.cookie else {}
        headers |= {"x-user-id": self.person} if self.person else {}
        reply = self.service.request("GET", path, headers)
        if said := reply.header("set-cookie"):
            self.cookie = said.partition(";")[0]
        return reply

    @property
    def visitor(self) -> str:
        return "visitor:" + self._id()

    def _id(self) -> str:
        signed_out = self.service.request("GET", "/_paywall/me", {"cookie": self.cookie})
        return str(signed_out.json()["subject"]).partition(":")[2]


def expire(service: Service, subject: str) -> None:
    with_store(load_settings(service.config).settings, lambda store: store.operations.expire(Subject.parse(subject)))


@pytest.fixture
def browser(shared: Service) -> Browser:
    """A visitor whose trial is over, with one result held."""
    browser = Browser(shared)
    browser.get("/", page=True)
    assert browser.cookie.startswith("paywall_visitor=")
    expire(shared, browser.visitor)
    assert browser.get("/report.csv").reason == "result-held"
    return browser


@pytest.mark.parametrize("first", ["/report.csv", "/", "/_paywall/me"])
def test_what_a_visitor_had_is_the_persons(browser: Browser, shared: Service, person: str, first: str) -> None:
    hold = browser.get("/report.csv").json()["hold"]["release"]
    browser.person = person
    browser.get(first)
    reply = wait_until(lambda: (found := browser.get(hold)).status != 403 and found, "the held result comes along")
    assert reply.status == 402, "it is there, and to be paid for: no second trial"
    assert browser.get("/_paywall/me").json()["standing"] != "trial"


def test_whoever_signs_in_next_there_gets_nothing_of_it(browser: Browser, shared: Service, person: str) -> None:
    before, hold = browser.cookie, browser.get("/report.csv").json()["hold"]["release"]
    browser.person = person
    wait_until(lambda: browser.get("/", page=True) and browser.cookie != before, "a fresh visitor's cookie")
    fresh = browser.cookie
    for _ in range(3):
        browser.get("/", page=True)
    assert browser.cookie == fresh, "one is enough"
    browser.person = ""
    assert browser.get("/_paywall/me").json()["standing"] != "trial", "no second trial by signing in and out"
    assert browser.get("/report.csv").reason == "result-held"
    browser.person = f"{person}-next"
    assert browser.get("/report.csv").status == 200, "the next one has a trial of their own"
    assert browser.get(hold).status == 403
    # The first one's cookie, kept by somebody, brings nothing to the next one either.
    browser.cookie = before
    browser.get("/report.csv")
    assert browser.get(hold).status == 403


def test_what_the_person_bought_is_not_for_whoever_kept_the_old_cookie(
    browser: Browser, shared: Service, person: str
) -> None:
    """On another machine, or in another's hands: a visitor who became somebody is not let in as that one."""
    before, hold = browser.cookie, browser.get("/report.csv").json()["hold"]["release"]
    browser.person = person
    wait_until(lambda: browser.get("/", page=True) and browser.cookie != before, "a fresh visitor's cookie")
    settings = load_settings(shared.config).settings
    with_store(settings, lambda store: store.operations.grant(Subject.parse(f"person:{person}"), "gift", 30 * DAY))
    assert browser.get(hold).status == 200
    assert browser.get("/_paywall/me").json()["standing"] == "entitled"
    browser.person, browser.cookie = "", before
    seen = browser.get("/_paywall/me").json()
    assert (seen["standing"], seen["entitled_until"], seen["holds"]) == ("expired", None, [])
    assert browser.get(hold).status == 410
    assert browser.get("/report.csv").status == 402


def test_whoever_has_done_nothing_stays_who_they_are(shared: Service, person: str) -> None:
    browser = Browser(shared)
    browser.get("/", page=True)
    cookie, browser.person = browser.cookie, person
    assert browser.get("/report.csv").status == 200
    assert browser.cookie == cookie


def test_visitors_stay_apart_where_the_config_says_so(application: Application, tmp_path: Path, person: str) -> None:
    text = CONFIG.format(upstream=application.url, data=tmp_path / "data") + "\nmerge_visitors: false\n"
    with running(tmp_path, text) as service:
        browser = Browser(service)
        browser.get("/", page=True)
        expire(service, browser.visitor)
        cookie, browser.person = browser.cookie, person
        assert browser.get("/report.csv").status == 200
        assert browser.cookie == cookie
