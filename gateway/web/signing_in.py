"""Where a request shows that a visitor signed in."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.access.once import Whence
from gateway.core.rule import RouteClass
from gateway.core.subject import SubjectKind
from gateway.ports.identity import Credentials, Identified
from gateway.web.answers import wants_page
from gateway.web.runtime import Runtime


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What came of it."""

    cookie: bytes = b""
    """To be set with the answer: a fresh visitor's, in place of the one that is the person's now."""
    is_done: bool = True
    """Whether there is nothing left to do with the next request of the same kind."""


_NOTHING = SignedIn()
_LATER = SignedIn(is_done=False)


async def join(
    runtime: Runtime, credentials: Credentials, identified: Identified, whence: Whence, is_awaited: bool
) -> SignedIn:
    """Let the visitor become the person: now, or in the background where nobody waits for the store."""
    joining, subject = runtime.joining, identified.subject
    if joining is None or identified.set_cookie:
        return _NOTHING
    if subject.kind is SubjectKind.VISITOR:
        joining.came_alone(subject)
    if not joining.may_join(subject, credentials.headers):
        return _NOTHING
    trace = runtime.identities.trace(credentials.headers)
    if joining.is_settled(trace):
        return _NOTHING
    pair, for_page = await joining.pair(credentials), wants_page(credentials.headers)
    joined = joining.known(*pair, for_page) if pair is not None else None
    if pair is not None and joined is None:
        begin = runtime.trial_begin(identified, RouteClass.RESULT, whence)
        work = joining.join(*pair, credentials, begin, for_page)
        if not is_awaited:
            runtime.background.run(work)
            return _LATER
        joined = await work
    if joined is None and pair is not None:
        return _LATER  # the store did not answer
    if joined is None or not joined.is_merged:
        joining.settle(trace)
        return _NOTHING
    # It goes with a page: a program keeps the cookie it has.
    return SignedIn(joined.cookie) if for_page else _LATER
