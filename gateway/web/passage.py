"""One request on its way through the gateway: who it is, what is decided, and the one place that acts on it."""

from __future__ import annotations

from typing import assert_never

from gateway.access.keep import KeepOutcome
from gateway.core.decision import Decision, Forward, Hold, Prompt, Purse, Refuse, Take
from gateway.core.header import Headers, is_shared, kept_private
from gateway.core.reason import Reason
from gateway.core.rule import RouteClass, Rule
from gateway.html.head import is_changeable
from gateway.html.page import Snippet
from gateway.ports.state import HoldRecord, StoreUnavailable
from gateway.ports.upstream import Answer, UpstreamError
from gateway.web.agents import SOLD_FOR
from gateway.web.answer_head import client_headers, declared, late_rule, says_who_may_ask, yields_result
from gateway.web.answers import OwnAnswer, wants_page
from gateway.web.arrival import Arrival
from gateway.web.asker import Asker
from gateway.web.crossing import Begun
from gateway.web.early_body import EarlyBody
from gateway.web.exchange import Exchange
from gateway.web.faces import Faces
from gateway.web.forward import FAILURES, CutShort, ask, stream
from gateway.web.record import record_delivery, record_held
from gateway.web.refusing import refusal, without_store
from gateway.web.runtime import Runtime
from gateway.web.selling import Selling, without_payment
from gateway.web.shaping import can_be_had_whole, fingerprint, for_change, for_hold, whole
from gateway.web.ticket import Ticket, grace_of

_KEEP_REASONS = {
    KeepOutcome.TOO_LARGE: Reason.HOLD_TOO_LARGE,
    KeepOutcome.ENDLESS: Reason.HOLD_ENDLESS,
    KeepOutcome.LIMIT_REACHED: Reason.HOLD_LIMIT_REACHED,
}
_UNSPENT = frozenset({Reason.CREDIT, Reason.WINDOW})
"""Reasons to pass a request on that are a right to one result, and not to any number of them."""
_RACES = 3
"""How often a lost race for the last result of a purse is decided again."""


class Passage:
    """One request on its way."""

    def __init__(self, runtime: Runtime, faces: Faces, exchange: Exchange, arrival: Arrival) -> None:
        self._runtime, self._faces = runtime, faces
        self._exchange, self._case, self._message = exchange, arrival.case, arrival.case.message
        self._headers = arrival.headers
        """What goes to the application."""
        self._owner = arrival.onward.owner
        self._scheme = arrival.onward.scheme
        self._sent_before = False
        """Whether it went there on the short way already, over a connection that the application was closing."""
        self._asker = Asker(runtime, exchange, arrival.credentials, arrival.onward.owner)
        self._body: EarlyBody | None = None
        """The request's body, where it had to be looked into."""

    async def run(self) -> None:
        """Decide and act."""
        if self._case.waits_for_body:
            await self._look_into_body()
        rule, free = self._case.match.rule, self._case.free
        if free is None:
            await self._decide_and_act(rule, None)
            return
        if free is Reason.OPEN:
            await self._meet(rule)
        await self._act(rule, Forward(free), None)

    async def take_over(self, begun: Begun) -> None:
        """Go on with a request that was sent to the application on the short way, where something came of it."""
        if begun.failure is not None:
            admitted = begun.admitted
            assert admitted is not None
            self._exchange.decided(admitted.rule, admitted.decision)
            self._exchange.standing, self._exchange.subject = admitted.standing, admitted.subject
            if not isinstance(begun.failure, UpstreamError):
                raise begun.failure
            await self._fail(begun.failure)
        elif begun.answer is not None and begun.late is not None:
            self._exchange.working_on(begun.answer)
            await self._decide_and_act(begun.late, begun.answer)
        else:
            self._sent_before = begun.admitted is not None
            if begun.known is not None:
                self._asker.accept(begun.known)
            await self.run()

    async def _look_into_body(self) -> None:
        runtime, message = self._runtime, self._message
        self._body = EarlyBody(self._exchange, message.length)
        self._case.look_into(await self._body.look(message.headers, runtime.policy.body_limit), runtime.table)

    async def _meet(self, rule: Rule) -> None:
        """Nobody waits for the store on an open route, but for a page that may have to tell its reader something."""
        notices = self._faces.notices
        if notices.may_be_due(self._message):
            try:
                if await notices.patience.is_done(self._asker.read_standing(rule, self._case)):
                    return
                self._exchange.detail = "the store did not answer soon enough for a notice"
            except StoreUnavailable as error:  # the page matters, the notice does not
                self._exchange.detail = str(error)
        await self._asker.note_visit(wants_page(self._message.headers))

    async def _decide_and_act(self, rule: Rule, answer: Answer | None, races: int = _RACES) -> None:
        asker = self._asker
        try:
            await asker.look_up(rule, self._case, may_take=answer is None)
            decision = asker.decide(rule, self._case, answer.status if answer is not None else 0)
            if not isinstance(decision, Take):
                self._return_ticket()
            await self._act(rule, decision, answer, races)
        except StoreUnavailable as error:
            await self._without_store(rule, answer, error)
        finally:
            self._return_ticket()

    # Act

    async def _act(self, rule: Rule, decision: Decision, answer: Answer | None, races: int = _RACES) -> None:
        self._exchange.decided(rule, decision)
        if isinstance(decision, Hold | Prompt) and await self._sell(rule, decision, answer):
            return
        match decision:
            case Forward():
                await self._forward(rule, decision, answer)
            case Take():
                await self._take(rule, decision, answer, races)
            case Hold():
                await self._hold(rule, decision, answer)
            case Prompt():
                self._drop(answer)
                await self._prompt(rule, decision.reason)
            case Refuse():
                self._drop(answer)
                await self._refuse(decision)
            case _:
                assert_never(decision)

    async def _forward(self, rule: Rule, decision: Forward, answer: Answer | None) -> None:
        notice = self._notice(rule)
        if answer is None:
            answer = await self._ask(for_change(self._headers) if notice else self._headers)
            if answer is None:
                return
            if decision.reason is Reason.PREFLIGHT:
                await self._say_head_alone(answer, [pair for pair in answer.headers if says_who_may_ask(pair[0])])
                return
            late = late_rule(self._case.match, self._runtime.policy.default_result, answer.status, answer.headers)
            if late is not None:
                await self._decide_and_act(late, answer)
                return
        headers = client_headers(answer.status, answer.headers, answer.length)
        if rule.route_class is RouteClass.RESULT:
            self._note_no_result(answer)
            headers = kept_private(headers, self._runtime.identities.vary)
            if decision.reason is Reason.ENTITLED:
                self._exchange.proof = self._asker.proof(self._headers)
        if decision.prompt and self._asker.subject is not None and self._asker.state is not None:
            address = self._faces.offer_address(self._asker.subject, self._asker.state, rule)
            headers = [*headers, (b"link", f'<{address}>; rel="payment"'.encode())]
        if notice is not None and is_changeable(answer.status, answer.headers) and answer.length != 0:
            answer, headers = self._faces.notices.put_into(answer, headers, notice, self._message)
        sets_cookies = self._exchange.cookie or self._exchange.device
        if sets_cookies and rule.route_class is not RouteClass.RESULT and is_shared(headers):
            self._exchange.cookie = self._exchange.device = b""
        if (
            decision.reason in _UNSPENT
            and self._message.method != "HEAD"
            and yields_result(answer.status, answer.headers)
        ):
            await self._say_head_alone(answer, headers)
            return
        await stream(answer, headers, self._exchange, self._message.method)
        if rule.route_class is RouteClass.RESULT:
            self._record_delivery(rule, answer)

    async def _say_head_alone(self, answer: Answer, headers: Headers) -> None:
        # An application that hands every method to one handler answers OPTIONS with the result, and nothing is spent.
        self._drop(answer)
        head = [pair for pair in headers if pair[0] != b"content-length"]
        await self._exchange.start_answer(answer.status, [*head, (b"content-length", b"0")])
        await self._exchange.send_body(b"", more=False)

    async def _take(self, rule: Rule, decision: Take, answer: Answer | None, races: int) -> None:
        assert self._asker.subject is not None
        if answer is not None and can_be_had_whole(self._case, self._headers, answer.status):
            self._drop(answer)
            self._headers = whole(self._headers)
            await self._act(self._case.match.rule, Forward(Reason.OPEN), None)
            return
        runtime = self._runtime
        ticket = self._taken_with_state(decision)
        is_taken, is_result = ticket is not None, False
        if ticket is None:
            ticket = Ticket(runtime, self._asker.subject, rule, decision.purse, grace_of(rule))
        try:
            if not (is_taken or await ticket.take()):
                if races:
                    await self._decide_and_act(rule, answer, races - 1)
                else:
                    await self._act(rule, Prompt(Reason.PAYMENT_REQUIRED), answer)
                return
            if answer is None:
                answer = await self._ask(whole(self._headers))
                if answer is None:
                    return
            self._note_no_result(answer)
            headers = kept_private(
                client_headers(answer.status, answer.headers, answer.length), runtime.identities.vary
            )
            is_result = yields_result(answer.status, answer.headers)
            await stream(answer, headers, self._exchange, self._message.method)
            if is_result and not (self._exchange.gone and not self._exchange.size):
                ticket.close()
                self._record_delivery(rule, answer)
        except CutShort:
            raise
        except BaseException:
            # The client left in the midst of it: what it has had is its own, what it has not had is not spent.
            if is_result and self._exchange.size:
                ticket.close()
            raise
        finally:
            self._give_back(ticket)

    def _taken_with_state(self, decision: Take) -> Ticket | None:
        """The ticket of what was taken when the state was read."""
        state, ticket = self._asker.state, self._asker.ticket
        if decision.purse is not Purse.GRACE or state is None or not state.grace_taken:
            return None
        self._asker.ticket = None
        return ticket

    def _return_ticket(self) -> None:
        """Nothing comes of a result that may have been taken with the state."""
        ticket, self._asker.ticket = self._asker.ticket, None
        if ticket is not None:
            self._give_back(ticket)

    def _give_back(self, ticket: Ticket) -> None:
        ticket.give_back_unless_closed(self._exchange.detail or str(self._exchange.status))

    async def _hold(self, rule: Rule, decision: Hold, answer: Answer | None) -> None:
        assert self._asker.subject is not None
        if answer is None:
            asked = fingerprint(self._runtime.keyring, self._message)
            if found := await self._runtime.keeper.find(self._asker.subject, asked):
                await self._prompt(rule, Reason.RESULT_HELD, found)
                return
        answer = await self._result(answer)
        if answer is None:
            return
        if decision.keep:
            record = await self._keep(rule, answer)
            if record is not None:
                await self._prompt(rule, Reason.RESULT_HELD, record)
            return
        try:
            record = await self._runtime.keeper.preview(self._message.path.decode("latin-1"), answer)
        except UpstreamError as error:
            await self._fail(error)
            return
        self._drop(answer)
        await self._prompt(rule, Reason.RESULT_PREVIEWED, record)

    async def _result(self, answer: Answer | None) -> Answer | None:
        """The application's answer where there is a result in it. Anything else has gone to the client."""
        answer = answer or await self._ask(for_hold(self._headers))
        if answer is None or yields_result(answer.status, answer.headers):
            return answer
        self._note_no_result(answer)
        headers = client_headers(answer.status, answer.headers, answer.length)
        await stream(answer, headers, self._exchange, self._message.method)
        return None

    async def _keep(self, rule: Rule, answer: Answer) -> HoldRecord | None:
        """The result, kept. None where it could not be, and the client has been told."""
        assert self._asker.subject is not None
        runtime, asked = self._runtime, fingerprint(self._runtime.keyring, self._message)
        target = self._message.path.decode("latin-1")
        try:
            kept = await runtime.keeper.keep(self._asker.subject, rule.name, target, asked, answer)
        except UpstreamError as error:
            await self._fail(error)
            return None
        except StoreUnavailable as error:
            # A part of the answer is read: it can be neither passed on nor asked for again.
            self._exchange.detail = str(error)
            self._drop(answer)
            await self._refuse_without_store(rule)
            return None
        self._drop(answer)
        if kept.record is None:
            self._exchange.reason = _KEEP_REASONS[kept.outcome]
            await self._prompt(rule, self._exchange.reason)
            return None
        record_held(runtime, self._exchange.subject, kept.record)
        return kept.record

    async def _sell(self, rule: Rule, decision: Hold | Prompt, answer: Answer | None) -> bool:
        """Whether the request brought a payment for this result; then it has been answered."""
        subject, state = self._asker.subject, self._asker.state
        resource = self._faces.resource(self._scheme, self._message)
        if decision.reason not in SOLD_FOR or subject is None or state is None or not resource:
            return False
        self._headers = without_payment(self._headers)
        selling = Selling(self._runtime, self._faces, self._exchange, self._message.headers, resource)

        async def produce() -> HoldRecord | None:
            result = await self._result(answer)
            return await self._keep(rule, result) if result is not None else None

        own = await selling.sell(rule, subject, state, fingerprint(self._runtime.keyring, self._message), produce)
        if isinstance(own, OwnAnswer):
            self._exchange.reason = own.reason
            self._drop(answer)
            await self._say(own)
        return own is not False

    async def _prompt(self, rule: Rule, reason: Reason, record: HoldRecord | None = None) -> None:
        subject, state = self._asker.subject, self._asker.state
        assert subject is not None and state is not None
        if reason is Reason.BODY_UNREADABLE:
            self._exchange.detail = f"its body can't be judged: {self._case.match.unreadable}"
        headers, resource = self._message.headers, self._faces.resource(self._scheme, self._message)
        await self._say(self._faces.prompt(subject, state, rule, reason, headers, record, resource=resource))

    async def _refuse(self, decision: Refuse) -> None:
        rejected = self._asker.rejected
        if rejected is not None:
            self._exchange.detail = rejected.why
        await self._say(refusal(self._faces, decision, rejected, self._message.headers))

    async def _without_store(self, rule: Rule, answer: Answer | None, error: StoreUnavailable) -> None:
        self._exchange.detail = str(error)
        if self._exchange.status:
            raise CutShort from error
        if self._case.passes_without_store(rule):
            await self._act(rule, Forward(Reason.STORE_UNAVAILABLE), answer)
            return
        if self._asker.recall_without_store():
            decision = self._asker.decide(rule, self._case, answer.status if answer is not None else 0)
            if isinstance(decision, Forward):
                await self._act(rule, decision, answer)
                return
        self._drop(answer)
        await self._refuse_without_store(rule)

    async def _refuse_without_store(self, rule: Rule) -> None:
        self._exchange.decided(rule, Refuse(503, Reason.STORE_UNAVAILABLE))
        await self._say(without_store(self._faces, self._message.headers))

    async def _ask(self, headers: Headers) -> Answer | None:
        """The head of the application's answer; None when it failed and the client has been told."""
        try:
            answer = await ask(
                self._runtime.upstream, self._message, headers, self._exchange, self._sent_before, self._owner,
                self._body,
            )  # fmt: skip
        except UpstreamError as error:
            await self._fail(error)
            return None
        return answer

    async def _fail(self, error: UpstreamError) -> None:
        status, reason, detail = FAILURES[error.failure]
        self._exchange.reason, self._exchange.detail = reason, str(error)
        await self._say(self._faces.refuse(status, reason, detail, self._message.headers))

    def _notice(self, rule: Rule) -> Snippet | None:
        """What the reader is to be told, should the answer be a page; never in a result."""
        asker = self._asker
        if rule.route_class not in (RouteClass.OPEN, RouteClass.ACTION) or asker.state is None or asker.fresh:
            return None
        return self._faces.notices.words(asker.state, self._message)

    def _note_no_result(self, answer: Answer) -> None:
        if declared(answer.headers) is False:
            self._exchange.reason = Reason.NOT_A_RESULT

    def _drop(self, answer: Answer | None) -> None:
        if answer is not None:
            answer.abort()
        self._exchange.working_on(None)

    async def _say(self, own: OwnAnswer) -> None:
        body = b"" if self._message.method == "HEAD" else own.body
        await self._exchange.start_answer(own.status, own.all_headers())
        await self._exchange.send_body(body, more=False)

    def _record_delivery(self, rule: Rule, answer: Answer) -> None:
        exchange = self._exchange
        if yields_result(answer.status, answer.headers) and self._message.method != "HEAD":
            key = self._asker.subject.key if self._asker.subject is not None else ""
            record_delivery(self._runtime, exchange.subject, rule.name, exchange.reason, exchange.size, key)
