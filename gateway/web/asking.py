"""One request on the short way that waits for the store: told its answer, it goes on by itself or into the gate."""

from __future__ import annotations

import time

from gateway.access.decide import decide, standing_on
from gateway.access.once import NOWHERE, Whence
from gateway.core.decision import Decision, Forward, Purse, Take
from gateway.core.reason import Reason
from gateway.core.rule import Rule
from gateway.core.standing import SubjectState
from gateway.eventlog.entry import AccessEntry
from gateway.ports.identity import Identified
from gateway.ports.state import NotAsked, StoreUnavailable
from gateway.ports.wire import Line
from gateway.web.arrival import Arrival
from gateway.web.asker import Known
from gateway.web.crossing import CLIENT_CLOSED_REQUEST, Begun, Crossing, Pass
from gateway.web.faces import Faces
from gateway.web.proving import proof_for
from gateway.web.record import record_decided
from gateway.web.runtime import Runtime
from gateway.web.ticket import Ticket, grace_of


class Asking:
    """The port `Traveller`, before and while its request crosses."""

    __slots__ = (
        "_arrival", "_crossing", "_faces", "_left", "_line", "_paused", "_rule", "_runtime", "_started", "_ticket",
        "_who",
    )  # fmt: skip

    def __init__(
        self, runtime: Runtime, faces: Faces, arrival: Arrival, line: Line, who: Identified, started: int
    ) -> None:
        self._runtime, self._faces = runtime, faces
        self._arrival, self._line, self._who = arrival, line, who
        self._rule: Rule = arrival.case.match.rule
        self._ticket: Ticket | None = None
        self._crossing: Crossing | None = None
        self._left = False
        self._paused = False
        self._started = started

    def begin(self) -> Asking:
        """Ask. What is taken with the answer has its ticket before."""
        runtime, case, rule = self._runtime, self._arrival.case, self._rule
        if case.may_take_grace(rule):
            self._ticket = Ticket.for_grace(runtime, self._who.subject, rule)
        begin = runtime.trial_begin(self._who, case.counts_as(rule), self._whence())
        ticket = self._ticket
        taking, grace = (None, grace_of(rule)) if ticket is None else (ticket.taking, ticket.grace)
        runtime.subjects.visit_soon(self._who.subject, begin, grace, taking, self._heard)
        return self

    def _whence(self) -> Whence:
        runtime, arrival = self._runtime, self._arrival
        return runtime.whence(arrival.onward.owner, arrival.credentials) if runtime.once is not None else NOWHERE

    # What the client's end tells

    def pause(self) -> None:
        """See `gateway.ports.wire.Traveller`."""
        self._paused = True
        if self._crossing is not None:
            self._crossing.pause()

    def resume(self) -> None:
        """See `gateway.ports.wire.Traveller`."""
        self._paused = False
        if self._crossing is not None:
            self._crossing.resume()

    def client_left(self) -> None:
        """See `gateway.ports.wire.Traveller`."""
        if self._crossing is not None:
            self._crossing.client_left()
            return
        self._left = True
        try:
            # At once, though what may have been taken is not known yet: it stands in the same queue, behind the taking.
            self._return_ticket()
            self._record_departure()
        except Exception as error:
            self._runtime.confess(error)

    # What the store tells

    def _heard(self, found: SubjectState | StoreUnavailable) -> None:
        try:
            state = None if isinstance(found, StoreUnavailable) else found
            took_nothing = isinstance(found, NotAsked) or (state is not None and not state.grace_taken)
            if took_nothing and self._ticket is not None:
                self._ticket.close()
                self._ticket = None
            if state is not None:
                self._runtime.visits.tell(self._who.subject, state)
            if self._left:
                return
            if state is None or not self._cross(state):
                self._go_the_long_way(state)
        except Exception as error:  # ours; the gate has words for it
            self._return_ticket()
            self._runtime.confess(error)
            self._line.abort()

    def _cross(self, state: SubjectState) -> bool:
        """Whether it is on its way to the application."""
        runtime, rule = self._runtime, self._rule
        now = runtime.now()
        facts = self._arrival.case.facts(rule, runtime.policy)
        decision = decide(rule, state, facts, runtime.policy.hold_limits, now)
        if not self._may_pass(decision, state):
            return False
        assert isinstance(decision, Forward | Take)
        pseudonym = runtime.keyring.pseudonym(self._who.subject)
        proof = b""
        if decision.reason is Reason.ENTITLED:
            proof = proof_for(
                runtime, self._who.subject, state, self._arrival.case.message.headers, self._arrival.headers
            )
        admitted = Pass.under(
            rule, decision, standing_on(rule, state, now).value, pseudonym, self._who.subject.key, proof
        )
        spent = time.perf_counter_ns() - self._started  # whoever asks waits for us, as long as we wait for the store
        ticket = self._ticket if isinstance(decision, Take) else None
        crossing = Crossing(runtime, self._faces, self._arrival, self._line, admitted, self._started, spent, ticket)
        if not crossing.begin():
            return False
        self._crossing = crossing
        if self._paused:
            crossing.pause()
        if ticket is None:
            self._return_ticket()
        return True

    def _may_pass(self, decision: Decision, state: SubjectState) -> bool:
        if isinstance(decision, Take):
            return decision.purse is Purse.GRACE and state.grace_taken
        # A right to one result, and not to any number of them, needs a look at the answer.
        return isinstance(decision, Forward) and decision.reason in (Reason.TRIAL, Reason.ENTITLED)

    def _go_the_long_way(self, state: SubjectState | None) -> None:
        known = Known(self._who, state, self._ticket)
        self._line.begun = Begun(self._runtime, self._faces, self._arrival, self._started, known=known)
        self._line.go_the_long_way()

    def _return_ticket(self) -> None:
        ticket, self._ticket = self._ticket, None
        if ticket is not None:
            ticket.give_back_unless_closed("nothing came of it")

    def _record_departure(self) -> None:
        runtime, message, rule = self._runtime, self._arrival.case.message, self._rule
        entry = AccessEntry(
            at_ms=runtime.now(),
            method=message.method,
            path=message.path.decode("latin-1"),
            status=CLIENT_CLOSED_REQUEST,
            decision="",
            reason=Reason.CLIENT_GONE,
            route=rule.name,
            subject=runtime.keyring.pseudonym(self._who.subject),
            size=0,
            duration_ns=time.perf_counter_ns() - self._started,
            waited_ns=0,
            detail="the client left",
        )
        runtime.access_log.write(entry)
        record_decided(runtime, entry, rule.route_class, "")
