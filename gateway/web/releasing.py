"""Give a held result out: the same bytes, status and headers, to its subject alone, once it is paid for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from gateway.access.keep import OpenedHold, OpenRefusal, is_covered
from gateway.access.seal import Damaged, ResultHead
from gateway.core.event import ResultDelivered, ResultReleased
from gateway.core.header import Headers, first, is_attachment, kept_private
from gateway.core.reason import Reason
from gateway.language.catalogue import phrase
from gateway.ports.state import HoldRecord, StoreUnavailable
from gateway.web.exchange import EXCHANGE, Exchange
from gateway.web.faces import Faces
from gateway.web.forward import CutShort
from gateway.web.person import Denied, People, Person
from gateway.web.runtime import Runtime


class Releasing:
    """Gives held results out."""

    def __init__(self, runtime: Runtime, faces: Faces, people: People) -> None:
        self._runtime, self._faces, self._people = runtime, faces, people

    async def release(self, request: Request) -> Response:
        """GET hold/{id}: the result as it was produced, or 402, 403, 404, 410 with the reason.

        With `?download` a browser saves it instead of showing it, unless it is a page.
        """
        person = await self._people.who(request)
        hold = request.path_params["hold"]
        try:
            if request.method == "HEAD":
                return await self._look(request, person, hold)
            opened = await self._runtime.keeper.open(person.subject, hold, self._sells_by_number)
        except Damaged as error:
            request.scope[EXCHANGE].detail = str(error)
            detail = phrase("What was kept no longer opens. No payment is lost: tell the service, or ask for it again.")
            raise Denied(self._faces.refuse(500, Reason.HOLD_DAMAGED, detail, person.headers)) from None
        if opened is OpenRefusal.UNPAID:
            return await self._unpaid(person, hold)
        if isinstance(opened, OpenRefusal):
            raise Denied(self._faces.refuse_hold(opened, person.headers))
        request.scope[EXCHANGE].reason = Reason.RELEASED
        self._record(person, opened)
        answer = StreamingResponse(_until_it_fails(opened.body, request.scope[EXCHANGE]), opened.head.status)
        answer.raw_headers = self._headers(request, opened.record, opened.head)
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
        headers = kept_private(head.headers, "")
        if self._runtime.identities.vary:
            # Also where the application said `private`: it does not know that this address is one subject's alone.
            headers.append((b"vary", self._runtime.identities.vary.encode("ascii")))
        if "download" in request.query_params:
            headers = _to_be_saved(headers, record)
        return [*headers, (b"content-length", b"%d" % record.size)]

    def _sells_by_number(self, route: str) -> bool:
        return self._people.rule(route).price is None

    async def _unpaid(self, person: Person, hold: str) -> Response:
        record = await self._runtime.keeper.look(person.subject, hold)
        if isinstance(record, OpenRefusal):
            raise Denied(self._faces.refuse_hold(record, person.headers))
        rule, reason = self._people.rule(record.route), Reason.HOLD_UNPAID
        return person.response(self._faces.prompt(person.subject, person.state, rule, reason, person.headers, record))

    def _record(self, person: Person, opened: OpenedHold) -> None:
        if not opened.first:
            return
        at, who = self._runtime.now(), self._runtime.keyring.pseudonym(person.subject)
        record = opened.record
        self._runtime.events.record(ResultReleased(at=at, subject=who, route=record.route, hold=record.id))
        self._runtime.tallies.add(person.subject.key)
        self._runtime.events.record(
            ResultDelivered(at=at, subject=who, route=record.route, by="released", size=record.size)
        )


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


def _to_be_saved(headers: Headers, record: HoldRecord) -> Headers:
    if record.is_page or is_attachment(first(headers, b"content-disposition")):
        return headers
    kept = [pair for pair in headers if pair[0] != b"content-disposition"]
    # RFC 6266 section 4.3 and RFC 8187: the encoded form carries any name and nothing that could end the header.
    name = quote(record.filename, safe="")
    return [*kept, (b"content-disposition", f"attachment; filename*=UTF-8''{name}".encode("ascii"))]
