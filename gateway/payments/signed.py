"""Payments that come signed with the request itself: claimed, verified, settled once, credited by the ledger of all.

A payment is claimed in the store before it is verified, so that of fifty who bring it one goes on. What happens then
stands in `settling`.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field

from gateway.core.keyring import tag
from gateway.core.subject import Subject
from gateway.payments.offer import Offer
from gateway.payments.settling import Settling, Stand, Verdict
from gateway.payments.terms import PROVIDER, Terms
from gateway.payments.till import Till
from gateway.ports.attempts import Attempts, AttemptState, Sale
from gateway.ports.cashbook import CheckoutOutcome, CheckoutRecord, CheckoutStatus
from gateway.ports.clearing import ClearingUnavailable, Facilitator, NotAsked
from gateway.protocols import x402
from gateway.protocols.encoding import Malformed

FIRST_LOOK_MS = 120_000
"""When somebody looks by itself what became of a payment whose settlement was asked for: nobody does where it is known
by then."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A payment beside what is asked for."""

    payment: x402.Payment
    wanted: x402.Requirements
    digest: str
    """Stands for all that came, of which something is known to nobody but who was made the offer."""
    holder: str = field(default_factory=lambda: secrets.token_hex(8))


class SignedPayments:
    """Takes signed payments for one config."""

    def __init__(self, till: Till, attempts: Attempts, facilitator: Facilitator, terms: Terms) -> None:
        self._till, self._attempts, self._facilitator = till, attempts, facilitator
        self._settling = Settling(till, attempts, facilitator, terms)
        self.terms = terms

    async def begin(self, signed: Signed) -> Verdict:
        """Claim and verify a payment, or say how far it has come. Raises `StoreUnavailable`."""
        key = signed.payment.key
        attempt = await self._attempts.begin(key, signed.holder, signed.digest, self.terms.lease_ms)
        match attempt.state:
            case AttemptState.CLAIMED:
                verdict = await self._verify(signed)
                if verdict.stand is not Stand.VERIFIED:
                    await self.drop(signed)
                return verdict
            case AttemptState.SETTLED:
                await self._settling.credit(key, attempt)
                return Verdict(Stand.SETTLED, attempt=attempt)
            case AttemptState.UNKNOWN:
                return await self._settling.again(key, attempt)
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
        key = signed.payment.key
        if opened.record.session != key:
            await self._till.payments.note_session(subject, record.id, key)
        reference = self._till.references.make(subject.key, record.id)
        await self._till.pending.watch(reference, self._till.now() + FIRST_LOOK_MS)
        request = json.dumps(x402.request_to_facilitator(signed.payment, signed.wanted))
        sale = Sale(offer.hold, subject.key, record.id, amount, request)
        return await self._settling.settle(key, signed.holder, sale)

    async def known(self, signed: Signed, hold: str) -> Verdict:
        """What became of a payment for this hold before; changes nothing. Raises `StoreUnavailable`."""
        attempt = await self._attempts.get(signed.payment.key)
        if attempt is None or attempt.state is not AttemptState.SETTLED or attempt.hold != hold:
            return Verdict(Stand.BUSY)
        return Verdict(Stand.SETTLED, attempt=attempt)

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
        mismatch = x402.mismatch(signed.payment, signed.wanted, self._till.now() // 1000)
        if mismatch:
            return Verdict(Stand.INVALID, mismatch)
        try:
            told = await self._facilitator.verify(x402.request_to_facilitator(signed.payment, signed.wanted))
            verification = x402.read_verification(told)
        except (ClearingUnavailable, Malformed) as error:
            self._till.log(f"x402: a payment could not be verified, and nothing was taken: {error}")
            return Verdict(Stand.UNREACHABLE if isinstance(error, NotAsked) else Stand.NONSENSE)
        if not verification.is_valid:
            return Verdict(Stand.INVALID, verification.reason or "invalid_payload")
        return Verdict(Stand.VERIFIED)


_STANDS = {
    AttemptState.BUSY: Stand.BUSY,
    AttemptState.ANOTHERS: Stand.ANOTHERS,
    AttemptState.FAILED: Stand.FAILED,
}
_REFUSALS = {CheckoutOutcome.ALREADY_PAID: Stand.COVERED, CheckoutOutcome.OUTDATED: Stand.OUTDATED}
"""What keeps a checkout from being opened."""
