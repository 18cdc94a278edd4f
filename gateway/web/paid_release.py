"""A held result that is asked for with a payment in the same request.

Whoever brings back the ticket that was given along with the offer need not sign in again: the ticket names whose result
it is, and was given to nobody else. So programs without an account, or whose account is named in a header that the
payment takes, get what they pay for.
"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from gateway.access.keep import OpenRefusal
from gateway.core.header import Headers
from gateway.core.reason import Reason
from gateway.core.rule import Rule
from gateway.payments.settling import Stand, Verdict
from gateway.payments.signed import Signed
from gateway.ports.state import HoldRecord
from gateway.protocols.encoding import Malformed
from gateway.web.agents import Agents
from gateway.web.answers import OwnAnswer, sentence
from gateway.web.faces import Faces
from gateway.web.person import Denied, People, Person
from gateway.web.runtime import Runtime


@dataclass(frozen=True, slots=True)
class PaidRequest:
    """A request for a held result that brings a payment for it."""

    person: Person
    record: HoldRecord
    rule: Rule
    signed: Signed
    resource: str


class PaidRelease:
    """Takes payments for held results, by one config."""

    def __init__(self, runtime: Runtime, faces: Faces, people: People) -> None:
        self._runtime, self._faces, self._people = runtime, faces, people

    async def read(self, request: Request, hold: str) -> PaidRequest | None:
        """The payment that a request brings; None where it brings none, or none is taken for this result. Raises
        `Denied`, `StoreUnavailable`."""
        agents = self._faces.agents
        headers: Headers = list(request.scope["headers"])
        if agents is None or request.method != "GET":
            return None
        try:
            payment = agents.read(headers)
        except Malformed as error:
            detail = sentence(f"it {error}")
            raise Denied(self._faces.refuse(400, Reason.PAYMENT_MALFORMED, detail, headers)) from None
        if payment is None:
            return None
        ticket = agents.ticket(payment)
        owner = ticket.owner if ticket is not None and ticket.hold == hold else ""
        subject = await self._runtime.payments.subject(owner) if owner else None
        # A subject of which the store knows nothing yet has no name there, and is who asks.
        person = await (self._people.named(request, subject) if subject else self._people.who(request))
        record = await self._runtime.keeper.look(person.subject, hold)
        if isinstance(record, OpenRefusal):
            raise Denied(self._faces.refuse_hold(record, person.headers))
        rule = self._people.rule(record.route)
        signed = agents.beside(payment, rule)
        return PaidRequest(person, record, rule, signed, self.resource(person, hold)) if signed is not None else None

    async def pay(self, paid: PaidRequest) -> Headers:
        """Take the payment, once; what is to be said of it beside the result. Raises `Denied` where it bought nothing,
        and `StoreUnavailable`."""
        agents = self._agents
        verdict = await agents.begin(paid.signed, paid.person.state.unknown_checkout)
        if verdict.stand is Stand.VERIFIED:
            offer = self._faces.offer(paid.person.subject, paid.person.state, paid.rule, paid.record.id)
            verdict = await agents.settle(paid.signed, paid.person.subject, offer)
        return self._bought(agents, paid, verdict)

    def _bought(self, agents: Agents, paid: PaidRequest, verdict: Verdict) -> Headers:
        receipt = agents.receipt(paid.signed, verdict)
        attempt = verdict.attempt
        if verdict.stand is Stand.COVERED:
            return receipt
        if verdict.stand is Stand.SETTLED and attempt is not None and attempt.hold == paid.record.id:
            return receipt
        if verdict.stand is Stand.SETTLED:  # another result: one payment is good for one
            verdict, receipt = Verdict(Stand.ANOTHERS), []
        person = paid.person
        raise Denied(
            self._faces.refuse_payment(
                agents.refusal(verdict), person.subject, paid.rule, paid.record.id, paid.resource, person.headers,
                receipt,
            )
        )  # fmt: skip

    async def receipt_of(self, paid: PaidRequest) -> Headers:
        """What is said of a payment that comes again with a result that is paid for."""
        return await self._agents.known_receipt(paid.signed, paid.record.id)

    async def in_doubt(self, person: Person, rule: Rule, record: HoldRecord) -> OwnAnswer | None:
        """The answer where it is not known of a payment by a program for this result whether it arrived."""
        checkout = person.state.unknown_checkout
        if self._faces.agents is None or not checkout:
            return None
        found = await self._runtime.payments.checkout(person.subject, checkout)
        if found is None or found.hold != record.id:
            return None
        refusal = self._agents.refusal(Verdict(Stand.UNKNOWN))
        return self._faces.refuse_payment(refusal, person.subject, rule, record.id, "", person.headers, [])

    def resource(self, person: Person, hold: str) -> str:
        """Where a payment for this result may be sent; empty where none is taken."""
        if self._faces.agents is None:
            return ""
        return f"{self._runtime.public_url or person.base}{self._runtime.prefix}/hold/{hold}"

    @property
    def _agents(self) -> Agents:
        assert self._faces.agents is not None
        return self._faces.agents
