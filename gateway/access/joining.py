"""A visitor signs in: what the visitor had is the person's from then on.

The sign that somebody signed in is a request that carries both: a proof of who it is from, and the cookie of a visitor.
On a computer that several people use, nobody must take along what is another's: a visitor becomes one person and never
a second one, and the browser gets the cookie of a fresh visitor, who has no trial but is nobody's yet.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from gateway.access.identify import IdentityChain
from gateway.core.event import SubjectMerged
from gateway.core.header import Headers
from gateway.core.keyring import Keyring
from gateway.core.quantity import MINUTE
from gateway.core.standing import SubjectState
from gateway.core.subject import Subject, SubjectKind
from gateway.ports.events import Events
from gateway.ports.identity import Credentials
from gateway.ports.operations import MergeOutcome, Operations
from gateway.ports.state import NO_TRIAL, StoreUnavailable, Subjects, TrialBegin

REMEMBERED = 50_000
REMEMBERED_MS = MINUTE
"""For so long nobody looks whether a visitor who was merged has come by something new."""

Key = TypeVar("Key")
Value = TypeVar("Value")

_JOINS = frozenset({SubjectKind.PERSON, SubjectKind.ACCOUNT})


@dataclass(frozen=True, slots=True)
class Joined:
    """What became of a visitor who signed in."""

    person: str
    is_merged: bool
    """Whether the visitor is somebody now: a browser then gets the cookie of a fresh one."""
    cookie: bytes
    """Of the fresh visitor; empty where the old one may stay, and until there is a page that it can go with."""
    until: int


class Joining:
    """Merges visitors into whom they sign in as, for one config."""

    def __init__(
        self,
        identities: IdentityChain,
        operations: Operations,
        subjects: Subjects,
        events: Events,
        keyring: Keyring,
        now: Callable[[], int],
        tell: Callable[[Subject, SubjectState], None],
    ) -> None:
        """`tell` records what became of a trial, see `Visits.tell`."""
        self._identities, self._operations, self._subjects = identities, operations, subjects
        self._events, self._keyring, self._now, self._tell = events, keyring, now, tell
        self._joined: dict[str, Joined] = {}
        """By the visitor's key."""
        self._settled: dict[int, int] = {}
        """Requests that brought nobody to be merged, by their trace: until when that is believed."""

    def may_join(self, subject: Subject, headers: Headers) -> bool:
        """Whether a request of this subject may carry a visitor's cookie besides."""
        return subject.kind in _JOINS and any(name == b"cookie" for name, _ in headers)

    def is_settled(self, trace: int) -> bool:
        """Whether whoever says this of themselves (`IdentityChain.trace`) is known to bring nobody along."""
        return self._settled.get(trace, 0) > self._now()

    def came_alone(self, visitor: Subject) -> None:
        """A visitor came without being signed in, and may have something new the next time."""
        self._joined.pop(visitor.key, None)

    def settle(self, trace: int) -> None:
        """Whoever says this of themselves brings nobody along."""
        _remember(self._settled, trace, self._now() + REMEMBERED_MS)

    async def pair(self, credentials: Credentials) -> tuple[Subject, Subject] | None:
        """The visitor whose cookie came along, and the person that the request is proven to be from."""
        pair = await self._identities.visitor_and_person(credentials)
        return pair if pair is not None and pair[1].kind in _JOINS else None

    def known(self, visitor: Subject, person: Subject, for_page: bool) -> Joined | None:
        """What became of the two a moment ago; with a cookie, where it is for a page and there must be one."""
        joined = self._joined.get(visitor.key)
        if joined is None or joined.person != person.key or joined.until <= self._now():
            return None
        return None if for_page and joined.is_merged and not joined.cookie else joined

    async def join(
        self,
        visitor: Subject,
        person: Subject,
        credentials: Credentials,
        begin: TrialBegin | None,
        for_page: bool = True,
    ) -> Joined | None:
        """Merge them; None while the store does not answer. Of a visitor who has nothing nothing is changed. `begin` is
        how a first result would begin the person's own trial. `for_page`: a cookie can go with the answer. Programs
        keep the one they have, so no visitor is made for each of their requests."""
        try:
            await self._admit(person, begin)
            outcome = await self._operations.merge(visitor, person)
            is_merged = outcome in (MergeOutcome.MERGED, MergeOutcome.NOTHING_NEW, MergeOutcome.ANOTHER)
            cookie = await self._fresh_cookie(credentials) if is_merged and for_page else b""
        except StoreUnavailable:
            return None
        if outcome is MergeOutcome.MERGED:
            pseudonym = self._keyring.pseudonym
            self._events.record(SubjectMerged(at=self._now(), subject=pseudonym(person), source=pseudonym(visitor)))
        joined = Joined(person.key, is_merged, cookie, self._now() + REMEMBERED_MS)
        _remember(self._joined, visitor.key, joined)
        return joined

    async def _admit(self, person: Subject, begin: TrialBegin | None) -> None:
        """Decide first what does not depend on when the person comes: a visitor's trial must not stand in for one that
        is refused, or that began at a date long ago."""
        if begin is None or not (begin.claims or begin.from_ms):
            return
        if begin.from_ms:
            self._tell(person, await self._subjects.visit(person, begin))
            return
        known = (await self._subjects.visit(person)).trial_started
        if not known and (refused := await self._subjects.claim(person, begin)):
            state = await self._subjects.visit(person, NO_TRIAL)
            self._tell(person, replace(state, trial_refused=refused))

    async def _fresh_cookie(self, credentials: Credentials) -> bytes:
        fresh = await self._identities.fresh_visitor(credentials)
        if fresh is None:
            return b""
        await self._subjects.visit(fresh.subject, NO_TRIAL)
        return fresh.set_cookie


def _remember(memory: dict[Key, Value], key: Key, value: Value) -> None:
    if len(memory) >= REMEMBERED:
        memory.clear()
    memory[key] = value
