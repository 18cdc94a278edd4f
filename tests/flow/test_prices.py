"""What a result costs is for its route to say, not for the buyer; and what is theirs already is not sold again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from .application import CSV, Application
from .conftest import CONFIG
from .service import FORM, NAVIGATION, Reply, Service, pay, running, wait_until

PRICED = """
  - {path: "/dear/**", class: result, grace: 0, price: 9.00 USD, name: dear}
  - {path: "/cheap/**", class: result, grace: 0, price: 1.00 USD, name: cheap}
"""


@pytest.fixture(scope="module")
def service(application: Application, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A gateway with prices of routes."""
    folder = tmp_path_factory.mktemp("gateway")
    config = CONFIG.format(upstream=application.url, data=folder).replace("routes:\n", f"routes:{PRICED}")
    with running(folder, config) as service:
        yield service


def held(service: Service, person: str, path: str = "/dear/report") -> Any:
    """A result that was made and is withheld, as its 402 tells it."""
    reply = service.request("GET", path, {"x-user-id": person})
    assert (reply.status, reply.reason) == (402, "result-held")
    return reply.json()


def plans(told: Any) -> dict[str, str]:
    """Price by plan."""
    return {each["plan"]: each["price"] for each in told["checkout"]}


def address_of(told: Any, plan: str) -> str:
    addresses: dict[str, str] = {each["plan"]: each["address"] for each in told["checkout"]}
    return addresses[plan]


def buy(service: Service, person: str, fields: str) -> Reply:
    return service.request("POST", "/_paywall/checkout", {"x-user-id": person, **FORM}, fields.encode())


def give(service: Service, person: str, plan: str) -> None:
    """Have a person pay for a plan by itself."""
    told = service.request("POST", "/blocked/x", {"x-user-id": person}).json()
    assert pay(service, person, address_of(told, plan)).status == 303


class TestWhatIsHeldSaysWhatItCosts:
    @pytest.mark.parametrize(
        "fields",
        ["plan=single&route=report", "plan=single", "plan=five&route=report", "plan=route-cheap&route=cheap"],
    )
    def test_another_route_brings_no_other_price(self, service: Service, expired: str, fields: str) -> None:
        told = held(service, expired)
        for spelling in (f"{fields}&hold={told['hold']['id']}", f"hold={told['hold']['id']}&{fields}"):
            reply = buy(service, expired, spelling)
            assert (reply.status, reply.reason) == (422, "plan-unknown")
        assert service.request("GET", told["hold"]["release"], {"x-user-id": expired}).reason == "hold-unpaid"
        assert service.ledger(expired) == []

    @pytest.mark.parametrize("route", ["", "&route=report", "&route=cheap", "&route=none"])
    def test_whatever_route_is_named_it_costs_the_same(self, service: Service, expired: str, route: str) -> None:
        told = held(service, expired)
        begun = buy(service, expired, f"plan=route-dear{route}&hold={told['hold']['id']}")
        page = service.request("GET", begun.header("location"), {"x-user-id": expired})
        assert b"9.00 USD" in page.body
        service.request("POST", begun.header("location"), {"x-user-id": expired}, b"choice=pay")
        assert service.request("GET", told["hold"]["release"], {"x-user-id": expired}).status == 200
        assert service.me(expired)["results_paid_for"] == 0

    def test_its_offer_is_the_same_by_any_address(self, service: Service, expired: str) -> None:
        told = held(service, expired)
        assert plans(told) == {"route-dear": "9.00 USD", "month": "19.00 USD"}
        for route in ("report", "cheap", "none", "dear"):
            address = f"/_paywall/offer?route={route}&hold={told['hold']['id']}"
            shown = service.request("GET", address, {"x-user-id": expired}).json()
            assert plans(shown) == plans(told)
            assert {"route": ["dear"], "hold": [told["hold"]["id"]]}.items() <= query(shown["offer"]).items()

    def test_without_a_result_that_is_held_none_is_sold(self, service: Service, expired: str) -> None:
        shown = service.request("GET", "/_paywall/offer?route=cheap", {"x-user-id": expired}).json()
        assert plans(shown) == {"month": "19.00 USD"}
        assert buy(service, expired, "plan=route-cheap&route=cheap").reason == "plan-unknown"


class TestResultsByNumber:
    """Paid for at the price of results in general, they are not for routes that have their own."""

    def test_do_not_open_what_has_its_own_price(self, service: Service, application: Application, expired: str) -> None:
        give(service, expired, "five")
        headers = {"x-user-id": expired}
        for path in ("/dear/first", "/dear/second"):
            told = held(service, expired, path)
            assert told["standing"] == "expired"
            assert service.request("GET", told["hold"]["release"], headers).reason == "hold-unpaid"
            assert service.request("HEAD", told["hold"]["release"], headers).status == 402
        assert service.me(expired)["results_paid_for"] == 5
        entry = service.entry("/dear/first", reason="result-held")
        assert entry["decision"] == "hold"
        wait_until(lambda: decided(service, entry["subject"], "dear") == ["expired"] * 2, "the standing is on record")
        assert service.request("GET", "/report.csv", headers).body == CSV
        assert service.me(expired)["results_paid_for"] == 4

    def test_are_not_said_to_cover_it(self, service: Service, expired: str) -> None:
        give(service, expired, "five")
        page = service.request("GET", "/dear/report", {"x-user-id": expired, **NAVIGATION})
        assert page.status == 402
        assert b"waits for payment" in page.body and b"is yours to take" not in page.body
        assert b"9.00 USD" in page.body


class TestWhatIsTheirsAlready:
    """A period and a trial cover what is held, whatever it costs: nobody is asked to pay for it."""

    def test_by_a_period(self, service: Service, expired: str) -> None:
        told = held(service, expired)
        give(service, expired, "month")
        self.is_theirs(service, expired, told)
        assert [entry["plan"] for entry in service.ledger(expired)] == ["month"]

    def test_by_a_trial_that_goes_on(self, service: Service, expired: str) -> None:
        told = held(service, expired)
        service.command("subject", "extend", f"person:{expired}", "7d")
        self.is_theirs(service, expired, told)
        assert not any(entry["kind"] == "payment" for entry in service.ledger(expired))

    def is_theirs(self, service: Service, person: str, told: Any) -> None:
        headers, release = {"x-user-id": person}, told["hold"]["release"]
        page = service.request("GET", told["offer"], {**headers, **NAVIGATION})
        assert b"is yours to take" in page.body and b"waits for payment" not in page.body
        bought = service.request("POST", address_of(told, "route-dear"), headers)
        assert (bought.status, bought.json()) == (303, {"outcome": "already-paid", "address": release})
        assert service.request("GET", release, headers).status == 200


def decided(service: Service, subject: str, route: str) -> list[str]:
    """The standings by which requests of this subject on this route were decided."""
    events = map(json.loads, service.command("events").splitlines())
    chosen = {"name": "request-decided", "subject": subject, "route": route}
    return [event["standing"] for event in events if chosen.items() <= event.items()]


def query(address: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(address).query)
