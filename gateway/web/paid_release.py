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
from gateway.payments.offer import Offer
from gateway.payments.settling import Stand, Verdict
from gateway.payments.signed import Signed
from gateway.payments.tickets import Ticket
from gateway.ports.cashbook import CheckoutOutcome
from gateway.ports.state import HoldRecord
from gateway.protocols import l402
from gateway.protocols.encoding import Malformed
from gateway.web.agents import Agents, refusal, unreadable
from gateway.web.answers import OwnAnswer
from gateway.web.challenges import Challenges
from gateway.web.faces import Faces
from gateway.web.person import Denied, People, Person
from gateway.web.runtime import Runtime
from gateway.web.tolls import Tolls

Receipt = Callable[[Signed, Verdict], Headers]


@dataclass(frozen=True, slots=True)
class Brought:
    """A payment as a request brings it, by whichever protocol."""

    ticket: Ticket | None
    beside: Callable[[Rule], Signed | l402.Credential | Verdict | None]
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
    payment: Signed | l402.Credential
    receipt: Receipt


class PaidRelease:
    """Takes payments for held results, by one config."""

    def __init__(self, runtime: Runtime, faces: Faces, people: People) -> None:
        self._runtime, self._faces, self._people = runtime, faces, people
        terms = runtime.signed.terms if runtime.signed is not None else None
        self._challenges = Challenges(runtime, terms) if terms is not None and terms.by_scheme else None
        self._tolls = Tolls(runtime, runtime.lightning) if runtime.lightning is not None else None

    async def read(self, request: Request, hold: str) -> PaidRequest | None:
        """The payment that a request brings; None where it brings none, or none is taken for this result. Raises
        `Denied`, `StoreUnavailable`."""
        headers: Headers = list(request.scope["headers"])
        if request.method != "GET":
            return None
        try:
            brought = self._brought(headers)
            if brought is None:
                return None
            person, record = await self._whose(request, brought.ticket, hold)
            rule = self._people.rule(record.route)
            signed = brought.beside(rule)
            is_taken = brought.is_bound and not isinstance(signed, Verdict)
            if is_taken and (brought.ticket is None or brought.ticket.hold != hold):
                signed = Verdict(Stand.INVALID, "its challenge was for another result")
        except Malformed as error:
            raise Denied(self._faces.refuse(400, Reason.PAYMENT_MALFORMED, unreadable(error), headers)) from None
        if isinstance(signed, Verdict):
            raise await self._refused(signed, person, rule, record, [])
        return PaidRequest(person, record, rule, signed, brought.receipt) if signed is not None else None

    def _brought(self, headers: Headers) -> Brought | None:
        tolls, agents = self._tolls, self._faces.agents
        toll = tolls.read(headers) if tolls is not None else None
        if tolls is not None and toll is not None:
            fault = tolls.fault(toll)
            judged: Verdict | l402.Credential = Verdict(Stand.INVALID, fault) if fault else toll
            return Brought(tolls.ticket(toll), lambda rule: judged, lambda signed, verdict: [], is_bound=True)
        payment = agents.read(headers) if agents is not None else None
        if agents is not None and payment is not None:
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
        person, payment = paid.person, paid.payment
        offer = self._faces.offer(person.subject, person.state, paid.rule, paid.record.id)
        if isinstance(payment, l402.Credential):
            verdict = await self._toll(payment, person.subject, offer)
            if verdict.stand is Stand.COVERED:
                return []
            raise await self._refused(verdict, person, paid.rule, paid.record, [])
        agents = self._agents
        verdict = await agents.begin(payment, person.state.unknown_checkout)
        if verdict.stand is Stand.VERIFIED:
            verdict = await agents.settle(payment, person.subject, offer)
        attempt = verdict.attempt
        if verdict.stand is Stand.SETTLED and (attempt is None or attempt.hold != paid.record.id):
            verdict = Verdict(Stand.ANOTHERS)  # one payment is good for one result
        receipt = paid.receipt(payment, verdict)
        if verdict.stand in (Stand.SETTLED, Stand.COVERED):
            return receipt
        raise await self._refused(verdict, person, paid.rule, paid.record, receipt)

    async def receipt_of(self, paid: PaidRequest) -> Headers:
        """What is said of a payment that comes again with a result that is paid for."""
        if isinstance(paid.payment, l402.Credential):
            return []
        return paid.receipt(paid.payment, await self._agents.known(paid.payment, paid.record.id))

    async def _toll(self, credential: l402.Credential, subject: Subject, offer: Offer) -> Verdict:
        """Credit what was paid over the Lightning network; COVERED once it is."""
        assert self._runtime.lightning is not None
        outcome = await self._runtime.lightning.credit(credential, subject, offer)
        return Verdict(Stand.OUTDATED if outcome is CheckoutOutcome.OUTDATED else Stand.COVERED)

    async def in_doubt(self, person: Person, rule: Rule, record: HoldRecord) -> OwnAnswer | None:
        """The answer where it is not known of a payment by a program for this result whether it arrived."""
        checkout = person.state.unknown_checkout
        if self._faces.agents is None or not checkout:
            return None
        found = await self._runtime.payments.checkout(person.subject, checkout)
        if found is None or found.hold != record.id:
            return None
        return (await self._refused(Verdict(Stand.UNKNOWN), person, rule, record, [])).answer

    def resource(self, person: Person, hold: str) -> str:
        """Where a payment for this result may be sent; empty where none is taken."""
        if self._faces.agents is None:
            return ""
        return f"{self._runtime.public_url or person.base}{self._runtime.prefix}/hold/{hold}"

    async def challenge(self, subject: Subject, rule: Rule, hold: str, resource: str) -> Headers:
        """How else than by x402 it can be paid for."""
        lines: Headers = []
        if self._challenges is not None:
            lines += self._challenges.offered(subject, rule, hold, resource)
        if self._tolls is not None:
            lines += await self._tolls.offered(subject, rule, hold)
        return lines

    async def _refused(
        self, verdict: Verdict, person: Person, rule: Rule, record: HoldRecord, receipt: Headers
    ) -> Denied:
        refused, resource = refusal(verdict), self.resource(person, record.id)
        if refused.asks_again:
            receipt = [*receipt, *await self.challenge(person.subject, rule, record.id, resource)]
        return Denied(
            self._faces.refuse_payment(refused, person.subject, rule, record.id, resource, person.headers, receipt)
        )

    @property
    def _agents(self) -> Agents:
        assert self._faces.agents is not None
        return self._faces.agents
