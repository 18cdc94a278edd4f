"""How it is told that a request is refused because of who it is from, or because that can't be looked up."""

from __future__ import annotations

from gateway.core.decision import Refuse
from gateway.core.header import Headers
from gateway.core.reason import Reason
from gateway.language.catalogue import phrase
from gateway.ports.identity import Rejected
from gateway.web.answers import OwnAnswer
from gateway.web.faces import Faces
from gateway.web.refusal_words import of_a_result, of_another_form, of_nobody


def refusal(faces: Faces, decision: Refuse, rejected: Rejected | None, headers: Headers) -> OwnAnswer:
    """The answer to a refused request; `rejected` is the proof of identity that came along and does not hold."""
    more: Headers = []
    match decision.reason:
        case Reason.TARGET_NOT_CANONICAL:
            more.append((b"location", decision.location))
            said = of_another_form()
        case Reason.IDENTITY_UNVERIFIABLE:
            more.append((b"retry-after", b"5"))
            said = of_nobody()
        case _:
            more.append((b"www-authenticate", b"Bearer"))
            said = of_a_result(rejected)
    return faces.refuse(decision.status, decision.reason, said, headers, more)


def without_store(faces: Faces, headers: Headers) -> OwnAnswer:
    """The answer where it can't be looked up what the subject may have."""
    detail = phrase("It can't be looked up at the moment what you may have. Browsing goes on; try again in a second.")
    return faces.refuse(503, Reason.STORE_UNAVAILABLE, detail, headers, [(b"retry-after", b"1")])
