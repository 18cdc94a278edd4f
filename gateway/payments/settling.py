"""Have signed payments settled, once each, and credit them.

That a settlement is about to be asked for is on disk before it is asked for, so that an answer that never comes leaves
a payment in doubt and never one that looks unpaid. What was settled is noted before it is credited, and credited again
by whoever comes next: that changes nothing where it was done.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from gateway.payments.desk import ProviderDesk
from gateway.payments.terms import PROVIDER, Terms
from gateway.payments.till import Till
from gateway.ports.attempts import Attempt, Attempts, AttemptState, Sale
from gateway.ports.cashbook import CheckoutStatus, Settlement
from gateway.ports.clearing import ClearingUnavailable, Facilitator, NotAsked
from gateway.ports.payment import FailureReport, PaymentReport
from gateway.ports.state import StoreUnavailable
from gateway.protocols import x402
from gateway.protocols.encoding import Malformed

PAUSE_MS = 60_000
"""How long a payment in doubt is let lie before its settlement is asked for again."""


class Stand(StrEnum):
    """How far a signed payment has come."""

    VERIFIED = "verified"
    """It is the caller's to have settled, or to drop."""
    BUSY = "busy"
    INVALID = "invalid"
    """It does not pay for this; nothing was asked for."""
    UNREACHABLE = "unreachable"
    """There was nobody to ask; nothing has happened."""
    NONSENSE = "nonsense"
    """Whoever was asked to verify it gave no answer that can be read; nothing was settled."""
    ANOTHERS = "another's"
    """It was used before, by somebody who brought other words along."""
    OUTDATED = "outdated"
    """Something was paid meanwhile; nothing was asked for."""
    COVERED = "covered"
    """The result needs no payment any more; nothing was asked for."""
    SETTLED = "settled"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How far it has come, why, and what is known of it."""

    stand: Stand
    reason: str = ""
    attempt: Attempt | None = None


class Settling:
    """Asks the facilitator to settle, and tells the ledger."""

    def __init__(self, till: Till, attempts: Attempts, facilitator: Facilitator, terms: Terms) -> None:
        self._till, self._attempts, self._facilitator, self._terms = till, attempts, facilitator, terms
        self._desk = ProviderDesk(till, PROVIDER)

    async def settle(self, key: str, holder: str, sale: Sale) -> Verdict:
        """Settle a payment that the holder has claimed. Raises `StoreUnavailable`."""
        if not await self._attempts.settling(key, holder, sale, self._terms.settle_lease_ms):
            return Verdict(Stand.BUSY)
        try:
            answer = await self._ask(sale.request)
        except NotAsked as error:
            self._till.log(f"x402: a payment was not settled, and nothing was taken: {error}")
            await self._attempts.drop(key, holder, unheard=True)
            return Verdict(Stand.UNREACHABLE)
        except (ClearingUnavailable, Malformed) as error:
            return await self._doubt(key, holder, sale, str(error))
        if not answer.is_final:
            return await self._doubt(key, holder, sale, _said(answer), answer.transaction)
        if answer.success:
            return await self._settled(key, holder, sale, answer)
        stands = await self._attempts.end(key, holder, AttemptState.FAILED, reason=answer.reason)
        if stands is not AttemptState.FAILED:
            return Verdict(Stand.BUSY)
        return Verdict(Stand.FAILED, answer.reason, _attempt(AttemptState.FAILED, sale, answer))

    async def again(self, key: str, attempt: Attempt) -> Verdict:
        """Ask for the settlement of a payment in doubt again, where that can't move the money twice. Raises
        `StoreUnavailable`.

        A token's contract takes one nonce of one payer once (EIP-3009). A refusal says nothing now: the nonce may be
        used, or the money gone, by the first time.
        """
        sale = Sale(attempt.hold, attempt.owner, attempt.checkout, attempt.amount, attempt.request)
        holder = secrets.token_hex(8)
        if not _moves_once(attempt.request):
            return Verdict(Stand.UNKNOWN, attempt=attempt)
        if not await self._attempts.again(key, holder, self._terms.settle_lease_ms, PAUSE_MS):
            return Verdict(Stand.UNKNOWN, attempt=attempt)
        try:
            answer = await self._ask(sale.request)
        except (ClearingUnavailable, Malformed) as error:
            return await self._doubt(key, holder, sale, f"asked again: {error}")
        if not answer.success:
            return await self._doubt(key, holder, sale, f"asked again: {_said(answer)}", answer.transaction)
        return await self._settled(key, holder, sale, answer)

    async def decide(self, key: str, attempt: Attempt, transaction: str) -> Stand:
        """What somebody who looked at the network says of a payment in doubt: this transaction, or, where it is empty,
        that no money came. How far the payment has come then. Raises `StoreUnavailable`."""
        sale = Sale(attempt.hold, attempt.owner, attempt.checkout, attempt.amount, attempt.request)
        holder = secrets.token_hex(8)
        if transaction:
            answer = x402.SettlementAnswer(True, self._terms.network, transaction)
            return (await self._settled(key, holder, sale, answer)).stand
        if not await self._attempts.again(key, holder, self._terms.settle_lease_ms, PAUSE_MS):
            return Stand.BUSY
        await self._attempts.end(key, holder, AttemptState.FAILED, reason="no payment was found")
        await self._desk.failed(FailureReport(self._till.references.make(attempt.owner, attempt.checkout)))
        return Stand.FAILED

    async def credit(self, key: str, attempt: Attempt) -> None:
        """Tell the ledger of what was settled. Also of what was told before: whoever did may have been killed
        half-way."""
        settlement = Settlement(
            event=f"{PROVIDER}-{key}",
            payment=attempt.transaction,
            checkout="",
            amount=self._terms.money(attempt.amount),
            provider=PROVIDER,
        )
        reference = self._till.references.make(attempt.owner, attempt.checkout)
        await self._desk.settle(PaymentReport(reference, settlement))

    async def _ask(self, request: str) -> x402.SettlementAnswer:
        return x402.read_settlement(await self._facilitator.settle(json.loads(request)), self._terms.network)

    async def _settled(self, key: str, holder: str, sale: Sale, answer: x402.SettlementAnswer) -> Verdict:
        attempt = _attempt(AttemptState.SETTLED, sale, answer)
        try:
            await self._attempts.end(key, holder, AttemptState.SETTLED, answer.transaction)
            await self.credit(key, attempt)
        except StoreUnavailable:
            self._till.log(
                f"x402: {self._terms.money(sale.amount)} for checkout {sale.checkout} came with transaction "
                f"{answer.transaction}, and the store could not be told; it is asked about again by itself"
            )
            raise
        return Verdict(Stand.SETTLED, attempt=attempt)

    async def _doubt(self, key: str, holder: str, sale: Sale, why: str, transaction: str = "") -> Verdict:
        reference = self._till.references.make(sale.owner, sale.checkout)
        self._till.log(
            f"x402: it is not known whether {self._terms.money(sale.amount)} came: {why}. It is asked about again by "
            "itself, and nobody is asked to pay meanwhile; should it stay so, look for the payment on the network, and "
            f"say what you found: `paywall payments decide FILE {reference}`"
        )
        await self._attempts.end(key, holder, AttemptState.UNKNOWN, transaction, why[:200])
        subject = await self._till.payments.subject(sale.owner)
        if subject is not None:
            await self._till.payments.close_checkout(subject, sale.checkout, CheckoutStatus.UNKNOWN)
        return Verdict(Stand.UNKNOWN)


def _attempt(state: AttemptState, sale: Sale, answer: x402.SettlementAnswer) -> Attempt:
    return Attempt(state, sale.hold, sale.owner, sale.checkout, sale.amount, answer.transaction, answer.reason)


def _said(answer: x402.SettlementAnswer) -> str:
    return f"{answer.reason or 'no reason given'}, transaction {answer.transaction or 'unknown'}"


def _moves_once(request: str) -> bool:
    """Whether a payment that was asked to be settled can move its money once at most, however often it is asked for."""
    if not request:
        return False
    members: Mapping[str, Any] = json.loads(request)
    authorization = x402.payment_of(dict(members["paymentPayload"])).authorization
    return authorization is not None and authorization.is_eip3009
