"""Give a held result out: the same bytes, status and headers, to its subject alone, once it is paid for."""

from __future__ import annotations

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from gateway.access.keep import OpenedHold, OpenRefusal
from gateway.access.seal import Damaged
from gateway.core.event import ResultDelivered, ResultReleased
from gateway.core.header import Headers, first, is_attachment, kept_private
from gateway.core.reason import Reason
from gateway.ports.state import HoldRecord
from gateway.web.answers import OwnAnswer
from gateway.web.exchange import EXCHANGE
from gateway.web.faces import Faces
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
        if request.method == "HEAD":
            # A look at it is no delivery: nothing is spent, nothing marked.
            return await self._unpaid(person, hold)
        try:
            opened = await self._runtime.keeper.open(person.subject, hold, self._sells_by_number)
        except Damaged:
            detail = "What was kept no longer opens. No payment is lost: tell the service, or ask for it again."
            raise Denied(self._faces.refuse(500, Reason.HOLD_DAMAGED, detail, person.headers)) from None
        if opened is OpenRefusal.UNPAID:
            return await self._unpaid(person, hold)
        if isinstance(opened, OpenRefusal):
            raise Denied(self._faces.refuse_hold(opened, person.headers))
        request.scope[EXCHANGE].reason = Reason.RELEASED
        self._record(person, opened)
        headers = kept_private(opened.head.headers, "")
        if self._runtime.identities.vary:
            # Also where the application said `private`: it does not know that this address is one subject's alone.
            headers.append((b"vary", self._runtime.identities.vary.encode("ascii")))
        if "download" in request.query_params:
            headers = _to_be_saved(headers, opened.record)
        answer = StreamingResponse(opened.body, opened.head.status)
        answer.raw_headers = [*headers, (b"content-length", b"%d" % opened.record.size)]
        return answer

    def _sells_by_number(self, route: str) -> bool:
        return self._people.rule(route).price is None

    async def _unpaid(self, person: Person, hold: str) -> Response:
        record = await self._runtime.keeper.look(person.subject, hold)
        if isinstance(record, OpenRefusal):
            raise Denied(self._faces.refuse_hold(record, person.headers))
        rule = self._people.rule(record.route)
        if record.paid:
            return person.response(OwnAnswer(200, Reason.PAGE))
        reason = Reason.HOLD_UNPAID
        return person.response(self._faces.prompt(person.subject, person.state, rule, reason, person.headers, record))

    def _record(self, person: Person, opened: OpenedHold) -> None:
        if not opened.first:
            return
        at, who = self._runtime.now(), self._runtime.keyring.pseudonym(person.subject)
        record = opened.record
        self._runtime.events.record(ResultReleased(at=at, subject=who, route=record.route, hold=record.id))
        self._runtime.events.record(
            ResultDelivered(at=at, subject=who, route=record.route, by="released", size=record.size)
        )


def _to_be_saved(headers: Headers, record: HoldRecord) -> Headers:
    if record.media_type == "text/html" or is_attachment(first(headers, b"content-disposition")):
        return headers
    kept = [pair for pair in headers if pair[0] != b"content-disposition"]
    # RFC 6266 section 4.3 and RFC 8187: the encoded form carries any name and nothing that could end the header.
    name = quote(record.filename, safe="")
    return [*kept, (b"content-disposition", f"attachment; filename*=UTF-8''{name}".encode("ascii"))]
