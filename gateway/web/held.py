"""A held result on its way out: what its answer says, and what is recorded of it."""

from __future__ import annotations

from urllib.parse import quote

from gateway.access.keep import OpenedHold
from gateway.access.seal import ResultHead
from gateway.core.event import ResultDelivered, ResultReleased
from gateway.core.header import Headers, first, is_attachment, kept_private
from gateway.core.subject import Subject
from gateway.ports.state import HoldRecord
from gateway.web.runtime import Runtime


def held_headers(runtime: Runtime, record: HoldRecord, head: ResultHead, is_to_be_saved: bool = False) -> Headers:
    """The head of the answer; `is_to_be_saved`: a browser is to save it instead of showing it, unless it is a page."""
    headers = kept_private(head.headers, "")
    if runtime.identities.vary:
        # Also where the application said `private`: it does not know that this address is one subject's alone.
        headers.append((b"vary", runtime.identities.vary.encode("ascii")))
    if is_to_be_saved:
        headers = _to_be_saved(headers, record)
    return [*headers, (b"content-length", b"%d" % record.size)]


def record_release(runtime: Runtime, subject: Subject, opened: OpenedHold) -> None:
    """The events of a result that is given out for the first time."""
    if not opened.first:
        return
    at, who = runtime.now(), runtime.keyring.pseudonym(subject)
    record = opened.record
    runtime.tallies.add(subject.key)
    runtime.events.record(ResultReleased(at=at, subject=who, route=record.route, hold=record.id))
    runtime.events.record(ResultDelivered(at=at, subject=who, route=record.route, by="released", size=record.size))


def _to_be_saved(headers: Headers, record: HoldRecord) -> Headers:
    if record.is_page or is_attachment(first(headers, b"content-disposition")):
        return headers
    kept = [pair for pair in headers if pair[0] != b"content-disposition"]
    # RFC 6266 section 4.3 and RFC 8187: the encoded form carries any name and nothing that could end the header.
    name = quote(record.filename, safe="")
    return [*kept, (b"content-disposition", f"attachment; filename*=UTF-8''{name}".encode("ascii"))]
