"""The gateway as an ASGI application: a request's way from its first byte to its last.

1. `message.read_message` judges the head and cleans it. What lies under our own prefix goes to the site.
2. `case.Case` reads the path (`core.target`) and finds the rule (`access.match`).
3. Open and exempt routes go straight on: nobody waits for the store, a first visit is told to it afterwards.
   Only a page that may have to carry a notice (`notice`) waits for one call.
4. Everything else: who is it (`access.identify`), where does the subject stand (one call to the store, which takes a
   free result where that is all there is), and `access.decide` decides. The decision is a value; `passage.Passage` is
   the one place that acts on it, but for what only has to pass: that goes the short way (`lane`, `asking`, `crossing`).
5. When the head of the answer shows that an open route yields a result after all, it is decided again, before a byte
   of it has gone to the client.
6. One line in the access log, one event where it counts. Neither waits, nor is waited for.
"""

from __future__ import annotations

import asyncio
from typing import Any

from gateway.core.reason import Reason
from gateway.language.catalogue import phrase
from gateway.ports.upstream import ClientGone
from gateway.ports.wire import WIRE, Lane, Wire
from gateway.web.arrival import meet
from gateway.web.crossing import CLIENT_CLOSED_REQUEST, Begun
from gateway.web.exchange import EXCHANGE, Exchange, Receive, Send
from gateway.web.faces import Faces
from gateway.web.forward import CutShort
from gateway.web.lane import ShortWay
from gateway.web.message import BadMessage, Message, is_own
from gateway.web.passage import Passage
from gateway.web.record import record
from gateway.web.runtime import Runtime
from gateway.web.site import make_site
from gateway.web.socket import Socket
from gateway.web.socket_bytes import ByteWay
from gateway.web.socket_messages import MessageWay

_WEBSOCKET = "WEBSOCKET"
"""The method of a handshake in the access log."""
_REASONS = {reason.value.encode("ascii"): reason for reason in Reason}


class Gate:
    """One config in front of the application. Built anew for every config; requests keep the one they began with."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._faces = Faces(runtime)
        self._site = make_site(runtime, self._faces)
        self._prefix = runtime.prefix.encode("ascii")
        self.lane: Lane = ShortWay(runtime, self._faces)
        """The short way past this application, for servers that offer one."""

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Answer one request or one WebSocket."""
        trusted = self._runtime.peers.trusts(scope.get("client"))
        if scope["type"] == "websocket":
            await self._relay_messages(scope, receive, send, trusted)
            return
        wire: Wire | None = scope.get("extensions", {}).get(WIRE)
        exchange = Exchange(receive, send, wire)
        message: Message | None = None
        try:
            if wire is not None and wire.is_handshake:
                exchange.attend(False)
                way = ByteWay(exchange, wire, self._runtime.websockets)
                await Socket(self._runtime, self._faces, scope, exchange, way, trusted).run()
                return
            begun: Begun | None = wire.begun if wire is not None else None
            if begun is not None:
                message = begun.arrival.case.message
                await self._take_over(exchange, begun)
                return
            message = self._runtime.guards.of(trusted).read_scope(scope)
            if is_own(message.path, self._prefix):
                await self._own_page(scope, exchange)
            else:
                await self._pass(scope, exchange, message, trusted)
        except BadMessage as bad:
            exchange.decision, exchange.reason, exchange.detail = "refuse", bad.reason, bad.detail
            answer = self._faces.refuse_message(bad)
            await exchange.start_answer(answer.status, [*answer.all_headers(), (b"connection", b"close")])
            await exchange.send_body(answer.body, more=False)
        except CutShort:
            pass
        except (ClientGone, asyncio.CancelledError) as left:
            if isinstance(left, asyncio.CancelledError) and not exchange.gone:
                raise
            self._note_departure(exchange)
        except Exception as error:  # ours: told to the operator whole, to the client as what it is
            await self._confess(exchange, error)
        finally:
            exchange.dismiss()
            method = _WEBSOCKET if wire is not None and wire.is_handshake else scope["method"]
            record(self._runtime, exchange, method, message.path if message else scope.get("raw_path", b""))

    async def _relay_messages(self, scope: Any, receive: Receive, send: Send, trusted: bool) -> None:
        exchange = Exchange(receive, send, None)
        try:
            await receive()  # websocket.connect
            way = MessageWay(exchange, scope, self._runtime.websockets)
            await Socket(self._runtime, self._faces, scope, exchange, way, trusted).run()
        finally:
            record(self._runtime, exchange, _WEBSOCKET, scope.get("raw_path", b""))

    async def _pass(self, scope: Any, exchange: Exchange, message: Message, trusted: bool) -> None:
        arrival = meet(self._runtime, message, scope.get("client"), scope.get("scheme", "http"), trusted)
        exchange.attend(message.length != 0)
        await Passage(self._runtime, self._faces, exchange, arrival).run()

    async def _take_over(self, exchange: Exchange, begun: Begun) -> None:
        """By the config that the request began with, which may be an older one by now."""
        exchange.started, exchange.waited = begun.started, begun.waited
        try:
            exchange.attend(begun.arrival.case.message.length != 0)
            await Passage(begun.runtime, begun.faces, exchange, begun.arrival).take_over(begun)
        except ClientGone:
            if begun.answer is not None:
                begun.answer.abort()
            if begun.known is not None and begun.known.ticket is not None:  # of no effect where somebody has seen to it
                begun.known.ticket.give_back_unless_closed("the client left")
            raise

    async def _own_page(self, scope: Any, exchange: Exchange) -> None:
        exchange.decision, exchange.reason, exchange.route = "page", Reason.PAGE, "paywall"

        async def send(event: Any) -> None:
            if event["type"] == "http.response.start":
                exchange.status = event["status"]
                for name, value in event["headers"]:
                    if name == b"paywall-reason":
                        exchange.reason = _REASONS.get(value, exchange.reason)
            else:
                exchange.size += len(event.get("body", b""))
                exchange.complete = not event.get("more_body", False)
            await exchange.send_event(event)

        await self._site({**scope, EXCHANGE: exchange}, exchange.receive, send)

    def _note_departure(self, exchange: Exchange) -> None:
        task = asyncio.current_task()
        if task is not None and exchange.gone:
            task.uncancel()
        exchange.detail = exchange.detail or "the client left"
        if not exchange.complete:
            exchange.break_off()  # one that only fell silent is still there, and would be told of an error of ours
        if not exchange.status:
            exchange.status, exchange.reason = CLIENT_CLOSED_REQUEST, Reason.CLIENT_GONE

    async def _confess(self, exchange: Exchange, error: Exception) -> None:
        self._runtime.confess(error)
        exchange.reason, exchange.detail = Reason.INTERNAL, type(error).__name__
        if exchange.status:
            if not exchange.complete:
                exchange.break_off()
            return
        exchange.decision = "refuse"
        detail = phrase(
            "It is not your fault, and nothing was counted twice. Try again; if it stays, tell the service."
        )
        answer = self._faces.refuse(500, Reason.INTERNAL, detail, [])
        await exchange.start_answer(500, answer.all_headers())
        await exchange.send_body(answer.body, more=False)
