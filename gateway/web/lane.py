"""The short way through the gateway, for requests that nobody has to wait for.

Most requests are for open routes: what is decided of them is known as soon as their head is read, and all that is left
is moving bytes. Such a request is judged by the same guard, matched by the same table and sent over the same connector
as every other, but from protocol to protocol, without an ASGI application, a task or a queue in between. Whatever turns
out to need more (somebody not met before, an answer that is a result, a failure to be told) goes on into the
application with all that is known so far, and the gate takes it from there.
"""

from __future__ import annotations

import time

from gateway.core.header import Headers
from gateway.core.reason import Reason
from gateway.core.rule import RouteClass
from gateway.ports.wire import Line
from gateway.web.answers import wants_page
from gateway.web.arrival import Arrival, meet
from gateway.web.crossing import Begun, Crossing
from gateway.web.faces import Faces
from gateway.web.message import BadMessage, is_own
from gateway.web.runtime import Runtime

_AT_ONCE = {RouteClass.OPEN: Reason.OPEN, RouteClass.EXEMPT: Reason.EXEMPT}


class ShortWay:
    """The port `Lane` for one config."""

    def __init__(self, runtime: Runtime, faces: Faces) -> None:
        self._runtime, self._faces = runtime, faces
        self._prefix = runtime.prefix.encode("ascii")

    def enter(
        self, method: str, target: bytes, headers: Headers, client: tuple[str, int] | None, scheme: str, line: Line
    ) -> Crossing | None:
        """See the port."""
        started = time.perf_counter_ns()
        runtime = self._runtime
        trusted = runtime.peers.trusts(client)
        try:
            message = runtime.guards.of(trusted).read(method, target, headers)
        except BadMessage:  # the gate finds it bad, too, and has the words for it
            return None
        if message.length != 0 or is_own(message.path, self._prefix):
            return None
        arrival = meet(runtime, message, client, scheme, trusted)
        reason = _AT_ONCE.get(arrival.match.rule.route_class)
        if reason is None or arrival.ambiguous or (reason is Reason.OPEN and self._must_be_met(arrival)):
            line.begun = Begun(runtime, self._faces, arrival, started)
            return None
        crossing = Crossing(runtime, self._faces, arrival, line, reason, started)
        return crossing if crossing.begin() else None

    def _must_be_met(self, arrival: Arrival) -> bool:
        """Whether this visit may be somebody's first, or deserves a visitor's cookie."""
        headers = arrival.message.headers
        trace = self._runtime.identities.trace(headers)
        if not trace:
            return wants_page(headers)
        return not self._runtime.visits.has_met(trace)
