"""WebSockets through the same gate: decided once, at the handshake, and then relayed as they come."""

from __future__ import annotations

from typing import Any, Protocol, assert_never

from gateway.core.decision import Decision, Forward, Hold, Prompt, Refuse, Take
from gateway.core.header import Headers
from gateway.core.reason import Reason
from gateway.core.rule import Rule
from gateway.language.catalogue import phrase
from gateway.ports.identity import Credentials
from gateway.ports.state import StoreUnavailable
from gateway.ports.upstream import ClientGone, UpstreamError, WebSocketRefused
from gateway.web.answer_head import client_headers
from gateway.web.answers import OwnAnswer
from gateway.web.asker import Asker
from gateway.web.case import Case
from gateway.web.exchange import Exchange
from gateway.web.faces import Faces
from gateway.web.forward import FAILURES, forwarded_headers, owner_of
from gateway.web.message import BadMessage, Message, is_own
from gateway.web.refusal_words import of_a_result
from gateway.web.runtime import Runtime
from gateway.web.ticket import Ticket, grace_of

_SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}


class SocketWay(Protocol):
    """How the server at hand takes a WebSocket."""

    async def open(self, target: bytes, headers: Headers) -> None:
        """Open the application's side, with the client's headers and ours. Raises `WebSocketRefused`, `UpstreamError`,
        and ValueError for what can't be sent."""
        ...

    async def relay(self) -> None:
        """Open the client's side, too, and carry what comes until both have ended."""
        ...

    async def deny(self, status: int, headers: Headers, body: bytes) -> None:
        """Answer the handshake otherwise."""
        ...


class Socket:
    """One WebSocket on its way."""

    def __init__(
        self, runtime: Runtime, faces: Faces, scope: Any, exchange: Exchange, way: SocketWay, trusted: bool
    ) -> None:
        self._runtime, self._faces = runtime, faces
        self._scope, self._exchange, self._way = scope, exchange, way
        self._trusted = trusted
        self._asker = Asker(runtime, exchange, Credentials([], False), "")

    async def run(self) -> None:
        """Decide, connect, relay."""
        try:
            await self._run()
        except ValueError as error:
            # What can be no handshake of ours to the application: a header or a target that can't be sent.
            self._exchange.detail = str(error)
            if self._exchange.status:
                return
            detail = phrase("A WebSocket's headers and address must be plain text.")
            await self._deny(self._faces.refuse(400, Reason.REQUEST_MALFORMED, detail, []))

    async def _run(self) -> None:
        scope = {**self._scope, "method": "GET"}
        try:
            message = self._runtime.guards.of(self._trusted).read_scope(scope)
            if message.length != 0:
                raise BadMessage(400, Reason.REQUEST_MALFORMED, "a request that opens a WebSocket has no body")
        except BadMessage as bad:
            self._exchange.detail = bad.detail
            await self._deny(self._faces.refuse_message(bad))
            return
        if is_own(message.path, self._runtime.prefix.encode("ascii")):
            detail = phrase("The gateway's own pages are not for WebSockets.")
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
            if self._asker.recall_without_store():
                decision = self._asker.decide(rule, case)
                if isinstance(decision, Forward):
                    await self._act(rule, decision, message)
                    return
            self._exchange.decided(rule, Refuse(503, Reason.STORE_UNAVAILABLE))
            detail = phrase("It can't be looked up at the moment what you may have.")
            more: Headers = [(b"retry-after", b"1")]
            await self._deny(self._faces.refuse(503, Reason.STORE_UNAVAILABLE, detail, message.headers, more))

    async def _decide(self, rule: Rule, case: Case) -> Decision:
        if case.free is not None:
            return Forward(case.free)
        client = self._scope.get("client")
        address = owner_of(case.message, client[0] if client else "", self._runtime.peers.trusts_address)
        self._asker = Asker(self._runtime, self._exchange, Credentials(case.message.headers, self._trusted), address)
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
                said = of_a_result(None)
                await self._deny(self._faces.refuse(decision.status, decision.reason, said, message.headers))
            case _:
                assert_never(decision)

    async def _prompt(self, rule: Rule, reason: Reason, message: Message) -> None:
        subject, state = self._asker.subject, self._asker.state
        assert subject is not None and state is not None
        await self._deny(self._faces.prompt(subject, state, rule, reason, message.headers))

    async def _take(self, rule: Rule, decision: Take, message: Message) -> None:
        assert self._asker.subject is not None
        ticket = Ticket(self._runtime, self._asker.subject, rule, decision.purse, grace_of(rule))
        try:
            if not await ticket.take():
                await self._prompt(rule, Reason.PAYMENT_REQUIRED, message)
            elif await self._connect(message):
                ticket.close()
        except ClientGone:
            raise
        except BaseException:
            # Whatever ends a WebSocket that was open: it has been had.
            if self._exchange.status == 101:
                ticket.close()
            raise
        finally:
            ticket.give_back_unless_closed(self._exchange.detail or str(self._exchange.status))

    async def _connect(self, message: Message) -> bool:
        """Open the application's side and relay; False when it was never opened."""
        client = self._scope.get("client")
        scheme = _SCHEMES[self._scope.get("scheme", "http")]
        headers = forwarded_headers(message, client[0] if client else "", scheme, self._trusted)
        try:
            await self._way.open(message.target, headers)
        except WebSocketRefused as refused:
            await self._pass_refusal(refused, message)
            return False
        except UpstreamError as error:
            status, reason, detail = FAILURES[error.failure]
            self._exchange.reason, self._exchange.detail = reason, str(error)
            await self._deny(self._faces.refuse(status, reason, detail, message.headers))
            return False
        self._exchange.status = 101
        await self._way.relay()
        return True

    async def _pass_refusal(self, refused: WebSocketRefused, message: Message) -> None:
        self._exchange.status = refused.status
        if 200 <= refused.status < 300:
            # An application that does not speak WebSocket answers as to a plain GET. That answer may be a result, and
            # no client can use it: it is not passed on.
            detail = phrase("The service does not speak WebSocket at this address.")
            await self._deny(self._faces.refuse(502, Reason.UPSTREAM_MALFORMED, detail, message.headers))
            return
        headers = client_headers(refused.status, refused.headers, len(refused.body))
        await self._way.deny(refused.status, headers, refused.body)

    async def _deny(self, own: OwnAnswer) -> None:
        self._exchange.status = own.status
        self._exchange.reason = own.reason
        self._exchange.decision = self._exchange.decision or "refuse"
        await self._way.deny(own.status, own.all_headers(), own.body)
