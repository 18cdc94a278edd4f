"""What is put before a subject: plans, prices and the id under which they can be paid, once.

An offer needs no place in the store until somebody sets out to pay. Its id follows from the subject, the route, the
held result and the number of payments settled so far: reloading the page, a second tab and a double click all speak of
the same offer, and one settled payment makes every older offer outdated.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.core.keyring import tag
from gateway.core.rule import Plan, Policy


@dataclass(frozen=True, slots=True)
class Offer:
    """What a subject may buy now."""

    id: str
    route: str
    hold: str
    plans: tuple[Plan, ...]
    settled: int

    def plan(self, plan_id: str) -> Plan | None:
        """The plan of this offer with this id."""
        return next((plan for plan in self.plans if plan.id == plan_id), None)


def make_offer(key: bytes, subject_key: str, policy: Policy, route: str, hold: str, settled: int) -> Offer:
    """The offer for a subject on a route, with the result that is held for it (or none)."""
    offer_id = tag(key, subject_key, route, hold, str(settled))
    return Offer(offer_id, route, hold, plans_for(policy, route, hold), settled)


def plans_for(policy: Policy, route: str, hold: str) -> tuple[Plan, ...]:
    """The plans that fit a route: a price of its own, for the result that is held, replaces results by number."""
    rule = next((rule for rule in policy.rules if rule.name == route), None)
    if rule is None or rule.price is None:
        return policy.plans
    if not hold:
        # A result of this route is sold only when there is one to sell: results in general have another price.
        return tuple(plan for plan in policy.plans if not plan.results)
    # It gives this result and nothing else: a result by number would be one of another price.
    single = Plan(id=f"route-{rule.name}", name="This result", price=rule.price)
    return (single, *(plan for plan in policy.plans if not plan.results))
