"""WebSockets through the same gate: decided once, at the handshake, and then relayed message by message."""

from __future__ import annotations

import asyncio
from typing import Any, assert_never

from gateway.core.decision import Decision, Forward, Hold, Prompt, Refuse, Take
from gateway.core.header import Headers
from gateway.core.reason import Reason
from gateway.core.rule import Rule
from gateway.ports.identity import Credentials
from gateway.ports.state import StoreUnavailable, TakeOutcome
from gateway.ports.upstream import UpstreamError, WebSocketPeer, WebSocketRefused
from gateway.web.answers import OwnAnswer, sentence
from gateway.web.asker import Asker
from gateway.web.case import Case
from gateway.web.exchange import Exchange, Receive, Send
from gateway.web.faces import Faces
from gateway.web.forward import FAILURES, forwarded_headers
from gateway.web.message import BadMessage, Message, is_own
from gateway.web.record import record
from gateway.web.runtime import Runtime
from gateway.web.ticket import Ticket, grace_of

HANDSHAKE = frozenset(
    {
        b"sec-websocket-key", b"sec-websocket-version", b"sec-websocket-extensions", b"sec-websocket-protocol",
        b"sec-websocket-accept",
    }
)  # fmt: skip
"""Headers of the handshake itself: each side of the gateway has its own."""

_SENT_FOR = {1005: 1000, 1006: 1014, 1015: 1014}
"""Codes that only describe an ending and may not be sent (RFC 6455 section 7.4.1): an end in order without a code is
sent as one with the plainest, an application that broke off makes us a bad gateway (code 1014 of IANA's registry)."""


async def relay_socket(runtime: Runtime, faces: Faces, scope: Any, receive: Receive, send: Send, trusted: bool) -> None:
    """Decide on a WebSocket and, if it may pass, relay it until one side closes."""
    exchange = Exchange(receive, send, None)
    try:
        await receive()  # websocket.connect
        await Socket(runtime, faces, scope, exchange, trusted).run()
    except ValueError as error:
        # What can be no handshake of ours to the application: a header or a target that is not text.
        exchange.detail = str(error)
        if not exchange.status:
            await Socket(runtime, faces, scope, exchange, trusted).refuse_malformed()
    finally:
        record(runtime, exchange, "WEBSOCKET", scope.get("raw_path", b""))


class Socket:
    """One WebSocket on its way."""

    def __init__(self, runtime: Runtime, faces: Faces, scope: Any, exchange: Exchange, trusted: bool) -> None:
        self._runtime, self._faces = runtime, faces
        self._scope, self._exchange = scope, exchange
        self._trusted = trusted
        self._asker = Asker(runtime, exchange, Credentials([], False))

    async def run(self) -> None:
        """Decide, connect, relay."""
        scope = {**self._scope, "method": "GET"}
        try:
            message = self._runtime.guards.of(self._trusted).read_scope(scope)
            if message.length != 0:
                raise BadMessage(400, Reason.REQUEST_MALFORMED, "a request that opens a WebSocket has no body")
        except BadMessage as bad:
            self._exchange.detail = bad.detail
            await self._deny(self._faces.refuse(bad.status, bad.reason, sentence(bad.detail), []))
            return
        if is_own(message.path, self._runtime.prefix.encode("ascii")):
            detail = "The gateway's own pages are not for WebSockets."
            await self._deny(self._faces.refuse(404, Reason.NOT_FOUND, detail, message.headers))
            return
        case = Case.read(message, self._runtime.table, self._runtime.policy, is_socket=True)
        rule = case.match.rule
        try:
            await self._act(rule, await self._decide(rule, case), message)
        except StoreUnavailable as error:
            self._exchange.detail = str(error)
            if case.passes_without_store(rule):
                await self._act(rule, Forward(Reason.STORE_UNAVAILABLE), message)
                return
            self._exchange.decided(rule, Refuse(503, Reason.STORE_UNAVAILABLE))
            detail = "It can't be looked up at the moment what you may have."
            await self._deny(self._faces.refuse(503, Reason.STORE_UNAVAILABLE, detail, message.headers))

    async def refuse_malformed(self) -> None:
        """Deny a handshake that can't be passed on."""
        detail = "A WebSocket's headers and address must be plain text."
        await self._deny(self._faces.refuse(400, Reason.REQUEST_MALFORMED, detail, []))

    async def _decide(self, rule: Rule, case: Case) -> Decision:
        if case.free is not None:
            return Forward(case.free)
        self._asker = Asker(self._runtime, self._exchange, Credentials(case.message.headers, self._trusted))
        await self._asker.look_up(rule, case)
        return self._asker.decide(rule, case)

    async def _act(self, rule: Rule, decision: Decision, message: Message) -> None:
        self._exchange.decided(rule, decision)
        match decision:
            case Forward():
                await self._connect(message)
            case Take():
                await self._take(rule, decision, message)
            case Prompt() | Hold():
                await self._prompt(rule, decision.reason, message)
            case Refuse():
                detail = "This yields a result, so the service must know who asks."
                await self._deny(self._faces.refuse(decision.status, decision.reason, detail, message.headers))
            case _:
                assert_never(decision)

    async def _prompt(self, rule: Rule, reason: Reason, message: Message) -> None:
        subject, state = self._asker.subject, self._asker.state
        assert subject is not None and state is not None
        await self._deny(self._faces.prompt(subject, state, rule, reason, message.headers))

    async def _take(self, rule: Rule, decision: Take, message: Message) -> None:
        assert self._asker.subject is not None
        subject, grace = self._asker.subject, grace_of(rule)
        ticket = Ticket(self._runtime, subject, rule, decision.purse, grace)
        try:
            taken = await self._runtime.subjects.take(subject, decision.purse, ticket.operation, grace)
            if taken.outcome is TakeOutcome.EXHAUSTED:
                ticket.close()
                await self._prompt(rule, Reason.PAYMENT_REQUIRED, message)
            elif await self._connect(message):
                ticket.close()
        finally:
            ticket.give_back_unless_closed(self._exchange)

    async def _connect(self, message: Message) -> bool:
        """Open the application's side and relay; False when it was never opened."""
        scope = self._scope
        client = scope.get("client")
        headers = forwarded_headers(message, client[0] if client else "", "http", self._trusted)
        headers = [pair for pair in headers if pair[0] not in HANDSHAKE]
        try:
            peer = await self._runtime.websockets.connect(message.target, headers, list(scope["subprotocols"]))
        except WebSocketRefused as refused:
            await self._pass_refusal(refused, message)
            return False
        except UpstreamError as error:
            status, reason, detail = FAILURES[error.failure]
            self._exchange.reason, self._exchange.detail = reason, str(error)
            await self._deny(self._faces.refuse(status, reason, detail, message.headers))
            return False
        self._exchange.status = 101
        own = [pair for pair in peer.headers if pair[0] not in HANDSHAKE]
        await self._exchange.send_event({"type": "websocket.accept", "subprotocol": peer.subprotocol, "headers": own})
        await _relay(self._exchange, peer)
        return True

    async def _pass_refusal(self, refused: WebSocketRefused, message: Message) -> None:
        self._exchange.status = refused.status
        if 200 <= refused.status < 300:
            # An application that does not speak WebSocket answers as to a plain GET. That answer may be a result, and
            # no client can use it: it is not passed on.
            detail = "The service does not speak WebSocket at this address."
            await self._deny(self._faces.refuse(502, Reason.UPSTREAM_MALFORMED, detail, message.headers))
            return
        await self._deny_with(refused.status, refused.headers, refused.body)

    async def _deny(self, own: OwnAnswer) -> None:
        self._exchange.status = own.status
        self._exchange.reason = own.reason
        self._exchange.decision = self._exchange.decision or "refuse"
        await self._deny_with(own.status, own.all_headers(), own.body)

    async def _deny_with(self, status: int, headers: Headers, body: bytes) -> None:
        if "websocket.http.response" not in self._scope.get("extensions", {}):
            await self._exchange.send_event({"type": "websocket.close", "code": 1008})
            return
        head = [pair for pair in headers if pair[0] != b"content-length"]
        await self._exchange.send_event({"type": "websocket.http.response.start", "status": status, "headers": head})
        await self._exchange.send_event({"type": "websocket.http.response.body", "body": body, "more_body": False})


async def _relay(exchange: Exchange, peer: WebSocketPeer) -> None:
    """Carry messages both ways until one side closes; then close the other with the same code and reason."""

    async def from_client() -> None:
        while True:
            event = await exchange.receive()
            if event["type"] == "websocket.disconnect":
                await peer.close(event.get("code") or 1005, event.get("reason") or "")
                return
            message = event.get("bytes")
            try:
                await peer.send(message if message is not None else event["text"])
            except UpstreamError:
                return

    async def from_application() -> None:
        while (message := await peer.receive()) is not None:
            kind = "text" if isinstance(message, str) else "bytes"
            exchange.size += len(message)
            await exchange.send_event({"type": "websocket.send", kind: message})
        code = _SENT_FOR.get(peer.close_code, peer.close_code)
        await exchange.send_event({"type": "websocket.close", "code": code, "reason": peer.close_reason})

    sides = [asyncio.create_task(from_client()), asyncio.create_task(from_application())]
    try:
        await asyncio.wait(sides, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for side in sides:
            side.cancel()
        await asyncio.gather(*sides, return_exceptions=True)
        await peer.close(1001, "")
