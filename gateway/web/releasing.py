"""Give a held result out: the same bytes, status and headers, to its subject alone, once it is paid for."""

from __future__ import annotations

from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from gateway.access.keep import OpenRefusal, is_covered
from gateway.access.seal import Damaged, ResultHead
from gateway.core.header import Headers
from gateway.core.reason import Reason
from gateway.language.catalogue import phrase
from gateway.ports.state import HoldRecord, StoreUnavailable
from gateway.web.exchange import EXCHANGE, Exchange
from gateway.web.faces import Faces
from gateway.web.forward import CutShort
from gateway.web.held import held_headers, record_release
from gateway.web.paid_release import PaidRelease
from gateway.web.person import Denied, People, Person
from gateway.web.runtime import Runtime


class Releasing:
    """Gives held results out."""

    def __init__(self, runtime: Runtime, faces: Faces, people: People) -> None:
        self._runtime, self._faces, self._people = runtime, faces, people
        self._paying = PaidRelease(runtime, faces, people)

    async def release(self, request: Request) -> Response:
        """GET hold/{id}: the result as it was produced, or 402, 403, 404, 410 with the reason.

        With `?download` a browser saves it instead of showing it, unless it is a page.
        """
        hold = request.path_params["hold"]
        paid = await self._paying.read(request, hold)
        person = await self._people.who(request) if paid is None else paid.person
        receipt: Headers = []
        try:
            if request.method == "HEAD":
                return await self._look(request, person, hold)
            opened = await self._runtime.keeper.open(person.subject, hold, self._sells_by_number)
            if opened is OpenRefusal.UNPAID and paid is not None:
                receipt = await self._paying.pay(paid)
                opened = await self._runtime.keeper.open(person.subject, hold, self._sells_by_number)
        except Damaged as error:
            request.scope[EXCHANGE].detail = str(error)
            detail = phrase("What was kept no longer opens. No payment is lost: tell the service, or ask for it again.")
            raise Denied(self._faces.refuse(500, Reason.HOLD_DAMAGED, detail, person.headers)) from None
        if opened is OpenRefusal.UNPAID:
            return await self._unpaid(person, hold)
        if isinstance(opened, OpenRefusal):
            raise Denied(self._faces.refuse_hold(opened, person.headers))
        if paid is not None and not receipt:
            receipt = await self._paying.receipt_of(paid)
        request.scope[EXCHANGE].reason = Reason.RELEASED
        record_release(self._runtime, person.subject, opened)
        answer = StreamingResponse(_until_it_fails(opened.body, request.scope[EXCHANGE]), opened.head.status)
        answer.raw_headers = [*self._headers(request, opened.record, opened.head), *receipt]
        return answer

    async def _look(self, request: Request, person: Person, hold: str) -> Response:
        """HEAD hold/{id}: what a GET would say. It is no delivery: nothing is spent, nothing marked."""
        found = await self._runtime.keeper.head(person.subject, hold)
        if isinstance(found, OpenRefusal):
            raise Denied(self._faces.refuse_hold(found, person.headers))
        record, head = found
        by_number = person.state.credits > 0 and self._sells_by_number(record.route)
        if not by_number and not is_covered(record, person.state, self._runtime.now()):
            return await self._unpaid(person, hold)
        answer = Response(status_code=head.status)
        answer.raw_headers = self._headers(request, record, head)
        return answer

    def _headers(self, request: Request, record: HoldRecord, head: ResultHead) -> Headers:
        return held_headers(self._runtime, record, head, is_to_be_saved="download" in request.query_params)

    def _sells_by_number(self, route: str) -> bool:
        return self._people.rule(route).price is None

    async def _unpaid(self, person: Person, hold: str) -> Response:
        record = await self._runtime.keeper.look(person.subject, hold)
        if isinstance(record, OpenRefusal):
            raise Denied(self._faces.refuse_hold(record, person.headers))
        rule, reason = self._people.rule(record.route), Reason.HOLD_UNPAID
        in_doubt = await self._paying.in_doubt(person, rule, record)
        if in_doubt is not None:
            return person.response(in_doubt)
        resource = self._paying.resource(person, hold)
        challenge = await self._paying.challenge(person.subject, rule, hold, resource)
        return person.response(
            self._faces.prompt(
                person.subject, person.state, rule, reason, person.headers, record, resource=resource,
                challenge=challenge,
            )
        )  # fmt: skip


async def _until_it_fails(body: AsyncIterator[bytes], exchange: Exchange) -> AsyncIterator[bytes]:
    """The body; where a part does not open, or can't be had, the answer is broken off, so that nobody takes it for
    whole. It can be taken again."""
    try:
        async for piece in body:
            yield piece
    except (Damaged, StoreUnavailable) as error:
        exchange.detail = str(error)
        exchange.break_off()
        raise CutShort from error
