"""The closed vocabulary of reasons: one word, the same in code, headers, logs, metrics and tests.

Every decision and every answer that the gateway makes itself carries exactly one of them. A reason is never renamed;
docs/reasons.md describes each, and a test holds the two together.
"""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Why a request was forwarded, taken, held, prompted or refused."""

    # forward
    EXEMPT = "exempt"
    OPEN = "open"
    ACTION = "action"
    PREFLIGHT = "preflight"
    """A browser asks whether a page of another site may send a request: nobody's identity, and no result."""
    TRIAL = "trial"
    ENTITLED = "entitled"
    WINDOW = "window"
    NOT_A_RESULT = "not-a-result"
    """The application said `Paywall-Result: no`."""

    RELEASED = "released"
    """A held result is given out."""

    # take
    GRACE = "grace"
    CREDIT = "credit"
    """One of the results that were paid for by number."""

    # hold
    RESULT_HELD = "result-held"
    RESULT_PREVIEWED = "result-previewed"

    # prompt
    PAYMENT_REQUIRED = "payment-required"
    DECLINED = "declined"
    TARGET_AMBIGUOUS = "target-ambiguous"
    """The path has more than one reading, so it counts as a result for whoever has not paid."""
    BODY_UNREADABLE = "body-unreadable"
    """What the body asks for can't be told, so it counts as a result for whoever has not paid."""
    HOLD_TOO_LARGE = "hold-too-large"
    HOLD_LIMIT_REACHED = "hold-limit-reached"
    """This subject's held results fill its share of the storage."""
    HOLD_ENDLESS = "hold-endless"
    """A stream without end (server-sent events, a WebSocket, an answer that never completes) can't be kept."""
    HOLD_PARTIAL = "hold-partial"
    """Only a part of the result was asked for, and a part can't be kept for the whole."""
    HOLD_UNPAID = "hold-unpaid"

    # refuse: the request
    TARGET_NOT_CANONICAL = "target-not-canonical"
    """Sent on (308) to the one canonical form of an open address."""
    REQUEST_MALFORMED = "request-malformed"
    HEAD_TOO_LARGE = "head-too-large"
    METHOD_NOT_ALLOWED = "method-not-allowed"
    EXPECTATION_FAILED = "expectation-failed"
    IDENTITY_REQUIRED = "identity-required"
    IDENTITY_UNVERIFIABLE = "identity-unverifiable"
    """The proof of identity can't be checked at the moment, and may well hold."""
    NOT_FOUND = "not-found"
    NOT_ACCEPTABLE_ORIGIN = "not-acceptable-origin"
    """A form came from another site."""
    FORM_INVALID = "form-invalid"

    # refuse: held results and payments
    HOLD_UNKNOWN = "hold-unknown"
    HOLD_OF_ANOTHER = "hold-of-another"
    HOLD_EXPIRED = "hold-expired"
    HOLD_DAMAGED = "hold-damaged"
    OFFER_OUTDATED = "offer-outdated"
    PLAN_UNKNOWN = "plan-unknown"
    PROVIDER_UNKNOWN = "provider-unknown"
    PROVIDER_UNAVAILABLE = "provider-unavailable"
    WEBHOOK_REJECTED = "webhook-rejected"

    # refuse: payments that come signed with the request
    PAYMENT_MALFORMED = "payment-malformed"
    PAYMENT_INVALID = "payment-invalid"
    """It does not pay for this, or was used before: nothing was taken for it."""
    PAYMENT_FAILED = "payment-failed"
    PAYMENT_IN_PROGRESS = "payment-in-progress"
    """Somebody is at the same payment: the same request again has the result."""
    PAYMENT_UNKNOWN = "payment-unknown"
    """It is not known yet whether the money came; nobody is asked for it again."""

    # refuse: what is behind us failed
    STORE_UNAVAILABLE = "store-unavailable"
    UPSTREAM_UNREACHABLE = "upstream-unreachable"
    UPSTREAM_TIMEOUT = "upstream-timeout"
    UPSTREAM_BROKEN = "upstream-broken"
    UPSTREAM_MALFORMED = "upstream-malformed"
    UPSTREAM_OVERLOADED = "upstream-overloaded"
    CLIENT_GONE = "client-gone"
    INTERNAL = "internal"

    # the gateway's own pages
    PAGE = "page"
    """One of the gateway's own pages or answers, asked for by its own address."""
