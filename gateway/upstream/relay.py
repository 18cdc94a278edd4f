"""One request out, and its answer told to a receiver as it arrives: no task, no queue, no waking."""

from __future__ import annotations

import asyncio
from math import inf
from typing import Protocol

from gateway.ports.upstream import Receiver, UpstreamError, UpstreamFailure
from gateway.upstream.exchange import Exchange
from gateway.upstream.parsing import AnswerParser


class RelayCarrier(Protocol):
    """What a relay asks of the connection that carries it."""

    deadline: float
    """Instant of the loop's clock at which the connection gives up; `inf` while nobody waits for it."""

    def pause_reading(self) -> None:
        """Read no more for now."""
        ...

    def resume_reading(self) -> None:
        """Read on."""
        ...

    def close(self) -> None:
        """End the connection now."""
        ...

    def hand_to(self, exchange: Exchange) -> None:
        """The answer goes on in this exchange."""
        ...


class Relay:
    """The port `Relay`. It has a connection until the answer is complete, has failed, or goes on as an `Exchange`."""

    __slots__ = (
        "_begun", "_carrier", "_high_water", "_loop", "_may_retry", "_read_timeout", "_receiver", "_started",
        "complete", "touched", "uploading",
    )  # fmt: skip

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        carrier: RelayCarrier,
        receiver: Receiver,
        read_timeout: float,
        high_water: int,
        may_retry: bool,
    ) -> None:
        self._loop = loop
        self._carrier: RelayCarrier | None = carrier
        self._receiver = receiver
        self._read_timeout = read_timeout
        self._high_water = high_water
        self._may_retry = may_retry
        """Whether the request may be sent again if it goes unanswered."""
        self._started = False
        self._begun: tuple[AnswerParser, bytes] | None = None
        """What `answered` is being told."""
        self.touched = False
        self.uploading = False
        self.complete = False
        carrier.deadline = loop.time() + read_timeout

    @property
    def status(self) -> bool:
        """Whether the head of the answer has arrived."""
        return self._started

    # For the receiver

    def pause(self) -> None:
        """Time does not run for an application that is not read."""
        # Complete, reading goes on: nobody would resume it, and the next request on this connection must be heard.
        if self._carrier is not None and not self.complete:
            self._carrier.deadline = inf
            self._carrier.pause_reading()

    def resume(self) -> None:
        """See the port."""
        if self._carrier is not None:
            self.set_deadline()
            self._carrier.resume_reading()

    def abort(self) -> None:
        """See the port."""
        carrier, self._carrier = self._carrier, None
        if carrier is not None:
            carrier.close()

    def to_answer(self) -> Exchange:
        """See the port."""
        carrier, self._carrier = self._carrier, None
        assert carrier is not None and self._begun is not None
        parser, piece = self._begun
        exchange = Exchange(self._loop, carrier, self._read_timeout, self._high_water)
        exchange.touched = True
        carrier.deadline = inf
        carrier.hand_to(exchange)
        if piece:
            parser.pieces = [piece]
        exchange.take(parser)
        return exchange

    # For the connection

    def take(self, parser: AnswerParser) -> None:
        """Tell what the parser has read."""
        if not self._started:
            if not parser.status:
                if parser.interim:  # a sign of life (RFC 9110 section 15.2)
                    self.set_deadline()
                return
            self._begin(parser)
        elif parser.pieces or parser.complete:
            self.complete = parser.complete
            self.set_deadline()
            self._receiver.arrived(parser.take_pieces(), parser.complete)

    def _begin(self, parser: AnswerParser) -> None:
        self._started = True
        self.complete = complete = parser.complete
        if not complete:
            self.set_deadline()
        piece = parser.take_pieces()
        self._begun = (parser, piece)
        self._receiver.answered(parser.status, parser.headers, parser.length, piece, complete)
        self._begun = None

    def set_deadline(self) -> None:
        """Time runs for the application from now on."""
        if self._carrier is not None:
            self._carrier.deadline = self._loop.time() + self._read_timeout

    def finish(self) -> None:
        """The answer is complete; the connection is no longer ours."""
        self._carrier = None
        if not self.complete:  # the end of the connection was the end of the answer
            self.complete = True
            self._receiver.arrived(b"", True)

    def fail(self, failure: Exception) -> None:
        """There will be no more of the answer. Closes the connection. Without effect once finished or failed."""
        carrier, self._carrier = self._carrier, None
        if carrier is None:
            return
        carrier.close()
        assert isinstance(failure, UpstreamError)
        went_unanswered = failure.failure is UpstreamFailure.BROKEN and not self.touched
        self._receiver.failed(failure, self._may_retry and went_unanswered)
