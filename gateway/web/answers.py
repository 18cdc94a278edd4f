"""The gateway's own answers: every one carries its reason, none may be stored by anybody.

Programs get problem details (RFC 9457), browsers a page. The type of a problem is an address of ours that describes it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.core.header import Headers, first, media_type_of
from gateway.core.reason import Reason

PRIVATE = (b"cache-control", b"private, no-store")

TITLES: dict[Reason, str] = {
    Reason.PAYMENT_REQUIRED: "Results need a plan now",
    Reason.RESULT_HELD: "Your result is ready and waits for payment",
    Reason.RESULT_PREVIEWED: "A preview of your result; the whole needs payment",
    Reason.DECLINED: "Results stay closed since you said not now",
    Reason.TARGET_AMBIGUOUS: "This address can be read in more than one way",
    Reason.BODY_UNREADABLE: "What this request asks for can't be read",
    Reason.HOLD_TOO_LARGE: "The result is too large to be kept for you",
    Reason.HOLD_LIMIT_REACHED: "As many results wait for you as can be kept",
    Reason.HOLD_ENDLESS: "A stream without end can't be kept for you",
    Reason.HOLD_PARTIAL: "A part of a result can't be kept for you",
    Reason.HOLD_UNPAID: "This result waits for payment",
    Reason.TARGET_NOT_CANONICAL: "The address has a plainer form",
    Reason.REQUEST_MALFORMED: "The request is malformed",
    Reason.HEAD_TOO_LARGE: "The head of the request is too large",
    Reason.METHOD_NOT_ALLOWED: "This method is not passed on",
    Reason.EXPECTATION_FAILED: "The expectation can't be met",
    Reason.IDENTITY_REQUIRED: "Sign in first",
    Reason.IDENTITY_UNVERIFIABLE: "Who you are can't be checked for a moment",
    Reason.NOT_FOUND: "There is nothing at this address",
    Reason.NOT_ACCEPTABLE_ORIGIN: "This form came from another site",
    Reason.FORM_INVALID: "The form is incomplete",
    Reason.HOLD_UNKNOWN: "There is no such result",
    Reason.HOLD_OF_ANOTHER: "This result belongs to somebody else",
    Reason.HOLD_EXPIRED: "This result is no longer kept",
    Reason.HOLD_DAMAGED: "This result can't be opened any more",
    Reason.OFFER_OUTDATED: "This offer is out of date",
    Reason.PLAN_UNKNOWN: "There is no such plan",
    Reason.PROVIDER_UNKNOWN: "There is no such way to pay",
    Reason.PROVIDER_UNAVAILABLE: "The payment provider does not answer",
    Reason.PAYMENT_MALFORMED: "The payment can't be read",
    Reason.PAYMENT_INVALID: "This payment does not pay for it",
    Reason.PAYMENT_FAILED: "The payment failed",
    Reason.PAYMENT_IN_PROGRESS: "Your payment is being settled",
    Reason.PAYMENT_UNKNOWN: "It is not known yet whether your payment arrived",
    Reason.WEBHOOK_REJECTED: "The report was not accepted",
    Reason.STORE_UNAVAILABLE: "Results are not available for a moment",
    Reason.UPSTREAM_UNREACHABLE: "The service does not answer",
    Reason.UPSTREAM_TIMEOUT: "The service took too long to answer",
    Reason.UPSTREAM_BROKEN: "The service broke off its answer",
    Reason.UPSTREAM_MALFORMED: "The service gave an answer that can't be read",
    Reason.UPSTREAM_OVERLOADED: "The service is busy",
    Reason.INTERNAL: "Something went wrong in the gateway",
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
    detail: str,
    prefix: str,
    members: Mapping[str, object] | None = None,
    headers: Headers | None = None,
) -> OwnAnswer:
    """Problem details (RFC 9457) with `reason` and further members."""
    content: dict[str, object] = {
        "type": f"{prefix}/problems/{reason}",
        "title": TITLES[reason],
        "status": status,
        "detail": detail,
        "reason": reason.value,
        **(members or {}),
    }
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return OwnAnswer(status, reason, [(b"content-type", b"application/problem+json"), *(headers or [])], body)


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
