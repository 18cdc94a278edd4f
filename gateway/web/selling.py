"""Sell one result with the request that asks for it: verify, produce or take what is held, settle, deliver.

Nothing is settled before the result is kept: what the application refuses, or fails to give, costs nothing. Nothing is
delivered before it is settled. What was settled is found again by the same request with the same signature.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from gateway.access.keep import OpenRefusal
from gateway.access.seal import Damaged
from gateway.core.header import Headers
from gateway.core.reason import Reason
from gateway.core.rule import Rule
from gateway.core.standing import SubjectState
from gateway.core.subject import Subject
from gateway.language.catalogue import phrase
from gateway.payments.settling import Stand, Verdict
from gateway.payments.signed import Signed
from gateway.ports.state import HoldRecord, StoreUnavailable
from gateway.protocols.encoding import Malformed
from gateway.web.agents import Agents, refusal, unreadable
from gateway.web.answers import OwnAnswer
from gateway.web.exchange import Exchange
from gateway.web.faces import Faces
from gateway.web.forward import CutShort
from gateway.web.held import held_headers, record_release
from gateway.web.refusing import without_store
from gateway.web.runtime import Runtime

Produce = Callable[[], Awaitable[HoldRecord | None]]
"""Makes the result and keeps it; None where none came of it, and the client has been told."""


def without_payment(headers: Headers) -> Headers:
    """Headers for the application where its result is sold here: the payment is none of its business."""
    return [pair for pair in headers if pair[0] != b"payment-signature"]


class Selling:
    """One request that may bring a payment."""

    def __init__(self, runtime: Runtime, faces: Faces, exchange: Exchange, headers: Headers, resource: str) -> None:
        self._runtime, self._faces, self._exchange = runtime, faces, exchange
        self._headers, self._resource = headers, resource

    async def sell(
        self, rule: Rule, subject: Subject, state: SubjectState, asked: str, produce: Produce
    ) -> OwnAnswer | bool | None:
        """Sell a result of this route. False where the request brings no payment for it; else the answer that is to be
        given, or None where it has been. `asked` is the request's fingerprint."""
        agents = self._faces.agents
        if agents is None:
            return False
        try:
            payment = agents.read(self._headers)
        except Malformed as error:
            return self._faces.refuse(400, Reason.PAYMENT_MALFORMED, unreadable(error), self._headers)
        signed = agents.beside(payment, rule) if payment is not None else None
        if signed is None:
            return False
        try:
            return await self._take(agents, signed, rule, subject, state, asked, produce)
        except StoreUnavailable as error:
            self._exchange.detail = str(error)
            if self._exchange.status:
                raise CutShort from error
            # Whatever else is allowed without the store: money may be on its way.
            return without_store(self._faces, self._headers)

    async def _take(
        self, agents: Agents, signed: Signed, rule: Rule, subject: Subject, state: SubjectState, asked: str,
        produce: Produce,
    ) -> OwnAnswer | None:  # fmt: skip
        verdict = await agents.begin(signed, state.unknown_checkout)
        record: HoldRecord | None = None
        if verdict.stand is Stand.VERIFIED:
            record = await self._result(agents, signed, subject, asked, produce)
            if record is None:
                return None
            offer = self._faces.offer(subject, state, rule, record.id)
            verdict = await agents.settle(signed, subject, offer)
        if verdict.stand in (Stand.SETTLED, Stand.COVERED):
            return await self._deliver(agents, signed, verdict, subject, record)
        hold = record.id if record is not None else ""
        return self._faces.refuse_payment(
            refusal(verdict), subject, rule, hold, self._resource, self._headers, agents.receipt(signed, verdict)
        )

    async def _result(
        self, agents: Agents, signed: Signed, subject: Subject, asked: str, produce: Produce
    ) -> HoldRecord | None:
        """What is held already and named by the payment's ticket, or asked for again; else it is made."""
        try:
            record = await self._held(agents, signed, subject) or await self._runtime.keeper.find(subject, asked)
            record = record or await produce()
        except BaseException:
            agents.drop(signed)
            raise
        if record is None:
            agents.drop(signed)
        return record

    async def _held(self, agents: Agents, signed: Signed, subject: Subject) -> HoldRecord | None:
        ticket = agents.ticket(signed.payment)
        if ticket is None or ticket.owner != subject.key:
            return None
        found = await self._runtime.keeper.look(subject, ticket.hold)
        return found if isinstance(found, HoldRecord) else None

    async def _deliver(
        self, agents: Agents, signed: Signed, verdict: Verdict, subject: Subject, record: HoldRecord | None
    ) -> OwnAnswer | None:
        hold, owner = record.id if record is not None else "", subject
        if verdict.attempt is not None:
            hold = verdict.attempt.hold
            owner = await self._runtime.payments.subject(verdict.attempt.owner) or subject
        receipt = agents.receipt(signed, verdict)
        try:
            opened = await self._runtime.keeper.open(owner, hold, lambda route: False)
            if isinstance(opened, OpenRefusal) and owner != subject:  # who paid as a visitor may have signed in since
                opened, owner = await self._runtime.keeper.open(subject, hold, lambda route: False), subject
        except Damaged as error:
            self._exchange.detail = str(error)
            detail = phrase("What was kept no longer opens. No payment is lost: tell the service, or ask for it again.")
            return self._faces.refuse(500, Reason.HOLD_DAMAGED, detail, self._headers, receipt)
        if isinstance(opened, OpenRefusal):
            refused = self._faces.refuse_hold(opened, self._headers)
            return OwnAnswer(refused.status, refused.reason, [*refused.headers, *receipt], refused.body)
        self._exchange.reason = Reason.RELEASED
        head = [*held_headers(self._runtime, opened.record, opened.head), *receipt]
        await self._exchange.start_answer(opened.head.status, head)
        try:
            async for piece in opened.body:
                await self._exchange.send_body(piece, more=True)
        except (Damaged, StoreUnavailable) as error:
            self._exchange.detail = str(error)
            self._exchange.break_off()
            raise CutShort from error
        await self._exchange.send_body(b"", more=False)
        record_release(self._runtime, owner, opened)
        return None
