"""What is known of one request while it is answered, and the client at its other end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from gateway.core.decision import NAMES, Decision
from gateway.core.reason import Reason
from gateway.core.rule import RouteClass, Rule
from gateway.eventlog.entry import AccessEntry
from gateway.ports.upstream import Answer, ClientGone, Headers
from gateway.ports.wire import Wire

EXCHANGE = "paywall.exchange"
"""Where the scope of one of our own pages holds its exchange."""

CLIENT_SECONDS = 60.0
"""How long a client may be silent in the midst of its body."""

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


class Exchange:
    """One request and its answer."""

    __slots__ = (
        "_answer",
        "_task",
        "_watcher",
        "complete",
        "cookie",
        "decision",
        "detail",
        "device",
        "gone",
        "proof",
        "reason",
        "receive",
        "route",
        "route_class",
        "send_event",
        "size",
        "standing",
        "started",
        "status",
        "subject",
        "waited",
        "wire",
    )  # fmt: skip

    def __init__(self, receive: Receive, send: Send, wire: Wire | None) -> None:
        # Connection
        self.receive = receive
        self.send_event = send
        self.wire = wire
        self.gone = False
        self._answer: Answer | None = None
        self._task: asyncio.Task[Any] | None = None
        self._watcher: asyncio.Task[None] | None = None
        # Decision
        self.route = ""
        self.route_class = RouteClass.OPEN
        self.decision = ""
        self.reason: Reason = Reason.INTERNAL
        self.standing = ""
        self.subject = ""
        self.cookie = b""
        self.device = b""
        self.proof = b""
        self.detail = ""
        # Answer
        self.status = 0
        self.size = 0
        self.complete = False
        # Time, nanoseconds
        self.started = time.perf_counter_ns()
        self.waited = 0

    def decided(self, rule: Rule, decision: Decision) -> None:
        """Note what was decided; the last decision is the one that counts."""
        self.route, self.route_class = rule.name, rule.route_class
        self.decision, self.reason = NAMES[type(decision)], decision.reason

    async def start_answer(self, status: int, headers: Headers) -> None:
        """Send the head of the answer."""
        self.status = status
        if self.cookie:
            headers = [*headers, (b"set-cookie", self.cookie)]
        if self.device:
            headers = [*headers, (b"set-cookie", self.device)]
        if self.proof:
            headers = [*headers, (b"set-cookie", self.proof)]
        await self.send_event({"type": "http.response.start", "status": status, "headers": headers})

    async def send_body(self, body: bytes, more: bool) -> None:
        """Send a piece of the body; waits while the client reads slowly."""
        self.size += len(body)
        self.complete = not more
        before = time.perf_counter_ns()
        await self.send_event({"type": "http.response.body", "body": body, "more_body": more})
        self.waited += time.perf_counter_ns() - before

    def attend(self, has_body: bool) -> None:
        """From now on the work for this request ends at once when its client leaves.

        With a `Wire` this costs nothing. Elsewhere a task waits for the disconnect message, which is possible only
        for requests without a body: the others notice when their body breaks off.
        """
        self._task = asyncio.current_task()
        if self.wire is not None:
            self.wire.on_gone = self._left
            if self.wire.gone:
                raise ClientGone
        elif not has_body:
            self._watcher = asyncio.create_task(self._watch())

    def working_on(self, answer: Answer | None) -> None:
        """The answer to abort when the client leaves; None when there is none any more."""
        self._answer = answer

    def dismiss(self) -> None:
        """The client's leaving no longer matters, and whatever is left of the application's answer is let go.

        This is the one place that every request passes at its end, however it ends.
        """
        self._task = None
        if self._answer is not None:
            self._answer.abort()
            self._answer = None
        if self.wire is not None:
            self.wire.on_gone = None
        if self._watcher is not None:
            self._watcher.cancel()

    def break_off(self) -> None:
        """End the connection so that the cut answer can't be taken for a whole one."""
        if self.wire is not None:
            self.wire.abort()

    async def _watch(self) -> None:
        while (await self.receive())["type"] != "http.disconnect":
            pass
        self._left()

    def _left(self) -> None:
        self.gone = True
        if self._answer is not None:
            self._answer.abort()
        if self._task is not None:
            self._task.cancel()

    def entry(self, at_ms: int, method: str, path: str) -> AccessEntry:
        """The line for the access log."""
        return AccessEntry(
            at_ms=at_ms,
            method=method,
            path=path,
            status=self.status,
            decision=self.decision,
            reason=self.reason,
            route=self.route,
            subject=self.subject,
            size=self.size,
            duration_ns=time.perf_counter_ns() - self.started,
            waited_ns=self.waited,
            detail=self.detail,
        )


class ClientBody:
    """The body of a client's request, as `gateway.ports.upstream.RequestBody`."""

    __slots__ = ("_complete", "_exchange", "_left", "length")

    def __init__(self, exchange: Exchange, length: int | None) -> None:
        self.length = length
        self._exchange = exchange
        self._complete = False
        self._left = length

    async def read(self) -> bytes:
        """The next piece; `b""` once complete. Raises `ClientGone` when the client broke off."""
        while not self._complete:
            try:
                async with asyncio.timeout(CLIENT_SECONDS):
                    message = await self._exchange.receive()
            except TimeoutError:
                # A body that never comes would hold a connection to the application for ever.
                self._exchange.detail = f"the client sent nothing of its body for {CLIENT_SECONDS:.0f} s"
                raise ClientGone from None
            if message["type"] == "http.disconnect":
                # The end of a connection is not the end of a body: what was cut must not look whole.
                raise ClientGone
            self._complete = not message.get("more_body", False)
            body: bytes = message.get("body", b"")
            if self._left is not None:
                self._left -= len(body)
                if self._left < 0 or (self._complete and self._left > 0):
                    raise ClientGone
            if body:
                return body
        return b""
