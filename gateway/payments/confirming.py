"""Take a person's word for a payment that no provider reports: an operator saw it on the account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from gateway.core.money import Money
from gateway.core.subject import Subject
from gateway.payments.desk import ProviderDesk
from gateway.payments.till import Till
from gateway.ports.cashbook import CheckoutRecord, SettleOutcome
from gateway.ports.payment import Confirming, PaymentProvider


class NotConfirmed(StrEnum):
    """Why nothing was reported."""

    NO_PROVIDER = "no-provider"
    """The config has no way to pay whose payments are confirmed by a person."""
    NOT_FOUND = "not-found"
    """No checkout that waits for its payment has this number."""
    SEVERAL = "several"
    """More than one has: it can't be known which is meant."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What became of it, and whose checkout it was."""

    outcome: SettleOutcome | NotConfirmed
    subject: Subject | None = None
    checkout: CheckoutRecord | None = None


class Confirmer:
    """Finds the checkout of a payment number, and settles it once for one payment."""

    def __init__(self, till: Till, providers: Mapping[str, PaymentProvider]) -> None:
        self._till = till
        self._providers = {name: each for name, each in providers.items() if isinstance(each, Confirming)}

    async def confirm(self, number: str, amount: Money, payment: str) -> Confirmed:
        """`payment` is the bank's name of it: given twice, it counts once. Raises `ValueError` that says what is wrong
        with the number or the name, `StoreUnavailable`."""
        found: list[tuple[str, str, Subject, CheckoutRecord]] = []
        for name, provider in self._providers.items():
            begins = provider.checkout_of(number)
            for reference in await self._till.pending.all():
                known = await self._known(reference) if reference.startswith(begins) else None
                if known is not None and known[1].provider == name:
                    found.append((name, reference, *known))
        if not self._providers:
            return Confirmed(NotConfirmed.NO_PROVIDER)
        if len(found) != 1:
            return Confirmed(NotConfirmed.SEVERAL if found else NotConfirmed.NOT_FOUND)
        name, reference, subject, record = found[0]
        report = self._providers[name].confirm(reference, amount, payment)
        return Confirmed(await ProviderDesk(self._till, name).settle(report), subject, record)

    async def _known(self, reference: str) -> tuple[Subject, CheckoutRecord] | None:
        read = self._till.references.read(reference)
        subject = await self._till.payments.subject(read[0]) if read else None
        record = await self._till.payments.checkout(subject, read[1]) if read and subject else None
        return (subject, record) if subject and record else None
