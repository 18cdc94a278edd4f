"""A request as it is decided: how its target reads, which rule it falls under, and what counts of it besides.

Requests, WebSockets and `paywall explain` all decide by what stands here, so that none of them knows more than another.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.access.body import EMPTY, UNSEEN, Body
from gateway.access.decide import Facts
from gateway.access.match import Match, RouteTable
from gateway.core.header import first
from gateway.core.reason import Reason
from gateway.core.rule import Mode, Policy, RouteClass, Rule, StoreFailure
from gateway.core.target import Reading, canonical_form, read_path
from gateway.ports.identity import Rejected
from gateway.web.message import Message

_BODILESS = frozenset({"HEAD", "OPTIONS"})
"""Methods whose answers carry no result."""

_NOTHING_SPECIAL = Facts()


@dataclass(slots=True)
class Case:
    """One request, or the handshake of one WebSocket, before one config."""

    message: Message
    reading: Reading
    match: Match
    ambiguous: str
    """Why it has more than one reading, as the rest of a sentence; empty when it has one."""
    is_socket: bool
    waits_for_body: bool = False
    """Whether the body must be looked into before the rule is known."""

    @classmethod
    def read(cls, message: Message, table: RouteTable, policy: Policy, is_socket: bool = False) -> Case:
        """The case that a message makes."""
        reading = read_path(message.path, policy.allow_encoded_slash)
        match = table.match(message.method, reading, message.query, message.overrides)
        case = cls(message, reading, match, _why_ambiguous(message, reading, match), is_socket, bool(match.on_body))
        if match.on_body and is_socket:
            case.look_into(UNSEEN, table)
        elif match.on_body and message.length == 0:
            case.look_into(EMPTY, table)
        return case

    def look_into(self, body: Body, table: RouteTable) -> None:
        """Find the rule that the body leads to."""
        message, reading = self.message, self.reading
        self.match = table.match(message.method, reading, message.query, message.overrides, body)
        self.ambiguous = _why_ambiguous(message, reading, self.match)
        self.waits_for_body = False

    @property
    def free(self) -> Reason | None:
        """Why it goes straight on, whoever it is from; None where it matters who that is."""
        rule = self.match.rule
        if self.ambiguous:
            return None
        if rule.route_class in (RouteClass.OPEN, RouteClass.EXEMPT):
            return Reason(rule.route_class.value)
        # Some applications hand every method to one handler, and a blocked request must have no effect at all.
        blocks = rule.route_class is RouteClass.RESULT and rule.mode is Mode.BLOCK
        return Reason.PREFLIGHT if self._is_preflight() and not blocks else None

    def _is_preflight(self) -> bool:
        # Fetch Standard, CORS-preflight request.
        message = self.message
        if message.method != "OPTIONS" or message.length != 0:
            return False
        return bool(first(message.headers, b"origin") and first(message.headers, b"access-control-request-method"))

    def awaits_answer(self, rule: Rule) -> bool:
        """Whether the head of the application's answer may still show that this is a result."""
        return rule.route_class in (RouteClass.OPEN, RouteClass.ACTION) and not self.is_socket

    def counts_as(self, rule: Rule) -> RouteClass:
        """What it is for the trial: with several readings a result, and so it begins a trial that starts with one."""
        return RouteClass.RESULT if self.ambiguous else rule.route_class

    def passes_without_store(self, rule: Rule) -> bool:
        """Whether it goes on while it can't be looked up what the subject may have."""
        return self.counts_as(rule) is not RouteClass.RESULT or rule.on_store_failure is StoreFailure.ALLOW

    def may_take_grace(self, rule: Rule) -> bool:
        """Whether a grace result is what this may come to, for whoever has nothing better."""
        if rule.route_class is not RouteClass.RESULT or not rule.grace.count:
            return False
        bodiless = self.message.method in _BODILESS
        return not (bodiless or self.is_socket or self.ambiguous or self.match.unreadable)

    def facts(
        self, rule: Rule, policy: Policy, fresh: bool = False, rejected: Rejected | None = None, status: int = 0
    ) -> Facts:
        """What counts besides the rule. `fresh`: it is from a visitor whose cookie has not come back yet; `rejected`:
        the proof of identity that came along and does not hold; `status`: of the application's answer, once there."""
        bodiless = self.message.method in _BODILESS
        if not (self.ambiguous or self.match.unreadable or self.is_socket or fresh or rejected or status or bodiless):
            return _NOTHING_SPECIAL
        return Facts(
            ambiguous=bool(self.ambiguous) and not status,
            unreadable=bool(self.match.unreadable) and not status,
            canonical=self._canonical_target(rule, policy),
            keepable=not (bodiless or fresh or self.is_socket),
            bodiless=bodiless,
            partial=status == 206,
            unverifiable=rejected is not None and rejected.temporary,
        )

    def _canonical_target(self, rule: Rule, policy: Policy) -> bytes:
        message = self.message
        if not self.ambiguous or self.is_socket or not policy.canonical_redirect:
            return b""
        if rule.route_class is RouteClass.RESULT or message.method not in ("GET", "HEAD"):
            return b""
        path = canonical_form(message.path)
        if path is None:
            return b""
        query = message.target.partition(b"#")[0].partition(b"?")
        return path + query[1] + query[2]


def _why_ambiguous(message: Message, reading: Reading, match: Match) -> str:
    if message.fragment:
        return "it has a fragment, which no client sends"
    return reading.ambiguous or match.ambiguous
