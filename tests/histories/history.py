"""What a provider may report of one subject, and what must come of it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from gateway.core.money import Money
from gateway.core.quantity import DAY
from gateway.core.rule import PeriodUnit, Renewal
from gateway.ports.cashbook import CheckoutRecord, Refund, Settlement, SubscriptionChange, SubscriptionStatus

NOW = 1_800_000_000_000
GRACE = 3 * DAY
PROVIDER = "stripe"

FIVE = CheckoutRecord("five", "offer-a", "five", Money(1000, "USD"), PROVIDER, results=5)
MONTH = CheckoutRecord("month", "offer-b", "month", Money(1900, "USD"), PROVIDER, period_ms=30 * DAY)
CLUB = CheckoutRecord(
    "club",
    "offer-c",
    "club",
    Money(900, "USD"),
    PROVIDER,
    period_ms=31 * DAY,
    renews=Renewal(PeriodUnit.MONTH, 1, GRACE),
)
CHECKOUTS = (FIVE, MONTH, CLUB)

Event = Settlement | Refund | SubscriptionChange | str
"""A string is the id of a checkout that the provider says has failed."""


@dataclass
class History:
    """Events, each once."""

    payments: list[Settlement] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    changes: list[SubscriptionChange] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @classmethod
    def by_chance(cls, dice: random.Random) -> History:
        """A few payments, some of which go back, a subscription that goes its way, and failures that are none."""
        history = cls()
        for number in range(dice.randint(0, 3)):
            history._pay(dice.choice((FIVE, MONTH)), f"pay{number}")
        for number in range(dice.randint(0, 3)):
            until = NOW + (number + 1) * 31 * DAY
            history._pay(CLUB, f"invoice{number}", subscription="sub", paid_until=until)
        for payment in history.payments:
            history._maybe_give_back(dice, payment)
        for number in range(dice.randint(0, 4)):
            status = dice.choice(list(SubscriptionStatus))
            history.changes.append(SubscriptionChange("sub", PROVIDER, status, NOW + number, CLUB.id))
        history.failures = [each.id for each in CHECKOUTS if dice.random() < 0.3]
        return history

    def deliveries(self, dice: random.Random) -> list[Event]:
        """Each event once to ten times, in any order."""
        events: list[Event] = [*self.payments, *self.refunds, *self.changes, *self.failures]
        sent = [event for event in events for _ in range(dice.randint(1, 10))]
        dice.shuffle(sent)
        return sent

    def _pay(self, record: CheckoutRecord, payment: str, subscription: str = "", paid_until: int = 0) -> None:
        settlement = Settlement(f"evt-{payment}", payment, record.id, record.price, PROVIDER)
        self.payments.append(replace(settlement, subscription=subscription, paid_until=paid_until))

    def _maybe_give_back(self, dice: random.Random, payment: Settlement) -> None:
        part = Money(payment.amount.minor // 3, "USD")
        if dice.random() < 0.3:
            self.refunds.append(Refund(f"part-{payment.payment}", payment.payment, PROVIDER, part, is_whole=False))
        if dice.random() < 0.4:
            self.refunds.append(Refund(f"all-{payment.payment}", payment.payment, PROVIDER, payment.amount, True))

    # What must come of it

    @property
    def kept(self) -> list[Settlement]:
        """Payments of which something is left with the seller."""
        back = {refund.payment for refund in self.refunds if refund.is_whole}
        return [payment for payment in self.payments if payment.payment not in back]

    @property
    def credits(self) -> int:
        """Results to use."""
        return sum(FIVE.results for payment in self.kept if payment.checkout == FIVE.id)

    @property
    def period_ms(self) -> int:
        """What is left of periods, not of the subscription."""
        return sum(MONTH.period_ms for payment in self.kept if payment.checkout == MONTH.id)

    @property
    def status(self) -> SubscriptionStatus:
        """Where the subscription is: the latest report counts, and an end is final."""
        ends = [change for change in self.changes if change.status is SubscriptionStatus.ENDED]
        if ends:
            return SubscriptionStatus.ENDED
        latest = max(self.changes, key=lambda change: change.at, default=None)
        return latest.status if latest else SubscriptionStatus.ACTIVE

    @property
    def subscribed_until(self) -> int:
        """Until when results are open by the subscription."""
        paid = [payment.paid_until for payment in self.kept if payment.subscription]
        if not paid:
            return 0
        goes_on = self.status in (SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE)
        return max(paid) + (GRACE if goes_on else 0)

    def entries(self) -> Iterator[tuple[str, str]]:
        """What the ledger must have exactly once, whatever it is called there."""
        for payment in self.payments:
            yield "payment", payment.payment
        for refund in self.refunds:
            yield "refund", refund.refund
