"""How it is told that a request is refused because of who it is from, or because that can't be looked up."""

from __future__ import annotations

from gateway.core.decision import Refuse
from gateway.core.header import Headers
from gateway.core.reason import Reason
from gateway.ports.identity import Rejected
from gateway.web.answers import OwnAnswer
from gateway.web.faces import Faces


def refusal(faces: Faces, decision: Refuse, rejected: Rejected | None, headers: Headers) -> OwnAnswer:
    """The answer to a refused request; `rejected` is the proof of identity that came along and does not hold."""
    more: Headers = []
    match decision.reason:
        case Reason.TARGET_NOT_CANONICAL:
            more.append((b"location", decision.location))
            detail = "This address has one plain form; that is where it leads."
        case Reason.IDENTITY_UNVERIFIABLE:
            more.append((b"retry-after", b"5"))
            detail = "Your proof of identity is not to blame; try again in a few seconds."
        case _:
            more.append((b"www-authenticate", b"Bearer"))
            detail = "This yields a result, so the service must know who asks."
            if rejected is not None:
                detail += f" The proof of identity that came along {rejected.why}."
    return faces.refuse(decision.status, decision.reason, detail, headers, more)


def without_store(faces: Faces, headers: Headers) -> OwnAnswer:
    """The answer where it can't be looked up what the subject may have."""
    detail = "It can't be looked up at the moment what you may have. Browsing goes on; try again in a second."
    return faces.refuse(503, Reason.STORE_UNAVAILABLE, detail, headers, [(b"retry-after", b"1")])
