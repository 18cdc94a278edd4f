"""One request and its answer, as the caller sees it."""

from __future__ import annotations

import asyncio
from collections import deque
from math import inf
from typing import Protocol

from gateway.ports.upstream import Headers, UpstreamError, UpstreamFailure
from gateway.upstream.parsing import AnswerParser


class Carrier(Protocol):
    """What an exchange asks of the connection that carries it, while it does."""

    deadline: float
    """Instant of the loop's clock at which the connection gives up; `inf` while nobody waits for it."""

    def pause_reading(self) -> None:
        """The caller has more than it takes: read no more for now."""
        ...

    def resume_reading(self) -> None:
        """The caller has taken enough: read on."""
        ...

    def close(self) -> None:
        """End the connection now."""
        ...


class Exchange:
    """The port `Answer`, once `wait_for_head` has returned.

    It belongs to its connection only until the answer is complete or has failed: what the caller does afterwards,
    or forgets to do, cannot touch the next exchange on that connection.
    """

    __slots__ = (
        "_carrier", "_failure", "_high_water", "_loop", "_pieces", "_read_timeout", "_upload", "_waiter",
        "_waits_for_client", "complete", "headers", "length", "reading_paused", "status", "touched", "unread",
        "uploading",
    )  # fmt: skip

    def __init__(self, loop: asyncio.AbstractEventLoop, carrier: Carrier, read_timeout: float, high_water: int) -> None:
        self._loop = loop
        self._carrier: Carrier | None = carrier
        self._read_timeout = read_timeout
        self._high_water = high_water
        # The answer
        self.status = 0
        self.headers: Headers = []
        self.length: int | None = None
        self._pieces: deque[bytes] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._failure: Exception | None = None
        self.unread = 0
        """Body bytes that arrived and were not read."""
        self.complete = False
        self.touched = False
        """A byte of the answer has arrived."""
        self.reading_paused = False
        # The request body
        self._upload: asyncio.Task[None] | None = None
        self.uploading = False
        """The request is not completely written."""
        self._waits_for_client = False

    # For the caller

    async def wait_for_head(self) -> None:
        """Return once `status`, `headers` and `length` are there.

        Raises UpstreamError, or what the request body raised (ClientGone, mostly).
        """
        while not self.status:
            if self._failure is not None:
                raise self._failure
            await self._wait()

    async def read(self) -> bytes:
        """The next piece of the body; `b""` once complete.

        Raises as `wait_for_head` does, after the pieces that arrived before the failure.
        """
        while True:
            if self._pieces:
                return self._take()
            if self.complete:
                return b""
            if self._failure is not None:
                raise self._failure
            try:
                await self._wait()
            except asyncio.CancelledError:
                self._waiter = None
                self.set_deadline()
                raise

    def abort(self) -> None:
        """End the exchange now, closing the connection unless the answer is complete."""
        self.fail(UpstreamError(UpstreamFailure.BROKEN, "the exchange was ended before the answer was complete"))

    # For the connection

    def upload_by(self, task: asyncio.Task[None]) -> None:
        """The request is written by this task, which ends with the exchange."""
        self._upload = task
        self.uploading = True

    def take(self, parser: AnswerParser) -> None:
        """Take what the parser has read."""
        if not self.status:
            if not parser.status:
                if parser.interim:  # a sign of life (RFC 9110 section 15.2)
                    self.set_deadline()
                return
            self.status, self.headers, self.length = parser.status, parser.headers, parser.length
        elif not parser.pieces:
            return
        piece = parser.take_pieces()
        if piece:
            self._pieces.append(piece)
            self.unread += len(piece)
            # Complete, reading goes on: paused, the last bytes could not have arrived.
            if self.unread > self._high_water and not (parser.complete or self.reading_paused or not self._carrier):
                self.reading_paused = True
                self._carrier.pause_reading()
        self.wake()

    def wake(self) -> None:
        """Let the caller look: something has changed."""
        waiter = self._waiter
        if waiter is not None:
            self._waiter = None
            self.set_deadline()
            if not waiter.done():
                waiter.set_result(None)

    def finish(self) -> None:
        """The answer is complete; the connection is no longer ours."""
        self.complete = True
        self._part()

    def fail(self, failure: Exception) -> None:
        """There will be no more of the answer. Closes the connection. Without effect once finished or failed."""
        carrier = self._carrier
        if carrier is not None:
            self._failure = failure
            self._part()
            carrier.close()

    def set_deadline(self) -> None:
        """Time runs for the application only while the caller waits for it and it does not wait for the client."""
        if self._carrier is not None:
            runs = self._waiter is not None and not self._waits_for_client
            self._carrier.deadline = self._loop.time() + self._read_timeout if runs else inf

    # For the upload

    def wait_for_client(self, waits: bool) -> None:
        """Whether the next thing to happen is a piece of the request body from the client."""
        self._waits_for_client = waits
        self.set_deadline()

    def request_written(self) -> None:
        """The request is complete: from here on the connection can be used again after the answer."""
        self.uploading = False
        self.wait_for_client(False)

    def _take(self) -> bytes:
        piece = self._pieces.popleft()
        self.unread -= len(piece)
        if self.reading_paused and self.unread <= self._high_water // 2 and self._carrier is not None:
            self.reading_paused = False
            self._carrier.resume_reading()
        return piece

    def _wait(self) -> asyncio.Future[None]:
        if self._waiter is not None:
            raise RuntimeError("an answer is being read by two callers at once")
        waiter = self._waiter = self._loop.create_future()
        self.set_deadline()
        return waiter

    def _part(self) -> None:
        self.wake()
        self._carrier = None
        upload, self._upload = self._upload, None
        # The upload reports its own failure from within: then it ends by itself.
        if upload is not None and not upload.done() and upload is not asyncio.current_task(self._loop):
            upload.cancel()
