"""Two tabs, two checkouts, two payments: what a person is given and told, in both orders."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest

from .service import NAVIGATION, Service, visible, wait_until


def as_person(person: str) -> dict[str, str]:
    return {"x-user-id": person}


class Tab:
    """One tab that has gone as far as the provider's page."""

    def __init__(self, service: Service, person: str, offer: Any, plan: str) -> None:
        self._service, self._headers = service, {**as_person(person), **NAVIGATION}
        (address,) = (each["address"] for each in offer["checkout"] if each["plan"] == plan)
        begun = service.request("POST", address, self._headers)
        assert begun.status == 303, begun.body
        self.page = begun.header("location")

    def pay(self) -> str:
        """Press "Pay" twice, so that the report comes twice; the address of the page that the person is sent to."""
        answers = [self._service.request("POST", self.page, self._headers, b"choice=pay") for _ in range(2)]
        assert [answer.status for answer in answers] == [303, 303], answers[0].body
        addresses = {answer.header("location") for answer in answers}
        assert len(addresses) == 1
        parts = urlsplit(addresses.pop())
        return f"{parts.path}?{parts.query}"

    def read(self, address: str) -> str:
        """What the person reads there."""
        reply = self._service.request("GET", address, self._headers)
        assert reply.status == 200
        return visible(reply)


def withheld(service: Service, person: str, path: str) -> Any:
    """The offer beside a result that is held."""
    reply = service.request("GET", path, as_person(person))
    assert (reply.status, reply.reason) == (402, "result-held")
    return reply.json()


@pytest.mark.parametrize("order", [("single", "month"), ("month", "single")])
def test_two_plans_of_one_offer_are_both_given(service: Service, expired: str, order: tuple[str, str]) -> None:
    offer = withheld(service, expired, "/report.csv")
    tabs = [Tab(service, expired, offer, plan) for plan in order]
    first, second = (tab.pay() for tab in tabs)
    assert "Thank you: report.csv is yours" in tabs[0].read(first)
    said = tabs[1].read(second)
    assert "You paid twice, and nothing is lost" in said
    given = "Results are open to you until" if order[1] == "month" else "You have 1 result to use"
    assert given in said and "checking" not in said

    me = service.me(expired)
    assert me["entitled_until"] is not None
    assert me["results_paid_for"] == (0 if order[0] == "single" else 1)
    assert [(entry["kind"], entry["plan"]) for entry in service.ledger(expired)] == [
        ("payment", order[0]),
        ("payment", order[1]),
    ]
    assert service.request("GET", offer["hold"]["release"], as_person(expired)).status == 200


def test_one_plan_for_two_results_in_two_tabs_is_given_twice(service: Service, expired: str) -> None:
    tabs = [
        Tab(service, expired, withheld(service, expired, path), "month") for path in ("/report.csv", "/reports/twice")
    ]
    for tab in tabs:
        tab.pay()
    first, second = service.ledger(expired)
    assert second["entitled_until"] == first["entitled_until"] + 30 * 86_400_000


def test_a_second_payment_for_one_result_says_that_it_is_given_back(service: Service, expired: str) -> None:
    offer = withheld(service, expired, "/priced")
    month, result = (Tab(service, expired, offer, plan) for plan in ("month", "route-priced"))
    month.pay()
    said = result.read(result.pay())
    assert "You paid twice, and this payment will be given back" in said
    assert "Your payment of 4.50 USD has arrived, but priced was yours already" in said
    assert "It will be given back: ask This service, and name the reference below." in said

    checkout = service.ledger(expired)[-1]["checkout"]
    program = service.request("GET", f"/_paywall/paid?checkout={checkout}", as_person(expired)).json()
    assert (program["status"], program["again"]) == ("surplus", False)
    assert [entry["kind"] for entry in service.ledger(expired)] == ["payment", "surplus"]
    wait_until(
        lambda: any("4.50 USD" in line and checkout in line and "give the money back" in line
                    for line in service.messages),
        "the operator is told",
    )  # fmt: skip
    wait_until(
        lambda: any('"surplus"' in line and checkout in line for line in service.command("events").splitlines()),
        "there is an event",
    )


def test_the_other_order_gives_both(service: Service, expired: str) -> None:
    offer = withheld(service, expired, "/priced")
    month, result = (Tab(service, expired, offer, plan) for plan in ("month", "route-priced"))
    assert "Thank you: priced is yours" in result.read(result.pay())
    assert "You paid twice, and nothing is lost" in month.read(month.pay())
    assert service.me(expired)["standing"] == "entitled"
    assert service.request("GET", offer["hold"]["release"], as_person(expired)).status == 200
