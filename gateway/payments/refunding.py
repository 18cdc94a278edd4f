"""Give money back through the provider that took it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from gateway.core.keyring import tag
from gateway.core.money import Money
from gateway.core.subject import Subject
from gateway.payments.desk import ProviderDesk
from gateway.payments.till import Till
from gateway.ports.cashbook import RefundOutcome
from gateway.ports.payment import PaymentProvider, Refunding


class GiveBackOutcome(StrEnum):
    """What became of giving money back."""

    GIVEN_BACK = "given-back"
    ON_ITS_WAY = "on-its-way"
    """The provider has taken it up and will report it."""
    UNKNOWN_PAYMENT = "unknown-payment"
    TOO_MUCH = "too-much"
    """More than what is left of the payment."""
    NOT_POSSIBLE = "not-possible"
    """The provider is not in the config any more, or can't give back."""


@dataclass(frozen=True, slots=True)
class GivenBack:
    """The outcome, how much it was about, and of which provider."""

    outcome: GiveBackOutcome
    amount: Money | None = None
    provider: str = ""


class Refunder:
    """Gives money back, once for one request of an operator."""

    def __init__(self, till: Till, providers: Mapping[str, PaymentProvider]) -> None:
        self._till, self._providers = till, providers

    async def give_back(self, subject: Subject, payment: str, amount: Money | None, operation: str) -> GivenBack:
        """Give back a payment of this subject, whole or in part. Raises `ProviderUnavailable`, `RefundRefused`,
        `StoreUnavailable`: all of them safe to try again with the same operation."""
        entries = [
            entry
            for entry in await self._till.payments.ledger(subject)
            if entry.get("payment") == payment
            and entry["kind"] in ("payment", "surplus", "mismatch", "unknown-checkout", "refund")
        ]
        paid = next((entry for entry in entries if entry["kind"] != "refund"), None)
        if paid is None:
            return GivenBack(GiveBackOutcome.UNKNOWN_PAYMENT)
        name, currency = str(paid["provider"]), str(paid["currency"])
        whole = int(str(paid.get("charged", paid["amount"])))
        # Providers may call their payments the same.
        back = [entry for entry in entries if entry["kind"] == "refund" and entry["provider"] == name]
        gone = sum(int(str(entry["amount"])) for entry in back if entry["currency"] == currency)
        left = 0 if any(entry.get("whole") for entry in back) else max(whole - gone, 0)
        amount = amount or Money(left, currency)
        if amount.currency != currency or not 0 < amount.minor <= left:
            return GivenBack(GiveBackOutcome.TOO_MUCH, Money(left, currency), name)
        provider: object = self._providers.get(name)
        if not isinstance(provider, Refunding):
            return GivenBack(GiveBackOutcome.NOT_POSSIBLE, amount, name)
        reference = self._till.references.make(subject.key, str(paid["checkout"]))
        named = tag(self._till.key, "refund", payment, str(amount), operation)
        report = await provider.refund(reference, payment, amount, named)
        if report is None:
            return GivenBack(GiveBackOutcome.ON_ITS_WAY, amount, name)
        # A provider that keeps no books of its own can't know that this was the last part.
        report = replace(report, is_whole=report.is_whole or amount.minor == left)
        if await ProviderDesk(self._till, name).refunded(report) is RefundOutcome.TOO_MUCH:
            # Somebody else gave it back at the same moment. Asked for more than there is, it says what is left now.
            return await self.give_back(subject, payment, Money(left + 1, currency), operation)
        return GivenBack(GiveBackOutcome.GIVEN_BACK, amount, name)
