"""Who a request is from, where they stand, and what is decided: the same for requests and WebSockets."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.access.decide import decide, standing_on
from gateway.access.once import Whence
from gateway.access.trial import with_trial
from gateway.core.decision import Decision
from gateway.core.header import Headers
from gateway.core.rule import RouteClass, Rule
from gateway.core.standing import SubjectState
from gateway.core.subject import Subject
from gateway.ports.identity import Credentials, Identified, Rejected
from gateway.ports.state import NO_TRIAL, NotAsked, TrialBegin
from gateway.web.answers import wants_page
from gateway.web.case import Case
from gateway.web.exchange import Exchange
from gateway.web.proving import proof_for
from gateway.web.runtime import Runtime
from gateway.web.signing_in import join
from gateway.web.ticket import Ticket, grace_of


@dataclass(frozen=True, slots=True)
class Known:
    """What was found out of one request already: who it is from and, unless the store gave no answer, their state."""

    identified: Identified
    state: SubjectState | None
    ticket: Ticket | None
    """Under which a grace result was taken, or may have been."""


class Asker:
    """Whoever stands at the other end of an exchange; asked for no sooner than a decision needs it."""

    __slots__ = (
        "_address", "_credentials", "_exchange", "_from", "_identified", "_is_current", "_is_without_store", "_runtime",
        "fresh", "state", "subject", "ticket",
    )  # fmt: skip

    def __init__(self, runtime: Runtime, exchange: Exchange, credentials: Credentials, address: str) -> None:
        """`address` is the client's, as far as it can be believed."""
        self._address = address
        self._runtime, self._exchange, self._credentials = runtime, exchange, credentials
        self._identified: Identified | Rejected | None = None
        self.subject: Subject | None = None
        self.state: SubjectState | None = None
        self.fresh = False
        """A visitor whose cookie has not come back yet. Nothing is stored for them: a program that keeps no cookies
        would fill the store."""
        self.ticket: Ticket | None = None
        """Of a grace result that may have been taken with the state; for the caller to close or give back."""
        self._from: Whence | None = None
        self._is_without_store = False
        self._is_current = False
        """The state was read for the question that comes next."""

    @property
    def rejected(self) -> Rejected | None:
        """The proof of identity that came along and does not hold."""
        return self._identified if isinstance(self._identified, Rejected) else None

    def _whence(self) -> Whence:
        """Where the request comes from. A browser that is not known yet gets its cookie with a page, and counts as the
        one that it will be known as."""
        if self._from is None:
            found, devices = self._runtime.whence(self._address, self._credentials), self._runtime.devices
            if devices is not None and not found.device and wants_page(self._credentials.headers):
                schemes = self._credentials.header(b"x-forwarded-proto") if self._credentials.peer_trusted else []
                device, self._exchange.device = devices.made(secure=schemes == [b"https"])
                found = Whence(self._address, device)
            self._from = found
        return self._from

    async def note_visit(self, navigates: bool) -> None:
        """Somebody came by an open route: begins a trial in the background; a new visitor gets a cookie with a page."""
        identities = self._runtime.identities
        trace = identities.trace(self._credentials.headers)
        self._whence()
        if not navigates and not trace:
            return
        identified = self._identified = await identities.identify(self._credentials)
        if not isinstance(identified, Identified):
            return
        if identified.set_cookie:
            self._exchange.cookie = identified.set_cookie if navigates else b""
            return
        signed_in = await join(self._runtime, self._credentials, identified, self._whence(), is_awaited=False)
        self._exchange.cookie = signed_in.cookie
        if not signed_in.is_done:
            return
        begin = self._runtime.trial_begin(identified, RouteClass.OPEN, self._whence())
        visits = self._runtime.visits
        if trace and (begin is None or visits.note(identified.subject, begin)):
            visits.meet(trace)

    async def read_standing(self, rule: Rule, case: Case) -> None:
        """`look_up` for a page that may have to tell its reader where they stand; it is their visit, too.

        Who reads what is not told to the log. Raises `StoreUnavailable`.
        """
        await self.look_up(rule, case, named=False)
        if self.state is not None and not self.fresh:
            self._runtime.visits.meet(self._runtime.identities.trace(self._credentials.headers))

    def accept(self, known: Known) -> None:
        """Go on with what was found out on the short way."""
        self._identified, self.subject, self.state = known.identified, known.identified.subject, known.state
        self._exchange.subject = self._runtime.keyring.pseudonym(known.identified.subject)
        self.ticket, self._is_current = known.ticket, known.state is not None

    async def look_up(self, rule: Rule, case: Case, named: bool = True, may_take: bool = False) -> None:
        """Identify the subject and read its state as far as this rule asks. Raises `StoreUnavailable`.

        `named`: the log tells whom it was about, by a pseudonym. `may_take`: where a grace result is all that they
        have, it is taken with the same call (`ticket`).
        """
        runtime = self._runtime
        if self._is_current:
            self._is_current = False
            return
        if self._identified is None:
            self._identified = await runtime.identities.identify(self._credentials)
        identified = self._identified
        if not isinstance(identified, Identified):
            return
        self.subject, self.fresh = identified.subject, bool(identified.set_cookie)
        if named:
            self._exchange.subject = runtime.keyring.pseudonym(identified.subject)
        signed_in = await join(runtime, self._credentials, identified, self._whence(), is_awaited=True)
        self._exchange.cookie = identified.set_cookie or signed_in.cookie
        begin = runtime.trial_begin(identified, case.counts_as(rule), self._whence())
        if self.fresh:
            self.state = await self._fresh_state(begin, case.counts_as(rule))
            return
        self.state = runtime.subjects.recall(identified.subject, runtime.now())
        if self.state is None:
            self.state = await self._read_state(rule, identified.subject, begin, may_take and case.may_take_grace(rule))
        runtime.visits.tell(identified.subject, self.state)

    async def _fresh_state(self, begin: TrialBegin | None, route_class: RouteClass) -> SubjectState:
        """Where a visitor stands of whom nothing is stored. What their trial is given once for is asked for with the
        first result all the same: whoever keeps no cookies would have one trial after the other."""
        runtime, subject = self._runtime, self.subject
        if begin is not None and begin.claims and route_class is RouteClass.RESULT and subject is not None:
            begin = NO_TRIAL if await runtime.subjects.claim(subject, begin) else begin
        return with_trial(SubjectState(), begin, runtime.now())

    async def _read_state(self, rule: Rule, subject: Subject, begin: TrialBegin | None, may_take: bool) -> SubjectState:
        """The state from the store; what may have been taken with it has its ticket."""
        may_have_taken = self.ticket is not None
        if may_take and not may_have_taken:
            self.ticket = Ticket.for_grace(self._runtime, subject, rule)
        ticket = self.ticket if may_take else None
        try:
            taking = ticket.taking if ticket is not None else None
            state = await self._runtime.subjects.visit(subject, begin, grace_of(rule), taking=taking)
        except NotAsked:
            if not may_have_taken:
                self._close_ticket()
            raise
        if not state.grace_taken:
            self._close_ticket()
        return state

    def _close_ticket(self) -> None:
        if self.ticket is not None:
            self.ticket.close()
            self.ticket = None

    def recall_without_store(self) -> bool:
        """Whether a right to results is known although the store does not answer: from what was last known here, or by
        a proof that the subject brings along. It is their state from then on."""
        subject = self.subject
        if subject is None or self.fresh:
            return False
        runtime, now = self._runtime, self._runtime.now()
        state = runtime.subjects.last_known(subject, now)
        if state is None:
            until = runtime.proofs.good_until(subject, self._credentials.headers, now)
            state = SubjectState(trial_started=1, entitled_until=until) if until else None
        self.state, self._is_without_store = state, state is not None
        return state is not None

    def proof(self, onward: Headers) -> bytes:
        """The cookie by which the subject shows its right while the store is away; empty where none is due. `onward`
        are the headers that go to the application."""
        if self.subject is None or self.state is None or self._is_without_store:
            return b""  # what is not certain now must not be proven for later
        return proof_for(self._runtime, self.subject, self.state, self._credentials.headers, onward)

    def decide(self, rule: Rule, case: Case, status: int = 0) -> Decision:
        """What is done, now that the state is known; `status` is that of the application's answer, once there."""
        policy, now = self._runtime.policy, self._runtime.now()
        if self.state is not None:
            self._exchange.standing = standing_on(rule, self.state, now).value
        facts = case.facts(rule, policy, self.fresh, self.rejected, status)
        return decide(rule, self.state, facts, policy.hold_limits, now)
