"""A subscription as its owner sees it."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.core.rule import Plan
from gateway.language.catalogue import phrase
from gateway.language.language import Language
from gateway.ports.cashbook import Subscription, SubscriptionStatus

_TOLD = {
    SubscriptionStatus.ACTIVE: phrase("It is paid until %(day)s, and renews then."),
    SubscriptionStatus.PAST_DUE: phrase("Its payment could not be made. Results stay open until %(open)s meanwhile."),
    SubscriptionStatus.CANCELLED: phrase("It is cancelled, and ends on %(day)s."),
    SubscriptionStatus.ENDED: phrase("It has ended."),
}


def subscription_view(subscription: Subscription, plans: tuple[Plan, ...], language: Language) -> Mapping[str, object]:
    """What it is, until when it is paid, and whether it goes on."""
    plan = next((plan for plan in plans if plan.id == subscription.plan), None)
    day, is_open = language.moment(subscription.paid_until), language.moment(subscription.open_until)
    return {
        "id": subscription.subscription,
        "plan": subscription.plan,
        "name": language.own(plan.name) if plan else subscription.plan,
        "told": language.say(_TOLD[subscription.status], day=day, open=is_open),
        "goes_on": subscription.status in (SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE),
    }
