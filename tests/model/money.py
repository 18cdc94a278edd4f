"""What is promised of checkouts, payments and the ledger."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from gateway.core.quantity import DAY
from gateway.ports.cashbook import (
    CheckoutOutcome,
    CheckoutRecord,
    CheckoutStatus,
    OpenedCheckout,
    Settlement,
)

UNPAID_MS, UNPAID_SUBSCRIPTION_MS = 180 * DAY, 400 * DAY
HOLD_DURING_CHECKOUT_MS = 2 * DAY
PAID = (CheckoutStatus.PAID, CheckoutStatus.SURPLUS, CheckoutStatus.REFUNDED)
"""Where a checkout stands that has its last word on the ledger."""


@dataclass
class Money:
    """The checkouts of one subject, which payments are known, and what is on the ledger."""

    checkouts: dict[str, CheckoutRecord] = field(default_factory=dict)
    ends: dict[str, int] = field(default_factory=dict)
    """When a checkout that was never paid is forgotten."""
    paid_by: dict[str, str] = field(default_factory=dict)
    """Which checkout paid for an offer first."""
    known: set[tuple[str, str, str]] = field(default_factory=set)
    """Events and payments that were credited, by kind, provider and id."""
    disowned: set[tuple[str, str, str]] = field(default_factory=set)
    """Payments of before an erasure: nobody's any more, by whatever else they are reported."""
    unmatched: set[tuple[str, str, str]] = field(default_factory=set)
    gone: set[tuple[str, str]] = field(default_factory=set)
    """Payments of which nothing is left, by provider and id."""
    refunds: set[tuple[str, str, str]] = field(default_factory=set)
    given: set[tuple[str, str]] = field(default_factory=set)
    """Grants and extensions, by kind and operation."""
    ledger: list[dict[str, object]] = field(default_factory=list)

    def pass_time(self, now: int) -> None:
        """Forget the unpaid ones whose time has come."""
        for checkout in [checkout for checkout, ends in self.ends.items() if ends <= now]:
            del self.ends[checkout], self.checkouts[checkout]

    def open(self, record: CheckoutRecord, is_outdated: bool, now: int) -> OpenedCheckout:
        """Open it, or say why not."""
        found = self.checkouts.get(record.id)
        if record.offer in self.paid_by:
            return OpenedCheckout(CheckoutOutcome.ALREADY_PAID, self.checkouts[self.paid_by[record.offer]])
        if is_outdated:
            return OpenedCheckout(CheckoutOutcome.OUTDATED, found or record)
        if found is not None:
            return OpenedCheckout(CheckoutOutcome.REOPENED, found)
        self.checkouts[record.id] = opened = replace(record, created=now)
        self.ends[record.id] = now + (UNPAID_SUBSCRIPTION_MS if record.renews else UNPAID_MS)
        return OpenedCheckout(CheckoutOutcome.OPENED, opened)

    def close(self, checkout: str, status: CheckoutStatus) -> CheckoutStatus | None:
        """Let an unpaid one be so."""
        found = self.checkouts.get(checkout)
        if found is None:
            return None
        if found.status in PAID:
            return found.status
        if found.status is not CheckoutStatus.MISMATCH or status is CheckoutStatus.FAILED:
            self.checkouts[checkout] = found = replace(found, status=status)
        return found.status

    def unknown(self, but: str) -> str:
        """The first to end of those that are unknown."""
        unknown = [name for name, each in self.checkouts.items() if each.status is CheckoutStatus.UNKNOWN]
        return min((name for name in unknown if name != but), key=lambda name: (self.ends[name], name), default="")

    def credited(self, provider: str, payment: str) -> dict[str, object] | None:
        """What the ledger has of a payment that was of a checkout."""
        of = (entry for entry in self.ledger if entry.get("provider") == provider and entry.get("payment") == payment)
        return next((entry for entry in of if entry["kind"] in ("payment", "surplus", "refunded")), None)

    def left(self, paid: dict[str, object]) -> int:
        """How much of a payment has not gone back."""
        back = (
            int(str(entry["amount"]))
            for entry in self.ledger
            if entry["kind"] == "refund" and all(entry[name] == paid[name] for name in ("provider", "payment"))
        )
        return int(str(paid["amount"])) - sum(back)

    def names(self, settlement: Settlement) -> set[tuple[str, str, str]]:
        """What a payment is known by once it is credited."""
        named = {("event", settlement.event), ("payment", settlement.payment)}
        return {(kind, settlement.provider, name) for kind, name in named if name}

    def event(self, settlement: Settlement) -> tuple[str, str, str]:
        """What its event is known by."""
        return ("event", settlement.provider, settlement.event)

    def is_event_of_another(self, settlement: Settlement) -> bool:
        """Whether the event was credited as that of another payment."""
        credited = (entry for entry in self.ledger if entry["kind"] in ("payment", "surplus", "refunded"))
        of = {str(entry["payment"]) for entry in credited if self._event_of(entry) == self.event(settlement)}
        return bool(settlement.event and settlement.payment and of - {"", settlement.payment})

    @staticmethod
    def _event_of(entry: dict[str, object]) -> tuple[str, str, str]:
        return ("event", str(entry["provider"]), str(entry["event"]))

    def belongs_to_nobody(self, settlement: Settlement) -> bool:
        """Whether it was reported for a subject that was erased since."""
        return self._claim(settlement.provider, settlement.payment, settlement.event) in self.disowned

    def erased(self) -> Money:
        """What is left when all is forgotten."""
        reported = [entry for entry in self.ledger if "event" in entry]
        names = ("provider", "payment", "event")
        return Money(
            disowned=self.disowned | {self._claim(*(str(entry[name]) for name in names)) for entry in reported}
        )

    def _claim(self, provider: str, payment: str, event: str) -> tuple[str, str, str]:
        return ("payment", provider, payment) if payment else ("event", provider, event)

    def enter(self, kind: str, now: int, settlement: Settlement, **more: object) -> None:
        """Write what was paid, and for what."""
        record = self.checkouts.get(settlement.checkout)
        known = {"offer": record.offer, "plan": record.plan} if record else {}
        self.ledger.append(
            {
                "kind": kind,
                "at": now,
                "provider": settlement.provider,
                "event": settlement.event,
                "payment": settlement.payment,
                "checkout": settlement.checkout,
                "amount": settlement.amount.minor,
                "currency": settlement.amount.currency,
                **known,
                **more,
            }
        )

    def enter_unmatched(self, kind: str, now: int, settlement: Settlement) -> None:
        """Write a payment that gives nothing, once."""
        name = (settlement.provider, settlement.payment, settlement.event)
        if name not in self.unmatched:
            self.unmatched.add(name)
            self.enter(kind, now, settlement)

    def mark(
        self, settlement: Settlement, status: CheckoutStatus, again: bool = False, took_hold: bool = False
    ) -> None:
        """The payment is known for ever, and its checkout kept."""
        self.known |= self.names(settlement)
        self.ends.pop(settlement.checkout, None)
        found = self.checkouts[settlement.checkout]
        self.checkouts[found.id] = replace(
            found,
            status=status,
            provider=settlement.provider,
            payment=settlement.payment,
            again=again,
            took_hold=found.took_hold or took_hold,
        )
