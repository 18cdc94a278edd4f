"""A desk that notes what a provider reports, for tests of a provider by itself."""

from __future__ import annotations

import asyncio

from gateway.core.money import Money
from gateway.ports.cashbook import CheckoutStatus, RefundOutcome, SettleOutcome, SubscriptionOutcome
from gateway.ports.payment import FailureReport, KnownCheckout, PaymentReport, RefundReport, SubscriptionReport
from gateway.ports.state import StoreUnavailable

Report = PaymentReport | RefundReport | FailureReport | SubscriptionReport


class NotingDesk:
    """The port `Desk`: notes every report, and answers what it is told to."""

    def __init__(self, outcome: SettleOutcome = SettleOutcome.SETTLED, balance: Money | None = None) -> None:
        self.reports: list[Report] = []
        self._outcome, self._balance = outcome, balance
        self.known: KnownCheckout | None = None
        """How the checkout stands, of which there is one; paid once a payment of it was settled."""
        self.notes: list[tuple[str, str]] = []
        """Reference and session, as the provider noted them."""

    async def settle(self, report: PaymentReport) -> SettleOutcome:
        """Note a payment; the outcome that this desk was made with."""
        self.reports.append(report)
        if self._outcome is SettleOutcome.SETTLED:
            self.known = KnownCheckout(CheckoutStatus.PAID, report.settlement.amount)
        return self._outcome

    async def refunded(self, report: RefundReport) -> RefundOutcome:
        """Note money that went back."""
        self.reports.append(report)
        return RefundOutcome.REVOKED if report.is_whole else RefundOutcome.NOTED

    async def failed(self, report: FailureReport) -> None:
        """Note a checkout that ended unpaid."""
        self.reports.append(report)

    async def subscription(self, report: SubscriptionReport) -> SubscriptionOutcome:
        """Note what became of a subscription."""
        self.reports.append(report)
        return SubscriptionOutcome.CHANGED

    async def balance(self, reference: str) -> Money | None:
        """The balance that this desk was made with."""
        return self._balance

    async def checkout(self, reference: str) -> KnownCheckout | None:
        """How the checkout stands."""
        return self.known

    async def note(self, reference: str, session: str) -> None:
        """Note what the provider calls the checkout."""
        self.notes.append((reference, session))

    @property
    def payments(self) -> list[PaymentReport]:
        """The payments that were reported, in their order, repetitions too."""
        return [report for report in self.reports if isinstance(report, PaymentReport)]

    @property
    def refunds(self) -> list[RefundReport]:
        """The refunds that were reported."""
        return [report for report in self.reports if isinstance(report, RefundReport)]

    @property
    def failures(self) -> list[FailureReport]:
        """The checkouts that were reported to have ended unpaid."""
        return [report for report in self.reports if isinstance(report, FailureReport)]

    @property
    def subscriptions(self) -> list[SubscriptionReport]:
        """What was reported of subscriptions."""
        return [report for report in self.reports if isinstance(report, SubscriptionReport)]


class AwayDesk(NotingDesk):
    """A desk whose store is away: nothing is durable."""

    async def settle(self, report: PaymentReport) -> SettleOutcome:
        """Raise `StoreUnavailable`."""
        raise StoreUnavailable("the store of this test is away")

    async def refunded(self, report: RefundReport) -> RefundOutcome:
        """Raise `StoreUnavailable`."""
        raise StoreUnavailable("the store of this test is away")

    async def failed(self, report: FailureReport) -> None:
        """Raise `StoreUnavailable`."""
        raise StoreUnavailable("the store of this test is away")

    async def subscription(self, report: SubscriptionReport) -> SubscriptionOutcome:
        """Raise `StoreUnavailable`."""
        raise StoreUnavailable("the store of this test is away")

    async def balance(self, reference: str) -> Money | None:
        """Raise `StoreUnavailable`."""
        raise StoreUnavailable("the store of this test is away")

    async def checkout(self, reference: str) -> KnownCheckout | None:
        """Raise `StoreUnavailable`."""
        raise StoreUnavailable("the store of this test is away")

    async def note(self, reference: str, session: str) -> None:
        """Raise `StoreUnavailable`."""
        raise StoreUnavailable("the store of this test is away")


class WaitingDesk(NotingDesk):
    """A desk at which a payment is durable only once `durable` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.durable = asyncio.Event(), asyncio.Event()

    async def settle(self, report: PaymentReport) -> SettleOutcome:
        """Note the payment, and wait."""
        self.asked.set()
        await self.durable.wait()
        return await super().settle(report)
