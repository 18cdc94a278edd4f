"""Held results paid for over the Lightning network, by L402: an invoice and a token beside it.

Whoever pays the invoice learns its preimage, and nobody else does: token and preimage together prove the payment. So
nothing is verified elsewhere, and nothing can be in doubt.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.core.keyring import tag
from gateway.core.money import Money
from gateway.core.subject import Subject
from gateway.payments.desk import ProviderDesk
from gateway.payments.offer import Offer
from gateway.payments.till import Till
from gateway.ports.cashbook import CheckoutOutcome, CheckoutRecord, Settlement
from gateway.ports.clearing import Invoice, Invoices
from gateway.ports.payment import PaymentReport
from gateway.protocols.l402 import Credential, Token

PROVIDER = "l402"
CURRENCY = "SATS"
REMEMBERED = 1000
"""Invoices that are given again to who asks again, while they can be paid."""
TOKEN_SECONDS = 30 * 86_400
"""How long a token opens its result."""


@dataclass(frozen=True, slots=True)
class Billed:
    """A token with its invoice."""

    token: Token
    invoice: Invoice
    until: int
    """Until when it is given out, seconds since the epoch."""


class LightningPayments:
    """Takes payments over the Lightning network for one config."""

    def __init__(
        self, till: Till, invoices: Invoices, prices: Mapping[str, int], valid_seconds: int, key: bytes
    ) -> None:
        """`prices` in satoshi, by route."""
        self._till, self._invoices, self._prices = till, invoices, prices
        self._valid, self._key = valid_seconds, key
        self._desk = ProviderDesk(till, PROVIDER)
        self._billed: dict[str, Billed] = {}

    async def bill(self, route: str, ticket: str, memo: str) -> Billed | None:
        """A token for the result of a ticket, with the invoice that makes it good; None where results of this route are
        not sold so. The same for who asks again within half of its time. Raises `ClearingUnavailable`."""
        price, now = self._prices.get(route), self._till.now() // 1000
        if price is None:
            return None
        name = f"{price}:{ticket}"
        known = self._billed.get(name)
        if known is not None and known.until > now:
            return known
        invoice = await self._invoices.create(price, memo, self._valid)
        token = Token.make(self._key, invoice.payment_hash, secrets.token_bytes(32), ticket, price, now + TOKEN_SECONDS)
        if len(self._billed) >= REMEMBERED:
            self._billed.clear()
        self._billed[name] = billed = Billed(token, invoice, now + self._valid // 2)
        return billed

    def fault(self, credential: Credential) -> str:
        """Why a credential proves nothing, as the rest of a sentence; empty where it proves its payment."""
        token = credential.token
        if not token.is_ours(self._key):
            return "its token was not given out here"
        if token.has_ended(self._till.now() // 1000) or len(token.results()) != 1 or not token.amount:
            return "its token has ended, or was narrowed to nothing"
        return "" if credential.is_paid else "its preimage is not that of the invoice"

    async def credit(self, credential: Credential, subject: Subject, offer: Offer) -> CheckoutOutcome:
        """Credit a payment that is proven, once. OUTDATED where something was paid since the offer was made: to be
        repeated with another. Raises `StoreUnavailable`."""
        payment, price = credential.token.payment_hash.hex(), Money(credential.token.amount, CURRENCY)
        record = CheckoutRecord(
            id=tag(self._till.key, "id", offer.id, PROVIDER, payment), offer=offer.id, plan=PROVIDER, price=price,
            provider=PROVIDER, hold=offer.hold, route=offer.route,
        )  # fmt: skip
        opened = await self._till.payments.open_checkout(subject, record, offer.settled)
        if opened.outcome in (CheckoutOutcome.OPENED, CheckoutOutcome.REOPENED):
            reference = self._till.references.make(subject.key, record.id)
            settlement = Settlement(f"{PROVIDER}-{payment}", payment, "", price, "")
            await self._desk.settle(PaymentReport(reference, settlement))
        return opened.outcome
