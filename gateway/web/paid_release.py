"""A held result that is asked for with a payment in the same request.

Whoever brings back the ticket that was given along with the offer need not sign in again: the ticket names whose result
it is, and was given to nobody else. So programs without an account, or whose account is named in a header that the
payment takes, get what they pay for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request

from gateway.access.keep import OpenRefusal
from gateway.core.header import Headers
from gateway.core.reason import Reason
from gateway.core.rule import Rule
from gateway.core.subject import Subject
from gateway.payments.settling import Stand, Verdict
from gateway.payments.signed import Signed
from gateway.payments.tickets import Ticket
from gateway.ports.state import HoldRecord
from gateway.protocols.encoding import Malformed
from gateway.web.agents import Agents, unreadable
from gateway.web.answers import OwnAnswer
from gateway.web.challenges import Challenges
from gateway.web.faces import Faces
from gateway.web.person import Denied, People, Person
from gateway.web.runtime import Runtime

Receipt = Callable[[Signed, Verdict], Headers]


@dataclass(frozen=True, slots=True)
class Brought:
    """A payment as a request brings it, by whichever protocol."""

    ticket: Ticket | None
    beside: Callable[[Rule], Signed | Verdict | None]
    """The payment beside what a result of this route costs; a verdict where it can't pay for it, None where it is not
    sold so. Raises `Malformed`."""
    receipt: Receipt
    is_bound: bool = False
    """Whether it was signed for the result of its ticket, and for no other."""


@dataclass(frozen=True, slots=True)
class PaidRequest:
    """A request for a held result that brings a payment for it."""

    person: Person
    record: HoldRecord
    rule: Rule
    signed: Signed
    receipt: Receipt


class PaidRelease:
    """Takes payments for held results, by one config."""

    def __init__(self, runtime: Runtime, faces: Faces, people: People) -> None:
        self._runtime, self._faces, self._people = runtime, faces, people
        terms = runtime.signed.terms if runtime.signed is not None else None
        self._challenges = Challenges(runtime, terms) if terms is not None and terms.by_scheme else None

    async def read(self, request: Request, hold: str) -> PaidRequest | None:
        """The payment that a request brings; None where it brings none, or none is taken for this result. Raises
        `Denied`, `StoreUnavailable`."""
        if self._faces.agents is None or request.method != "GET":
            return None
        headers: Headers = list(request.scope["headers"])
        try:
            brought = self._brought(self._faces.agents, headers)
            if brought is None:
                return None
            person, record = await self._whose(request, brought.ticket, hold)
            rule = self._people.rule(record.route)
            signed = brought.beside(rule)
            if brought.is_bound and (brought.ticket is None or brought.ticket.hold != hold):
                signed = Verdict(Stand.INVALID, "its challenge was for another result")
        except Malformed as error:
            raise Denied(self._faces.refuse(400, Reason.PAYMENT_MALFORMED, unreadable(error), headers)) from None
        if isinstance(signed, Verdict):
            raise self._refused(signed, person, rule, record, [])
        return PaidRequest(person, record, rule, signed, brought.receipt) if signed is not None else None

    def _brought(self, agents: Agents, headers: Headers) -> Brought | None:
        payment = agents.read(headers)
        if payment is not None:
            return Brought(agents.ticket(payment), lambda rule: agents.beside(payment, rule), agents.receipt)
        challenges = self._challenges
        credential = challenges.read(headers) if challenges is not None else None
        if challenges is None or credential is None:
            return None
        return Brought(
            challenges.ticket(credential),
            lambda rule: challenges.beside(credential, rule),
            lambda signed, verdict: challenges.receipt(verdict),
            is_bound=True,
        )

    async def _whose(self, request: Request, ticket: Ticket | None, hold: str) -> tuple[Person, HoldRecord]:
        owner = ticket.owner if ticket is not None and ticket.hold == hold else ""
        subject = await self._runtime.payments.subject(owner) if owner else None
        # A subject of which the store knows nothing yet has no name there, and is who asks.
        person = await (self._people.named(request, subject) if subject else self._people.who(request))
        record = await self._runtime.keeper.look(person.subject, hold)
        if isinstance(record, OpenRefusal):
            raise Denied(self._faces.refuse_hold(record, person.headers))
        return person, record

    async def pay(self, paid: PaidRequest) -> Headers:
        """Take the payment, once; what is to be said of it beside the result. Raises `Denied` where it bought nothing,
        and `StoreUnavailable`."""
        agents, person = self._agents, paid.person
        verdict = await agents.begin(paid.signed, person.state.unknown_checkout)
        if verdict.stand is Stand.VERIFIED:
            offer = self._faces.offer(person.subject, person.state, paid.rule, paid.record.id)
            verdict = await agents.settle(paid.signed, person.subject, offer)
        attempt = verdict.attempt
        if verdict.stand is Stand.SETTLED and (attempt is None or attempt.hold != paid.record.id):
            verdict = Verdict(Stand.ANOTHERS)  # one payment is good for one result
        receipt = paid.receipt(paid.signed, verdict)
        if verdict.stand in (Stand.SETTLED, Stand.COVERED):
            return receipt
        raise self._refused(verdict, person, paid.rule, paid.record, receipt)

    async def receipt_of(self, paid: PaidRequest) -> Headers:
        """What is said of a payment that comes again with a result that is paid for."""
        return paid.receipt(paid.signed, await self._agents.known(paid.signed, paid.record.id))

    async def in_doubt(self, person: Person, rule: Rule, record: HoldRecord) -> OwnAnswer | None:
        """The answer where it is not known of a payment by a program for this result whether it arrived."""
        checkout = person.state.unknown_checkout
        if self._faces.agents is None or not checkout:
            return None
        found = await self._runtime.payments.checkout(person.subject, checkout)
        if found is None or found.hold != record.id:
            return None
        return self._refused(Verdict(Stand.UNKNOWN), person, rule, record, []).answer

    def resource(self, person: Person, hold: str) -> str:
        """Where a payment for this result may be sent; empty where none is taken."""
        if self._faces.agents is None:
            return ""
        return f"{self._runtime.public_url or person.base}{self._runtime.prefix}/hold/{hold}"

    def challenge(self, subject: Subject, rule: Rule, hold: str, resource: str) -> Headers:
        """How else than by x402 it can be paid for."""
        return self._challenges.offered(subject, rule, hold, resource) if self._challenges is not None else []

    def _refused(self, verdict: Verdict, person: Person, rule: Rule, record: HoldRecord, receipt: Headers) -> Denied:
        refusal, resource = self._agents.refusal(verdict), self.resource(person, record.id)
        if refusal.asks_again:
            receipt = [*receipt, *self.challenge(person.subject, rule, record.id, resource)]
        return Denied(
            self._faces.refuse_payment(refusal, person.subject, rule, record.id, resource, person.headers, receipt)
        )

    @property
    def _agents(self) -> Agents:
        assert self._faces.agents is not None
        return self._faces.agents
