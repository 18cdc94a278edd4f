"""What the head of the application's answer says: whether it is a result, and what of it the client gets."""

from __future__ import annotations

from gateway.access.match import Match
from gateway.core.header import Headers, first, is_attachment, media_type_of
from gateway.core.rule import AnswerCondition, RouteClass, Rule

OURS = frozenset({b"paywall-reason", b"paywall-result", b"paywall-step", b"paywall-context"})
"""Words of the application for the gateway, and the gateway's own: no answer of the application carries them on."""
WITHOUT_LENGTH = frozenset({204, 304})
"""Statuses whose answers have no body, and whose length says nothing about them (RFC 9110 section 8.6)."""


def is_result(condition: AnswerCondition, status: int, headers: Headers) -> bool:
    """Whether the head of an answer meets any of the conditions. Only answers that carry something can be results."""
    if not 200 <= status < 300 or status == 204:
        return False
    if condition.attachment and is_attachment(first(headers, b"content-disposition")):
        return True
    if not condition.media_types:
        return False
    media_type = media_type_of(first(headers, b"content-type"))
    if media_type == "multipart/byteranges":
        # Several ranges of something, whose own type stands inside the body.
        return True
    return media_type in condition.media_types or media_type.partition("/")[0] + "/*" in condition.media_types


def declared(headers: Headers) -> bool | None:
    """What the application itself says of its answer by `Paywall-Result: yes|no`; None when it says nothing."""
    value = first(headers, b"paywall-result").strip().lower()
    return None if value not in (b"yes", b"no") else value == b"yes"


def yields_result(status: int, headers: Headers) -> bool:
    """Whether there is a result in the answer to a result route: only success counts, and costs."""
    return 200 <= status < 300 and status not in (204, 205) and declared(headers) is not False


def late_rule(match: Match, default_result: Rule, status: int, headers: Headers) -> Rule | None:
    """The rule that takes the place of an open or action rule once this head is known; None when it stays."""
    if match.rule.route_class not in (RouteClass.OPEN, RouteClass.ACTION):
        return None
    said = declared(headers)
    if said is False:
        return None
    for late in match.on_answer:
        if late.answer is not None and is_result(late.answer, status, headers):
            return late
    return default_result if said and yields_result(status, headers) else None


def says_who_may_ask(name: bytes) -> bool:
    """Whether a header speaks of requests to come (Fetch Standard, CORS responses), not of a result."""
    return name.startswith(b"access-control-") or name in (b"allow", b"vary")


def without_our_words(headers: Headers) -> Headers:
    """A list of its own, without what the application says to the gateway."""
    return [pair for pair in headers if pair[0] not in OURS]


def client_headers(status: int, headers: Headers, length: int | None) -> Headers:
    """The answer's headers as the client gets them: without words meant for the gateway, with the length known."""
    headers = without_our_words(headers)
    if length is not None and status not in WITHOUT_LENGTH:
        headers.append((b"content-length", b"%d" % length))
    return headers
