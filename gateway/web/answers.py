"""The gateway's own answers: every one carries its reason, none may be stored by anybody.

Programs get problem details (RFC 9457), browsers a page. The type of a problem is an address of ours that describes it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.core.header import Headers, first, media_type_of
from gateway.core.reason import Reason
from gateway.language.catalogue import phrase
from gateway.language.language import ENGLISH, Language, Sentence

PRIVATE = (b"cache-control", b"private, no-store")

TITLES: dict[Reason, str] = {
    Reason.PAYMENT_REQUIRED: phrase("Results need a plan now"),
    Reason.RESULT_HELD: phrase("Your result is ready and waits for payment"),
    Reason.RESULT_PREVIEWED: phrase("A preview of your result; the whole needs payment"),
    Reason.DECLINED: phrase("Results stay closed since you said not now"),
    Reason.TARGET_AMBIGUOUS: phrase("This address can be read in more than one way"),
    Reason.BODY_UNREADABLE: phrase("What this request asks for can't be read"),
    Reason.HOLD_TOO_LARGE: phrase("The result is too large to be kept for you"),
    Reason.HOLD_LIMIT_REACHED: phrase("As many results wait for you as can be kept"),
    Reason.HOLD_ENDLESS: phrase("A stream without end can't be kept for you"),
    Reason.HOLD_PARTIAL: phrase("A part of a result can't be kept for you"),
    Reason.HOLD_UNPAID: phrase("This result waits for payment"),
    Reason.TARGET_NOT_CANONICAL: phrase("The address has a plainer form"),
    Reason.REQUEST_MALFORMED: phrase("The request is malformed"),
    Reason.HEAD_TOO_LARGE: phrase("The head of the request is too large"),
    Reason.METHOD_NOT_ALLOWED: phrase("This method is not passed on"),
    Reason.EXPECTATION_FAILED: phrase("The expectation can't be met"),
    Reason.IDENTITY_REQUIRED: phrase("Sign in first"),
    Reason.IDENTITY_UNVERIFIABLE: phrase("Who you are can't be checked for a moment"),
    Reason.NOT_FOUND: phrase("There is nothing at this address"),
    Reason.NOT_ACCEPTABLE_ORIGIN: phrase("This form came from another site"),
    Reason.FORM_INVALID: phrase("The form is incomplete"),
    Reason.HOLD_UNKNOWN: phrase("There is no such result"),
    Reason.HOLD_OF_ANOTHER: phrase("This result belongs to somebody else"),
    Reason.HOLD_EXPIRED: phrase("This result is no longer kept"),
    Reason.HOLD_DAMAGED: phrase("This result can't be opened any more"),
    Reason.OFFER_OUTDATED: phrase("This offer is out of date"),
    Reason.PLAN_UNKNOWN: phrase("There is no such plan"),
    Reason.PROVIDER_UNKNOWN: phrase("There is no such way to pay"),
    Reason.PROVIDER_UNAVAILABLE: phrase("The payment provider does not answer"),
    Reason.PAYMENT_MALFORMED: phrase("The payment can't be read"),
    Reason.PAYMENT_INVALID: phrase("This payment does not pay for it"),
    Reason.PAYMENT_FAILED: phrase("The payment failed"),
    Reason.PAYMENT_IN_PROGRESS: phrase("Your payment is being settled"),
    Reason.PAYMENT_UNKNOWN: phrase("It is not known yet whether your payment arrived"),
    Reason.WEBHOOK_REJECTED: phrase("The report was not accepted"),
    Reason.STORE_UNAVAILABLE: phrase("Results are not available for a moment"),
    Reason.UPSTREAM_UNREACHABLE: phrase("The service does not answer"),
    Reason.UPSTREAM_TIMEOUT: phrase("The service took too long to answer"),
    Reason.UPSTREAM_BROKEN: phrase("The service broke off its answer"),
    Reason.UPSTREAM_MALFORMED: phrase("The service gave an answer that can't be read"),
    Reason.UPSTREAM_OVERLOADED: phrase("The service is busy"),
    Reason.INTERNAL: phrase("Something went wrong in the gateway"),
}
"""What a person reads first. Reasons that never become an answer of ours have no title."""


@dataclass(frozen=True, slots=True)
class OwnAnswer:
    """An answer made by the gateway itself."""

    status: int
    reason: Reason
    headers: Headers = field(default_factory=list)
    body: bytes = b""

    def all_headers(self) -> Headers:
        """The complete head: what was given, the reason, the length, and that it is private."""
        names = {name for name, _ in self.headers}
        headers = [*self.headers, (b"paywall-reason", self.reason.value.encode())]
        if b"cache-control" not in names:
            headers.append(PRIVATE)
        headers.append((b"x-content-type-options", b"nosniff"))
        headers.append((b"content-length", b"%d" % len(self.body)))
        return headers


def problem(
    status: int,
    reason: Reason,
    detail: str | Sentence,
    prefix: str,
    members: Mapping[str, object] | None = None,
    headers: Headers | None = None,
    language: Language = ENGLISH,
) -> OwnAnswer:
    """Problem details (RFC 9457) with `reason` and further members. Title and detail are in this language."""
    content: dict[str, object] = {
        "type": f"{prefix}/problems/{reason}",
        "title": language.say(TITLES[reason]),
        "status": status,
        "detail": language.say(detail),
        "reason": reason.value,
        **(members or {}),
    }
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    head: Headers = [(b"content-type", b"application/problem+json"), language_header(language), *(headers or [])]
    return OwnAnswer(status, reason, head, body)


def language_header(language: Language) -> tuple[bytes, bytes]:
    """What says in which language an answer is (RFC 9110 section 8.5)."""
    return (b"content-language", language.tag.encode("ascii"))


def wants_page(headers: Headers) -> bool:
    """Whether the answer is to be looked at by a person: a browser navigates (Fetch Metadata), or, from a client that
    sends no such headers, HTML is asked for by name and ranked no lower than JSON."""
    mode = first(headers, b"sec-fetch-mode")
    if mode:
        return mode == b"navigate"
    if first(headers, b"x-requested-with"):
        return False
    return _ranks_html(first(headers, b"accept"))


def _ranks_html(accept: bytes) -> bool:
    html, other = 0.0, 0.0
    for part in accept.split(b","):
        quality = 1.0
        for parameter in part.split(b";")[1:]:
            name, _, value = parameter.strip().partition(b"=")
            if name == b"q":
                try:
                    quality = float(value)
                except ValueError:
                    quality = 0.0
        media_type = media_type_of(part)
        if media_type in ("text/html", "application/xhtml+xml"):
            html = max(html, quality)
        elif media_type.endswith("json"):
            other = max(other, quality)
    return html > 0 and html >= other


def sentence(detail: str) -> str:
    """A detail as a sentence of its own."""
    return f"{detail[:1].upper()}{detail[1:]}."
