"""A desk that notes what a provider reports, for tests of a provider by itself."""

from __future__ import annotations

from gateway.core.money import Money
from gateway.ports.cashbook import CheckoutStatus, RefundOutcome, SettleOutcome, SubscriptionOutcome
from gateway.ports.payment import FailureReport, KnownCheckout, PaymentReport, RefundReport, SubscriptionReport

Report = PaymentReport | RefundReport | FailureReport | SubscriptionReport


class NotingDesk:
    """The port `Desk`; answers what it is told to."""

    def __init__(self, outcome: SettleOutcome = SettleOutcome.SETTLED, balance: Money | None = None) -> None:
        self.reports: list[Report] = []
        self._outcome, self._balance = outcome, balance
        self.known: KnownCheckout | None = None
        self.notes: list[tuple[str, str]] = []

    async def settle(self, report: PaymentReport) -> SettleOutcome:
        self.reports.append(report)
        if self._outcome is SettleOutcome.SETTLED:
            self.known = KnownCheckout(CheckoutStatus.PAID, report.settlement.amount)
        return self._outcome

    async def refunded(self, report: RefundReport) -> RefundOutcome:
        self.reports.append(report)
        return RefundOutcome.REVOKED if report.is_whole else RefundOutcome.NOTED

    async def failed(self, report: FailureReport) -> None:
        self.reports.append(report)

    async def subscription(self, report: SubscriptionReport) -> SubscriptionOutcome:
        self.reports.append(report)
        return SubscriptionOutcome.CHANGED

    async def balance(self, reference: str) -> Money | None:
        return self._balance

    async def checkout(self, reference: str) -> KnownCheckout | None:
        return self.known

    async def note(self, reference: str, session: str) -> None:
        self.notes.append((reference, session))
