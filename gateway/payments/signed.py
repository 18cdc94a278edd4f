"""Payments that come signed with the request itself: verified, settled once, credited by the ledger that all share.

The order is what keeps the payer's money safe. A payment is claimed in the store before it is verified, so that of
fifty who bring it one goes on. That its settlement is about to be asked for is on disk before it is asked for, so that
an answer that never comes leaves a payment in doubt and never one that looks unpaid. What was settled is noted before
it is credited, and credited again by whoever comes next: that changes nothing where it was done.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.core.keyring import tag
from gateway.core.subject import Subject
from gateway.payments.desk import ProviderDesk
from gateway.payments.offer import Offer
from gateway.payments.terms import Terms
from gateway.payments.till import Till
from gateway.ports.attempts import Attempt, Attempts, AttemptState, Sale
from gateway.ports.cashbook import CheckoutOutcome, CheckoutRecord, CheckoutStatus, Settlement
from gateway.ports.clearing import ClearingUnavailable, Facilitator, NotAsked
from gateway.ports.payment import PaymentReport
from gateway.ports.state import StoreUnavailable
from gateway.protocols import x402
from gateway.protocols.encoding import Malformed

PROVIDER = "x402"
"""What the ledger calls this way to pay."""
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


@dataclass(frozen=True, slots=True)
class Signed:
    """A payment beside what is asked for."""

    payment: x402.Payment
    wanted: x402.Requirements
    digest: str
    """Stands for all that came, of which something is known to nobody but who was made the offer."""
    holder: str = field(default_factory=lambda: secrets.token_hex(8))


_STANDS = {
    AttemptState.BUSY: Stand.BUSY,
    AttemptState.ANOTHERS: Stand.ANOTHERS,
    AttemptState.FAILED: Stand.FAILED,
    AttemptState.UNKNOWN: Stand.UNKNOWN,
}


class SignedPayments:
    """Takes signed payments for one config."""

    def __init__(
        self, till: Till, attempts: Attempts, facilitator: Facilitator, terms: Terms, now: Callable[[], int]
    ) -> None:
        self._till, self._attempts, self._facilitator, self._now = till, attempts, facilitator, now
        self._desk = ProviderDesk(till, PROVIDER)
        self.terms = terms

    async def begin(self, signed: Signed) -> Verdict:
        """Claim and verify a payment, or say how far it has come. Raises `StoreUnavailable`."""
        attempt = await self._attempts.begin(signed.payment.key, signed.holder, signed.digest, self.terms.lease_ms)
        match attempt.state:
            case AttemptState.CLAIMED:
                verdict = await self._verify(signed)
                if verdict.stand is not Stand.VERIFIED:
                    await self.drop(signed)
                return verdict
            case AttemptState.SETTLED:
                await self._credit(signed.payment.key, attempt)
                return Verdict(Stand.SETTLED, attempt=attempt)
            case AttemptState.UNKNOWN:
                return await self._look_again(signed, attempt)
        return Verdict(_STANDS[attempt.state], attempt.reason, attempt)

    async def drop(self, signed: Signed) -> None:
        """Let go of a payment that was claimed: nothing was settled, and it can be brought again."""
        await self._attempts.drop(signed.payment.key, signed.holder)

    async def settle(self, signed: Signed, subject: Subject, offer: Offer) -> Verdict:
        """Have a verified payment settled for the offer's hold, once. Raises `StoreUnavailable`."""
        amount = signed.wanted.amount
        record = self._checkout(offer, amount)
        opened = await self._till.payments.open_checkout(subject, record, offer.settled)
        refusal = _REFUSALS.get(opened.outcome)
        if refusal is None and opened.record.status is CheckoutStatus.UNKNOWN:
            refusal = Stand.UNKNOWN  # another payment for it is in doubt: none is taken beside it
        if refusal is not None:
            await self.drop(signed)
            return Verdict(refusal)
        sale = Sale(offer.hold, subject.key, record.id, amount)
        key, lease = signed.payment.key, self.terms.settle_lease_ms
        if not await self._attempts.settling(key, signed.holder, sale, lease):
            return Verdict(Stand.BUSY)
        return await self._settle(signed, sale)

    async def is_in_doubt(self, subject: Subject, offer: Offer) -> bool:
        """Whether it is not known of a payment for this offer if it was settled. Raises `StoreUnavailable`."""
        requirements = self.terms.requirements(offer.route, "")
        if requirements is None:
            return False
        record = await self._till.payments.checkout(subject, self._checkout(offer, requirements.amount).id)
        return record is not None and record.status is CheckoutStatus.UNKNOWN

    def response(self, signed: Signed, verdict: Verdict) -> bytes:
        """The value of `PAYMENT-RESPONSE` for what was settled, or failed; empty for everything else."""
        if verdict.stand not in (Stand.SETTLED, Stand.FAILED) or verdict.attempt is None:
            return b""
        authorization = signed.payment.authorization
        answer = x402.SettlementAnswer(
            success=verdict.stand is Stand.SETTLED,
            network=signed.wanted.network,
            transaction=verdict.attempt.transaction,
            payer=authorization.payer if authorization else "",
            reason=verdict.reason,
        )
        return answer.header()

    def _checkout(self, offer: Offer, amount: int) -> CheckoutRecord:
        price = self.terms.money(amount)
        name = tag(self._till.key, "id", offer.id, PROVIDER, str(price))
        return CheckoutRecord(
            id=name, offer=offer.id, plan=PROVIDER, price=price, provider=PROVIDER, hold=offer.hold, route=offer.route
        )

    async def _verify(self, signed: Signed) -> Verdict:
        mismatch = x402.mismatch(signed.payment, signed.wanted, self._now() // 1000)
        if mismatch:
            return Verdict(Stand.INVALID, mismatch)
        try:
            told = await self._facilitator.verify(x402.request_to_facilitator(signed.payment, signed.wanted))
            verification = x402.read_verification(told)
        except NotAsked as error:
            self._till.log(f"x402: a payment could not be verified: {error}")
            return Verdict(Stand.UNREACHABLE)
        except (ClearingUnavailable, Malformed) as error:
            self._till.log(f"x402: a payment could not be verified: {error}")
            return Verdict(Stand.NONSENSE)
        if not verification.is_valid:
            return Verdict(Stand.INVALID, verification.reason or "invalid_payload")
        return Verdict(Stand.VERIFIED)

    async def _settle(self, signed: Signed, sale: Sale) -> Verdict:
        key, holder = signed.payment.key, signed.holder
        try:
            told = await self._facilitator.settle(x402.request_to_facilitator(signed.payment, signed.wanted))
            answer = x402.read_settlement(told, signed.wanted.network)
        except NotAsked as error:
            self._till.log(f"x402: a payment was not settled, and nothing was taken: {error}")
            await self._attempts.drop(key, holder)
            return Verdict(Stand.UNREACHABLE)
        except (ClearingUnavailable, Malformed) as error:
            return await self._doubt(signed, sale, str(error))
        if not answer.is_final:
            why = f"{answer.reason or 'no reason given'}, transaction {answer.transaction or 'unknown'}"
            return await self._doubt(signed, sale, why, answer.transaction)
        state = AttemptState.SETTLED if answer.success else AttemptState.FAILED
        stands = await self._end(signed, sale, state, answer)
        attempt = Attempt(state, sale.hold, sale.owner, sale.checkout, sale.amount, answer.transaction, answer.reason)
        if stands is not state:
            return Verdict(_STANDS.get(stands or AttemptState.BUSY, Stand.BUSY))
        if state is AttemptState.FAILED:
            return Verdict(Stand.FAILED, answer.reason, attempt)
        await self._credit(key, attempt)
        return Verdict(Stand.SETTLED, attempt=attempt)

    async def _end(
        self, signed: Signed, sale: Sale, state: AttemptState, answer: x402.SettlementAnswer
    ) -> AttemptState | None:
        try:
            return await self._attempts.end(signed.payment.key, signed.holder, state, answer.transaction, answer.reason)
        except StoreUnavailable:
            self._till.log(
                f"x402: checkout {sale.checkout} is {state}, transaction {answer.transaction or 'none'}, and the store "
                "could not be told: it is asked about again when the payer comes back"
            )
            raise

    async def _doubt(self, signed: Signed, sale: Sale, why: str, transaction: str = "") -> Verdict:
        self._till.log(
            f"x402: it is not known whether {self.terms.money(sale.amount)} for checkout {sale.checkout} was settled: "
            f"{why}. Nobody is asked to pay for it again; look for the payment at the facilitator and on the network, "
            "and if it came and the payer does not come back, `paywall subject grant` what it was for"
        )
        key, holder = signed.payment.key, signed.holder
        await self._attempts.end(key, holder, AttemptState.UNKNOWN, transaction, why[:200])
        await self._close(sale, CheckoutStatus.UNKNOWN)
        return Verdict(Stand.UNKNOWN)

    async def _look_again(self, signed: Signed, attempt: Attempt) -> Verdict:
        """Ask for the settlement of a payment in doubt again, where that can move the money once at most: a token's
        contract takes one nonce of one payer once (EIP-3009)."""
        sale = Sale(attempt.hold, attempt.owner, attempt.checkout, attempt.amount)
        signature, wanted = signed.payment.authorization, signed.wanted
        is_safe = signature is not None and signature.is_eip3009 and wanted.amount == sale.amount
        if not is_safe:
            return Verdict(Stand.UNKNOWN, attempt=attempt)
        key, lease = signed.payment.key, self.terms.settle_lease_ms
        if not await self._attempts.again(key, signed.holder, lease, PAUSE_MS):
            return Verdict(Stand.UNKNOWN, attempt=attempt)
        return await self._settle_again(signed, sale)

    async def _settle_again(self, signed: Signed, sale: Sale) -> Verdict:
        """A refusal says nothing now: the nonce may be used, or the money gone, by the first time."""
        try:
            told = await self._facilitator.settle(x402.request_to_facilitator(signed.payment, signed.wanted))
            answer = x402.read_settlement(told, signed.wanted.network)
        except (ClearingUnavailable, Malformed) as error:
            return await self._doubt(signed, sale, str(error))
        if not answer.success:
            return await self._doubt(
                signed, sale, f"asked again: {answer.reason or 'no reason given'}", answer.transaction
            )
        await self._end(signed, sale, AttemptState.SETTLED, answer)
        attempt = Attempt(AttemptState.SETTLED, sale.hold, sale.owner, sale.checkout, sale.amount, answer.transaction)
        await self._credit(signed.payment.key, attempt)
        return Verdict(Stand.SETTLED, attempt=attempt)

    async def _credit(self, key: str, attempt: Attempt) -> None:
        """Tell the ledger. Also of what was told before: whoever did may have been killed half-way."""
        reference = self._till.references.make(attempt.owner, attempt.checkout)
        settlement = Settlement(
            event=f"{PROVIDER}-{key}",
            payment=attempt.transaction,
            checkout="",
            amount=self.terms.money(attempt.amount),
            provider=PROVIDER,
        )
        await self._desk.settle(PaymentReport(reference, settlement))

    async def _close(self, sale: Sale, status: CheckoutStatus) -> None:
        subject = await self._till.payments.subject(sale.owner)
        if subject is not None:
            await self._till.payments.close_checkout(subject, sale.checkout, status)


_REFUSALS = {CheckoutOutcome.ALREADY_PAID: Stand.COVERED, CheckoutOutcome.OUTDATED: Stand.OUTDATED}
"""What keeps a checkout from being opened."""
