"""Checkouts and what was paid, as the store keeps them: the verbs of money.

As with all verbs (`ports/state.py`), each may be repeated and then changes nothing. What these report is on disk before
they return.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from gateway.core.money import Money
from gateway.core.rule import Renewal
from gateway.core.subject import Subject


class CheckoutStatus(StrEnum):
    """Where a payment is."""

    OPEN = "open"
    PAID = "paid"
    SURPLUS = "surplus"
    """It was paid for a result that needed no payment any more, or was gone: nothing was given for the last payment."""
    MISMATCH = "mismatch"
    """Another amount or currency than that of the checkout has arrived; nothing was given for it."""
    FAILED = "failed"
    """The provider says that it ended unpaid. Should a payment come after all, it counts."""
    REFUNDED = "refunded"
    """It was paid, and the money had gone back before that was reported: nothing was given."""
    UNKNOWN = "unknown"
    """The provider did not say; never a reason to ask for the money again."""


@dataclass(frozen=True, slots=True)
class CheckoutRecord:
    """One attempt to pay for one plan of one offer. One that gives neither results nor a period pays for its hold."""

    id: str
    offer: str
    plan: str
    price: Money
    provider: str
    hold: str = ""
    route: str = ""
    results: int = 0
    period_ms: int = 0
    status: CheckoutStatus = CheckoutStatus.OPEN
    created: int = 0
    payment: str = ""
    """The provider's id of the payment, once there is one; of several the last."""
    again: bool = False
    """Whether it was paid when its offer had been paid already, by this or another checkout."""
    took_hold: bool = False
    """Whether its payment is what paid for its hold."""
    renews: Renewal | None = None
    """How the subscription goes on that it is the beginning of; None for a single payment."""
    session: str = ""
    """What the provider calls it."""


class CheckoutOutcome(StrEnum):
    """What became of opening a checkout."""

    OPENED = "opened"
    REOPENED = "reopened"
    """The same one, asked for again: a double click, a second tab."""
    ALREADY_PAID = "already-paid"
    """This offer has been paid, by this or another plan."""
    OUTDATED = "outdated"
    """A payment was settled since the offer was made."""


@dataclass(frozen=True, slots=True)
class OpenedCheckout:
    """The checkout that stands after opening it."""

    outcome: CheckoutOutcome
    record: CheckoutRecord


class SettleOutcome(StrEnum):
    """What became of a payment that a provider reported."""

    SETTLED = "settled"
    REPLAYED = "replayed"
    """This event or this payment had been settled already: nothing was credited a second time."""
    MISMATCH = "mismatch"
    """Amount or currency is not that of the checkout: nothing was credited."""
    UNKNOWN_REFERENCE = "unknown-reference"
    """The reference is none that was given out: nobody is known who could be credited, and no ledger to enter it on."""
    UNKNOWN_CHECKOUT = "unknown-checkout"
    REFUNDED = "refunded"
    """The money had gone back before the payment was reported: nothing was credited."""
    NEEDLESS = "needless"
    """It was to be paid out of the wallet for a result that needs no payment any more or is gone: nothing was taken."""
    INSUFFICIENT = "insufficient"
    """The wallet that it was to be paid out of has not so much: nothing was taken and nothing credited."""
    ANOTHERS = "another-subject"
    """It was reported for another subject before, or for one who was erased since: nothing was credited again."""
    SURPLUS = "surplus"
    """It was for one held result, which needs no payment any more or is gone: nothing was given for it. It is on the
    ledger, for an operator to give back."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """A payment as a provider reports it."""

    event: str
    payment: str
    checkout: str
    amount: Money
    """The price that it is for: it must be that of the checkout."""
    provider: str
    charged: Money | None = None
    """What the payer really paid, where that is another sum: with tax, or less a discount of the provider's."""
    subscription: str = ""
    """The provider's id of the subscription that it is a payment of; empty for a single one."""
    paid_until: int = 0
    """The end of the period that this payment of a subscription is for; 0 where the provider does not say."""
    from_wallet: bool = False
    """Whether it is taken out of the subject's wallet, in the same instant."""


@dataclass(frozen=True, slots=True)
class Refund:
    """Money that went back, as a provider reports it."""

    refund: str
    payment: str
    provider: str
    amount: Money
    is_whole: bool
    is_chargeback: bool = False


class RefundOutcome(StrEnum):
    """What became of money that went back."""

    REVOKED = "revoked"
    """Nothing of the payment is left, and what it gave was taken back."""
    NOTED = "noted"
    """A part went back: what the payment gave stays."""
    REPLAYED = "replayed"
    EARLY = "early"
    """The payment itself is not known yet: should it be reported, it will give nothing."""
    UNKNOWN_REFERENCE = "unknown-reference"


class SubscriptionStatus(StrEnum):
    """Where a subscription is."""

    ACTIVE = "active"
    PAST_DUE = "past-due"
    """A renewal could not be paid, and the provider goes on trying."""
    CANCELLED = "cancelled"
    """It ends with the period that is paid."""
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class SubscriptionChange:
    """What became of a subscription, as a provider reports it."""

    subscription: str
    provider: str
    status: SubscriptionStatus
    at: int
    checkout: str


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription as it stands."""

    subscription: str
    provider: str
    checkout: str
    plan: str
    status: SubscriptionStatus
    at: int
    """When it became so."""
    paid_until: int
    open_until: int
    """Until when results are open by it: longer than it is paid for while the next payment is to come."""


class SubscriptionOutcome(StrEnum):
    """What became of a report about a subscription."""

    CHANGED = "changed"
    REPLAYED = "replayed"
    """It was so already, or something later is known."""
    UNKNOWN_REFERENCE = "unknown-reference"


class Payments(Protocol):
    """Checkouts and what was paid. What these verbs report is on disk before they return."""

    async def open_checkout(
        self, subject: Subject, record: CheckoutRecord, settled: int, now: int = 0
    ) -> OpenedCheckout:
        """Open a checkout, or find the one with this id. `settled` is the count the offer was made at."""
        ...

    async def checkout(self, subject: Subject, checkout: str) -> CheckoutRecord | None:
        """The checkout with this id."""
        ...

    async def subject(self, key: str) -> Subject | None:
        """The subject with this `Subject.key`; None when nothing is known of it any more."""
        ...

    async def settle(self, subject: Subject, settlement: Settlement, now: int = 0) -> SettleOutcome:
        """Credit a payment once: by event and by payment, for ever.

        Gives what the checkout's plan gives, however often its offer was paid before: a period is added to the
        current end; results become credits, of which the checkout's hold takes one at once if it still needs it. A
        payment for a hold alone that finds nothing to pay for gives nothing: SURPLUS. Lifts a refusal. Writes the
        ledger.
        """
        ...

    async def enter(self, key: str, settlement: Settlement, now: int = 0) -> SettleOutcome:
        """A payment for the subject with this `Subject.key`, of which nothing is known any more (`subject`).

        Nobody can be credited, so it is entered on the ledger under the key, once. UNKNOWN_CHECKOUT, or REPLAYED for
        one that was credited before the subject was erased.
        """
        ...

    async def entry(self, subject: Subject, settlement: Settlement) -> dict[str, object] | None:
        """What the ledger has of a payment, be it that another of its events was reported; None if it gave nothing."""
        ...

    async def ledger(self, subject: Subject) -> list[dict[str, object]]:
        """Every entry, oldest first. Each has `kind` and `at`; amounts are integers of minor units."""
        ...

    async def note_session(self, subject: Subject, checkout: str, session: str) -> None:
        """Keep what the provider calls an open checkout."""
        ...

    async def close_checkout(self, subject: Subject, checkout: str, status: CheckoutStatus) -> CheckoutStatus | None:
        """Let an unpaid checkout be FAILED, UNKNOWN, or OPEN again; the status it has then, PAID where it was paid.

        None where there is no such checkout. A payment that comes later counts, whatever the status is.
        """
        ...

    async def refund(self, key: str, refund: Refund, now: int = 0) -> RefundOutcome:
        """Enter money that went back, once, for the subject with this `Subject.key`.

        With the last of a payment goes what it gave: its period, its results as far as they are not used, its held
        result unless it was released. What was used cannot be taken back, and no balance goes below nothing.
        """
        ...

    async def renew(self, key: str, change: SubscriptionChange, now: int = 0) -> SubscriptionOutcome:
        """Enter what became of a subscription of the subject with this `Subject.key`. Reports that are older than what
        is known change nothing, and one that has ended stays so."""
        ...

    async def subscriptions(self, subject: Subject) -> list[Subscription]:
        """The subject's subscriptions, also those that have ended."""
        ...

    async def balance(self, subject: Subject, currency: str) -> Money:
        """What the subject has in its wallet in this currency."""
        ...

    async def credit(self, subject: Subject, operation: str, amount: Money, why: str, now: int = 0) -> Money:
        """Put money into the subject's wallet, once for one operation; the balance then."""
        ...


class PendingCheckouts(Protocol):
    """Checkouts of which it is not known how they ended, by when to ask their providers."""

    async def watch(self, reference: str, due: int) -> None:
        """Ask about the checkout with this reference at this instant, instead of any before."""
        ...

    async def forget(self, reference: str) -> None:
        """Ask no more."""
        ...

    async def take_due(self, lease_ms: int, limit: int, now: int = 0) -> list[str]:
        """So many whose instant has come. Nobody else gets them for as long as the lease; whoever does not `watch` or
        `forget` them until then has not asked."""
        ...

    async def all(self) -> list[str]:
        """All of them, those first that are due first."""
        ...

    async def count(self) -> int:
        """How many there are."""
        ...
