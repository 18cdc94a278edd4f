"""What somebody may do with their own subscription."""

from __future__ import annotations

from enum import StrEnum

from gateway.core.rule import Policy
from gateway.core.subject import Subject
from gateway.payments.checkout import Cashier
from gateway.ports.cashbook import SubscriptionStatus
from gateway.ports.payment import CheckoutRequest, Renewing, SubscriptionReport


class CareOutcome(StrEnum):
    """What became of it."""

    CANCELLED = "cancelled"
    CHANGED = "changed"
    UNKNOWN = "unknown"
    """They have no such subscription, or it does not go on."""
    PLAN_UNKNOWN = "plan-unknown"
    OUTDATED = "outdated"
    """Something was paid since it was asked for."""
    NOT_POSSIBLE = "not-possible"
    """Its provider is not in the config any more, or sells none."""


class Subscriptions:
    """Cancels and changes, through the provider; what became of it the provider reports."""

    def __init__(self, cashier: Cashier, policy: Policy) -> None:
        self._cashier, self._policy = cashier, policy

    async def cancel(self, subject: Subject, name: str) -> CareOutcome:
        """Let it end with the period that is paid. Raises `ProviderUnavailable`, `StoreUnavailable`."""
        found = await self._cashier.subscription(subject, name)
        if found is None:
            return CareOutcome.UNKNOWN
        provider: object = self._cashier.providers.get(found.provider)
        if not isinstance(provider, Renewing):
            return CareOutcome.NOT_POSSIBLE
        reference = self._cashier.reference(subject, found.checkout)
        await provider.cancel(reference, name)
        # Said at once: the provider's own report may take its time.
        report = SubscriptionReport(reference, name, SubscriptionStatus.CANCELLED, self._cashier.now())
        await self._cashier.desk(found.provider).subscription(report)
        return CareOutcome.CANCELLED

    async def change(self, subject: Subject, name: str, plan_id: str, settled: int) -> CareOutcome:
        """Go over to another plan that renews. What is paid for it is paid for a checkout of its own, which is opened
        here: the one before was agreed on at another price. `settled` is the subject's count of payments.

        Raises `ProviderUnavailable`, `StoreUnavailable`."""
        found, plan = await self._cashier.subscription(subject, name), self._policy.plan(plan_id)
        if found is None:
            return CareOutcome.UNKNOWN
        if plan is None or plan.renews is None or plan.id == found.plan:
            return CareOutcome.PLAN_UNKNOWN
        provider: object = self._cashier.providers.get(found.provider)
        if not isinstance(provider, Renewing):
            return CareOutcome.NOT_POSSIBLE
        opened = await self._cashier.open_change(subject, found, plan, settled)
        if opened is None:
            return CareOutcome.OUTDATED
        request = CheckoutRequest(opened, plan.price, plan.name, "", "", plan=plan.id, renews=plan.renews)
        await provider.change(self._cashier.reference(subject, found.checkout), name, request)
        return CareOutcome.CHANGED
