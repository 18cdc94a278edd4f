"""The short way through the gateway, for requests that nobody has to wait for.

Most requests are for open routes, and of most people who ask for results it is known that they have a right to them.
What is decided is known then as soon as the head is read, and all that is left is moving bytes. Such a request is
judged by the same guard, matched by the same table, decided by the same rules and sent over the same connector as every
other, but from protocol to protocol, without an ASGI application, a task or a queue in between. Whatever turns out to
need more (somebody not met before, a result to be counted or kept, a failure to be told) goes on into the application
with all that is known so far, and the gate takes it from there.
"""

from __future__ import annotations

import time

from gateway.access.decide import decide, standing_on
from gateway.core.decision import Decision, Forward
from gateway.core.header import Headers
from gateway.core.reason import Reason
from gateway.core.rule import RouteClass, Rule
from gateway.ports.identity import Credentials, Identified
from gateway.ports.wire import Line
from gateway.web.answers import wants_page
from gateway.web.arrival import Arrival, meet
from gateway.web.asking import Asking
from gateway.web.crossing import Begun, Crossing, Pass
from gateway.web.faces import Faces
from gateway.web.message import BadMessage, is_own
from gateway.web.proving import proof_for
from gateway.web.runtime import Runtime
from gateway.web.section import Section


class ShortWay:
    """The port `Lane` for one config."""

    def __init__(self, runtime: Runtime, faces: Faces) -> None:
        self._runtime, self._faces = runtime, faces
        self._prefix = runtime.prefix.encode("ascii")
        self._free = {
            id(rule): Pass.under(rule, Forward(Reason(rule.route_class.value)))
            for rule in (*runtime.policy.rules, runtime.table.fallback)
            if rule.route_class in (RouteClass.OPEN, RouteClass.EXEMPT)
        }
        """For rules under which everybody passes; by identity, since hashing a rule means hashing all it says."""

    def enter(
        self, method: str, target: bytes, headers: Headers, client: tuple[str, int] | None, scheme: str, line: Line
    ) -> Crossing | Asking | None:
        """See the port."""
        started = time.perf_counter_ns()
        runtime = self._runtime
        trusted = runtime.peers.trusts(client)
        try:
            message = runtime.guards.of(trusted).read(method, target, headers)
            if message.length != 0 or is_own(message.path, self._prefix):
                return None
            arrival = meet(runtime, message, client, scheme, trusted)
            admitted = None if arrival.case.ambiguous else self._admit(arrival)
            if admitted is None:
                line.begun = Begun(runtime, self._faces, arrival, started)
                return None
            if isinstance(admitted, Identified):
                return Asking(runtime, self._faces, arrival, line, admitted, started).begin()
            crossing = Crossing(runtime, self._faces, arrival, line, admitted, started)
            return crossing if crossing.begin() else None
        except BadMessage:  # the gate finds it bad, too, and has the words for it
            return None
        except Exception as error:  # ours; what can't go the short way may still go the long one
            runtime.confess(error)
            return None

    def _admit(self, arrival: Arrival) -> Pass | Identified | None:
        """What the request passes by; whom the store is to be asked about; None where it takes more to decide."""
        rule = arrival.case.match.rule
        free = self._free.get(id(rule))
        if free is None:
            return self._admit_known(arrival, rule)
        return None if rule.route_class is RouteClass.OPEN and self._must_be_met(arrival) else free

    def _must_be_met(self, arrival: Arrival) -> bool:
        """Whether this visit may be somebody's first, deserves a visitor's cookie, or may bring them a notice."""
        message, section = arrival.case.message, arrival.case.message.section
        trace = self._trace(section)
        if not trace:
            return wants_page(section.headers)
        is_known = self._runtime.visits.has_met(trace) and not self._lacks_device(arrival)
        return not is_known or self._faces.notices.may_be_due(message)

    def _lacks_device(self, arrival: Arrival) -> bool:
        """Whether the browser is to get a cookie by which it is known again."""
        devices = self._runtime.devices
        if devices is None or not wants_page(arrival.case.message.headers):
            return False
        return not devices.known(arrival.credentials)

    def _trace(self, section: Section) -> int:
        if section.trace is None:
            section.trace = self._runtime.identities.trace(section.headers)
        return section.trace

    def _admit_known(self, arrival: Arrival, rule: Rule) -> Pass | Identified | None:
        """By a right that is known here and now."""
        runtime, message = self._runtime, arrival.case.message
        if arrival.case.free is not None or self._lacks_device(arrival):
            return None
        if rule.route_class is RouteClass.ACTION and self._faces.notices.may_be_due(message):
            return None
        who = runtime.identities.identify_at_once(Credentials(message.headers, arrival.peer_trusted))
        if who is None:
            return None
        joining = runtime.joining
        joins = joining is not None and joining.may_join(who.subject, message.headers)
        if joining is not None and joins and not joining.is_settled(self._trace(message.section)):
            return None
        now = runtime.now()
        state = runtime.subjects.recall(who.subject, now)
        if state is None:
            return who if rule.route_class is RouteClass.RESULT else None
        facts = arrival.case.facts(rule, runtime.policy)
        decision: Decision = decide(rule, state, facts, runtime.policy.hold_limits, now)
        if not isinstance(decision, Forward) or decision.prompt:
            return None
        standing = standing_on(rule, state, now)
        proof = b""
        if decision.reason is Reason.ENTITLED:
            proof = proof_for(runtime, who.subject, state, message.headers, arrival.headers)
        pseudonym = runtime.keyring.pseudonym(who.subject)
        return Pass.under(rule, decision, standing.value, pseudonym, who.subject.key, proof)
