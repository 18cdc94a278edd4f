"""One request on the short way: told by the application's end and by the client's, it moves the bytes in between."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus

from gateway.core.decision import NAMES, Forward, Take
from gateway.core.header import Headers, kept_private
from gateway.core.header_lines import header_lines
from gateway.core.reason import Reason
from gateway.core.rule import RouteClass, Rule
from gateway.eventlog.entry import AccessEntry
from gateway.ports.upstream import Answer, Relay, UpstreamError
from gateway.ports.wire import Line
from gateway.web.answer_head import WITHOUT_LENGTH, declared, late_rule, without_our_words, yields_result
from gateway.web.arrival import Arrival
from gateway.web.asker import Known
from gateway.web.faces import Faces
from gateway.web.record import record_decided, record_delivery
from gateway.web.runtime import Runtime
from gateway.web.shaping import PARTIAL, whole
from gateway.web.ticket import Ticket

CLIENT_CLOSED_REQUEST = 499
"""The status in the log for a client that left before an answer began (nginx's number); nobody receives it."""

_STATUS_LINES = {status.value: b"HTTP/1.1 %d %s" % (status, status.phrase.encode()) for status in HTTPStatus}


@dataclass(slots=True)
class Begun:
    """A request that goes on into the application: what the short way found out, by the config it began with."""

    runtime: Runtime
    faces: Faces
    arrival: Arrival
    started: int
    """Of `time.perf_counter_ns`."""
    answer: Answer | None = None
    """The application's answer, where its head is there already."""
    late: Rule | None = None
    """The rule that takes over because of that answer."""
    failure: Exception | None = None
    """Why there is no answer: an `UpstreamError`, or an error of our own."""
    known: Known | None = None
    """Who it is from, where that is known. With it the state, unless it was sent to the application meanwhile."""
    admitted: Pass | None = None
    """By what it was sent to the application, where that has happened. Without answer and failure it is sent again."""
    waited: int = 0
    """Nanoseconds of waiting for the application."""


@dataclass(frozen=True, slots=True)
class Pass:
    """Why a request may pass without anybody waiting for it any more."""

    rule: Rule
    decision: Forward | Take
    standing: str = ""
    subject: str = ""
    """Whose request it is, as logs and events name them; empty where nobody was asked."""
    key: str = ""
    """The same as `Subject.key`."""
    proof: bytes = b""
    """The cookie that shows their right; empty where none is due."""

    counts: bool = False
    """Whether the request is on the record as an event, and must never be sent twice."""
    yields: bool = False
    """Whether it is for a result."""

    @classmethod
    def under(
        cls,
        rule: Rule,
        decision: Forward | Take,
        standing: str = "",
        subject: str = "",
        key: str = "",
        proof: bytes = b"",
    ) -> Pass:
        """A pass under this rule."""
        yields = rule.route_class is RouteClass.RESULT
        return cls(
            rule, decision, standing, subject, key, proof, yields or rule.route_class is RouteClass.ACTION, yields
        )


class Crossing:
    """The port `Receiver` for the application's end, and `Traveller` for the client's."""

    __slots__ = (
        "_arrival", "_chunked", "_detail", "_faces", "_is_result", "_line", "_pass", "_reason", "_relay", "_runtime",
        "_size", "_spent", "_started", "_status", "_ticket",
    )  # fmt: skip

    def __init__(
        self,
        runtime: Runtime,
        faces: Faces,
        arrival: Arrival,
        line: Line,
        admitted: Pass,
        started: int,
        spent: int = 0,
        ticket: Ticket | None = None,
    ) -> None:
        """`started` by `time.perf_counter_ns`, `spent` of the nanoseconds since; `ticket` is that of a result that was
        taken."""
        # Request
        self._runtime, self._faces = runtime, faces
        self._arrival = arrival
        self._line = line
        self._pass = admitted
        self._ticket = ticket
        self._reason = admitted.decision.reason
        self._relay: Relay | None = None
        # Answer
        self._status = 0
        self._size = 0
        self._chunked = False
        self._is_result = False
        self._detail = ""
        # Time, nanoseconds
        self._started = started
        self._spent = spent
        """What the gateway itself took."""

    def begin(self) -> bool:
        """Send the request on; False when that can't be done without waiting."""
        began = time.perf_counter_ns()
        message, onward = self._arrival.case.message, self._arrival.onward
        lines = onward.lines
        if lines is None:  # the application's side of the gate has the words for it
            return False
        try:
            if self._ticket is not None and any(name in PARTIAL for name, _ in onward.headers):
                lines = header_lines(whole(onward.headers))
            self._relay = self._runtime.upstream.send_at_once(
                message.method.encode("ascii"), message.target, lines, self,
                may_retry=not self._pass.counts, owner=onward.owner,
            )  # fmt: skip
        except ValueError:
            return False
        self._spent += time.perf_counter_ns() - began
        return self._relay is not None

    # What the application's end tells

    def answered(self, status: int, headers: Headers, length: int | None, piece: bytes, complete: bool) -> None:
        """See `gateway.ports.upstream.Receiver`."""
        came = time.perf_counter_ns()
        try:
            match = self._arrival.case.match
            kept = without_our_words(headers)
            if match.on_answer or len(kept) < len(headers):  # else nothing in the head can make it a result
                late = late_rule(match, self._runtime.policy.default_result, status, headers)
                if late is not None:
                    assert self._relay is not None
                    self._go_the_long_way(answer=self._relay.to_answer(), late=late)
                    return
            if length is not None and status not in WITHOUT_LENGTH:
                kept.append((b"content-length", b"%d" % length))
            if self._pass.yields:
                self._note_result(status, headers)
                kept = kept_private(kept, self._runtime.identities.vary)
                if self._pass.proof:
                    kept.append((b"set-cookie", self._pass.proof))
            head = self._head(status, kept, length is not None)
            self._status = status
            self._line.write(head + self._framed(piece, complete))
            self._spent += time.perf_counter_ns() - came
            if complete:
                self._end()
        except Exception as error:
            self._confess(error)

    def arrived(self, piece: bytes, complete: bool) -> None:
        """See `gateway.ports.upstream.Receiver`."""
        try:
            framed = self._framed(piece, complete)
            if framed:
                self._line.write(framed)
            if complete:
                self._end()
        except Exception as error:
            self._confess(error)

    def failed(self, error: UpstreamError, may_retry: bool) -> None:
        """See `gateway.ports.upstream.Receiver`."""
        try:
            if not self._status:
                self._go_the_long_way(failure=None if may_retry else error)
                return
            self._detail = str(error)
            self._break_off()
        except Exception as own:
            self._confess(own)

    # What the client's end tells

    def pause(self) -> None:
        """See `gateway.ports.wire.Traveller`."""
        if self._relay is not None:
            self._relay.pause()

    def resume(self) -> None:
        """See `gateway.ports.wire.Traveller`."""
        if self._relay is not None:
            self._relay.resume()

    def client_left(self) -> None:
        """See `gateway.ports.wire.Traveller`."""
        try:
            if self._relay is not None:
                self._relay.abort()
            self._detail = "the client left"
            if not self._status:
                self._status, self._reason = CLIENT_CLOSED_REQUEST, Reason.CLIENT_GONE
            self._end_ticket(is_spent=bool(self._size) and self._is_result)  # what the client has had is its own
            self._record()
        except Exception as error:
            self._confess(error)

    # Steps

    def _head(self, status: int, headers: Headers, has_length: bool) -> bytes:
        lines = [_STATUS_LINES.get(status) or b"HTTP/1.1 %d " % status, *map(b": ".join, headers)]
        if self._line.begin_answer():
            lines.append(b"connection: close")
        if not has_length and status not in WITHOUT_LENGTH and self._arrival.case.message.method != "HEAD":
            self._chunked = True
            lines.append(b"transfer-encoding: chunked")
        lines.append(b"\r\n")
        return b"\r\n".join(lines)

    def _note_result(self, status: int, headers: Headers) -> None:
        if declared(headers) is False:
            self._reason = Reason.NOT_A_RESULT
        self._is_result = yields_result(status, headers) and self._arrival.case.message.method != "HEAD"

    def _framed(self, piece: bytes, complete: bool) -> bytes:
        self._size += len(piece)
        if not self._chunked:
            return piece
        if piece:
            piece = b"%x\r\n%s\r\n" % (len(piece), piece)
        return piece + b"0\r\n\r\n" if complete else piece

    def _end(self) -> None:
        self._relay = None
        self._end_ticket(is_spent=self._is_result)
        self._record()
        if self._is_result:
            passed = self._pass
            record_delivery(self._runtime, passed.subject, passed.rule.name, self._reason, self._size, passed.key)
        self._line.finish()

    def _go_the_long_way(
        self, answer: Answer | None = None, late: Rule | None = None, failure: Exception | None = None
    ) -> None:
        self._relay = None
        self._end_ticket(is_spent=False)
        waited = time.perf_counter_ns() - self._started - self._spent
        self._line.begun = Begun(
            self._runtime, self._faces, self._arrival, self._started, answer, late, failure, None, self._pass, waited
        )
        self._line.go_the_long_way()

    def _confess(self, error: Exception) -> None:
        """An error of our own. The gate has words for it, as long as the client can be told any."""
        if self._relay is not None:
            self._relay.abort()
        if not self._status and self._line.begun is None:
            self._go_the_long_way(failure=error)
            return
        self._runtime.confess(error)
        self._reason, self._detail = Reason.INTERNAL, type(error).__name__
        with suppress(Exception):  # the record itself may be what fails, and is told of already
            self._break_off()

    def _break_off(self) -> None:
        self._relay = None
        self._line.abort()  # first: the client must not wait, whatever becomes of the record
        self._end_ticket(is_spent=False)
        self._record()

    def _end_ticket(self, is_spent: bool) -> None:
        ticket, self._ticket = self._ticket, None
        if ticket is None:
            return
        if is_spent:
            ticket.close()
        else:
            ticket.give_back_unless_closed(self._detail or str(self._status))

    def _record(self) -> None:
        runtime, message, passed = self._runtime, self._arrival.case.message, self._pass
        duration = time.perf_counter_ns() - self._started
        # By position: by name it costs twice as much.
        entry = AccessEntry(
            runtime.now(), message.method, message.path.decode("latin-1"), self._status, NAMES[type(passed.decision)],
            self._reason, passed.rule.name, passed.subject, self._size, duration, duration - self._spent, self._detail,
            True,
        )  # fmt: skip
        runtime.access_log.write(entry)
        if passed.counts:
            record_decided(runtime, entry, passed.rule.route_class, passed.standing)
