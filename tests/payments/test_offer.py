"""What is offered, and under which id it can be paid once."""

from __future__ import annotations

import pytest

from gateway.core.money import Money
from gateway.core.quantity import DAY
from gateway.core.rule import Plan, Policy, RouteClass, Rule, Trial
from gateway.payments.offer import make_offer, plans_for

SINGLE = Plan("single", "This result", Money(300, "USD"), results=1)
FIVE = Plan("five", "Five results", Money(1000, "USD"), results=5)
MONTH = Plan("month", "Thirty days", Money(1900, "USD"), period_ms=30 * DAY)
DEAR = Rule("dear", RouteClass.RESULT, "/dear", price=Money(450, "USD"))
PLAIN = Rule("plain", RouteClass.RESULT, "/plain")
POLICY = Policy((DEAR, PLAIN), Trial(14 * DAY), PLAIN, (SINGLE, FIVE, MONTH))
ROUTE_PLAN = Plan("route-dear", "This result", Money(450, "USD"))


def offer_id(subject: str = "s", route: str = "plain", hold: str = "h", settled: int = 0, key: bytes = b"k") -> str:
    return make_offer(key, subject, POLICY, route, hold, settled).id


def test_reloading_the_page_speaks_of_the_same_offer() -> None:
    assert offer_id() == offer_id()


@pytest.mark.parametrize(
    "other",
    [
        offer_id(subject="t"),
        offer_id(route="dear"),
        offer_id(hold="i"),
        offer_id(hold=""),
        offer_id(settled=1),
        offer_id(key=b"l"),
        offer_id(route="plainh", hold=""),
    ],
    ids=["subject", "route", "hold", "no hold", "a payment was settled", "secret", "shifted"],
)
def test_it_is_another_offer_for_another(other: str) -> None:
    assert other != offer_id()


@pytest.mark.parametrize(
    ("route", "hold", "plans"),
    [
        ("plain", "h", (SINGLE, FIVE, MONTH)),
        ("plain", "", (SINGLE, FIVE, MONTH)),
        ("dear", "h", (ROUTE_PLAN, MONTH)),
        ("dear", "", (MONTH,)),
        ("removed-from-the-config", "h", (SINGLE, FIVE, MONTH)),
        ("", "", (SINGLE, FIVE, MONTH)),
    ],
)
def test_a_price_of_the_route_replaces_results_by_number(route: str, hold: str, plans: tuple[Plan, ...]) -> None:
    assert plans_for(POLICY, route, hold) == plans


def test_a_plan_is_found_by_its_id() -> None:
    offer = make_offer(b"k", "s", POLICY, "dear", "h", 0)
    assert offer.plan("month") == MONTH
    assert offer.plan("route-dear") == ROUTE_PLAN
    assert offer.plan("single") is None
