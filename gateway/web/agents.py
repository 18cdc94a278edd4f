"""Programs that pay with the request itself: what they are offered, and what they are told of their payment."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from typing import Any

from gateway.core.header import Headers, first
from gateway.core.reason import Reason
from gateway.core.rule import RouteClass, Rule
from gateway.core.subject import Subject
from gateway.language.catalogue import phrase
from gateway.language.language import Sentence
from gateway.payments.offer import Offer
from gateway.payments.settling import Stand, Verdict
from gateway.payments.signed import Signed, SignedPayments
from gateway.payments.tickets import Ticket
from gateway.protocols import x402
from gateway.protocols.encoding import Malformed
from gateway.web.runtime import Runtime

SOLD_FOR = frozenset(
    {
        Reason.RESULT_HELD, Reason.RESULT_PREVIEWED, Reason.PAYMENT_REQUIRED, Reason.DECLINED, Reason.HOLD_UNPAID,
        Reason.HOLD_LIMIT_REACHED,
    }
)  # fmt: skip
"""Reasons to ask for money where one result is sold with the request itself."""

OFFERED_FOR = SOLD_FOR - {Reason.HOLD_LIMIT_REACHED}
"""Those where it is offered: where no more can be kept, only what is kept already can be sold."""

EXPOSED = (b"access-control-expose-headers", b"PAYMENT-REQUIRED, PAYMENT-RESPONSE")
"""What scripts of other sites may read of an answer, where the service lets them ask at all (Fetch Standard)."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """How a payment that bought nothing is answered."""

    status: int
    reason: Reason
    detail: Sentence
    retry_seconds: int = 0
    asks_again: bool = False
    """Whether it says again how to pay: never while money may be on its way."""


_AGAIN = phrase("Nothing was taken. Send the same request again in a moment.")
_REFUSALS = {
    Stand.BUSY: Refusal(
        503, Reason.PAYMENT_IN_PROGRESS,
        Sentence("Send the same request again, with the same signature: it has the result."), 2,
    ),
    Stand.INVALID: Refusal(
        402, Reason.PAYMENT_INVALID, Sentence("Nothing was taken: %(why)s."), asks_again=True
    ),
    Stand.ANOTHERS: Refusal(
        402, Reason.PAYMENT_INVALID, Sentence("It was used before. Nothing was taken now; sign another."),
        asks_again=True,
    ),
    Stand.FAILED: Refusal(
        402, Reason.PAYMENT_FAILED, Sentence("Nothing was taken: %(why)s. Sign another."), asks_again=True
    ),
    Stand.UNKNOWN: Refusal(
        503, Reason.PAYMENT_UNKNOWN,
        Sentence("Do not pay again. Send the same request later, with the same signature: it has the result once the "
                 "payment is found."), 60,
    ),
    Stand.UNREACHABLE: Refusal(503, Reason.PROVIDER_UNAVAILABLE, Sentence(_AGAIN), 5),
    Stand.NONSENSE: Refusal(502, Reason.PROVIDER_UNAVAILABLE, Sentence(_AGAIN), 5),
    Stand.OUTDATED: Refusal(
        409, Reason.OFFER_OUTDATED,
        Sentence("Something was paid meanwhile, and nothing was taken now. Ask again without paying."),
    ),
}  # fmt: skip


def refusal(verdict: Verdict) -> Refusal:
    """How a payment is answered that bought nothing."""
    found = _REFUSALS[verdict.stand]
    reason = verdict.reason[:100] if verdict.reason.isascii() and verdict.reason.isprintable() else ""
    return replace(found, detail=Sentence(found.detail.message, {"why": reason or "it was refused"}))


def unreadable(error: Malformed) -> Sentence:
    """What is said of a payment that can't be read."""
    return Sentence("What was sent to pay with can't be taken: it %(why)s.", {"why": str(error)})


class Agents:
    """Sells one result at a time, by one config."""

    def __init__(self, runtime: Runtime, signed: SignedPayments) -> None:
        self._runtime, self._signed = runtime, signed

    def offered(self, subject: Subject, rule: Rule, hold: str, resource: str, error: str = "") -> Headers:
        """The headers that say how to pay for a result of this route, `hold` where it is kept already; none where it
        is not sold so. `resource` is where the payment is to be sent."""
        if rule.route_class is not RouteClass.RESULT:
            return []
        tickets = self._runtime.tickets
        ticket = tickets.make(subject.key, hold) if hold else tickets.blank()
        requirements = self._signed.terms.requirements(rule.name, ticket)
        if requirements is None:
            return []
        site = {"url": resource, "description": f"One result of {self._runtime.site.name}"}
        return [(x402.REQUIRED, x402.payment_required([requirements], site, error)), EXPOSED]

    def read(self, headers: Headers) -> x402.Payment | None:
        """What a request brings to pay with; None where it brings nothing. Raises `Malformed`."""
        value = first(headers, x402.SIGNATURE)
        return x402.read_payment(value) if value else None

    def ticket(self, payment: x402.Payment) -> Ticket | None:
        """Whose result it says it is for, by our own word."""
        return self._runtime.tickets.read(payment.ticket)

    def beside(self, payment: x402.Payment, rule: Rule) -> Signed | None:
        """A payment beside what a result of this route costs; None where it is not sold so."""
        wanted = self._signed.terms.requirements(rule.name, payment.ticket)
        return Signed(payment, wanted, payment.digest) if wanted is not None else None

    async def begin(self, signed: Signed, in_doubt: str) -> Verdict:
        """Claim and verify. `in_doubt` is a checkout of which nobody can say whether it was paid: no other payment is
        taken meanwhile."""
        try:
            verdict = await self._signed.begin(signed)
        except BaseException:
            self.drop(signed)  # of no effect where it has come further
            raise
        if verdict.stand is Stand.VERIFIED and in_doubt:
            await self._signed.drop(signed)
            return Verdict(Stand.UNKNOWN)
        return verdict

    def drop(self, signed: Signed) -> None:
        """Let go of a verified payment, soon: nothing comes of it."""
        self._runtime.background.run(self._signed.drop(signed))

    async def settle(self, signed: Signed, subject: Subject, offer: Offer) -> Verdict:
        """Have it settled for what is held, once."""
        return await self._finish(self._signed.settle(signed, subject, offer))

    def receipt(self, signed: Signed, verdict: Verdict) -> Headers:
        """What is said of the settlement beside the result, or the refusal."""
        response = self._signed.response(signed, verdict)
        return [(x402.RESPONSE, response), EXPOSED] if response else []

    async def known(self, signed: Signed, hold: str) -> Verdict:
        """What became of a payment for this result before."""
        return await self._signed.known(signed, hold)

    async def _finish(self, work: Coroutine[Any, Any, Verdict]) -> Verdict:
        """The verdict, which is come to also where the client leaves meanwhile: money may be on its way."""
        task = asyncio.create_task(work)
        self._runtime.background.run(_wait_for(task))
        return await asyncio.shield(task)


async def _wait_for(task: asyncio.Task[Verdict]) -> None:
    """Until it has ended, however it ends: whoever asked is told, if they are still there."""
    await asyncio.wait([task])
    if not task.cancelled():
        task.exception()
