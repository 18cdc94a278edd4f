"""Payments that come signed with a request: of everybody who brings the same one, a single one may have it settled.

As with all verbs (`ports/state.py`), each may be repeated. What `settling`, `again` and `end` report is on disk before
they return: whoever asks for a settlement must find later that it was asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class AttemptState(StrEnum):
    """Where a signed payment is."""

    CLAIMED = "claimed"
    """Nobody has it: it is the caller's, for as long as was asked for."""
    BUSY = "busy"
    """Somebody is at it: wait, and come again."""
    SETTLED = "settled"
    FAILED = "failed"
    """It is known for certain that no money moved, and why."""
    UNKNOWN = "unknown"
    """A settlement was asked for, and nobody knows what came of it. Never a reason to ask for money again."""
    ANOTHERS = "another's"
    """It was brought before, with other words around it: what was signed is public once it is settled."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A signed payment as far as it has come. What is not known yet is empty."""

    state: AttemptState
    hold: str = ""
    """The result that it is for."""
    owner: str = ""
    """`Subject.key` of whom the result is for."""
    checkout: str = ""
    amount: int = 0
    """Atomic units."""
    transaction: str = ""
    reason: str = ""
    """Why it failed, in the words of whoever said so."""
    request: str = ""
    """What was asked for, JSON; as long as it is in doubt what came of it."""


@dataclass(frozen=True, slots=True)
class Sale:
    """What a payment is for."""

    hold: str
    owner: str
    checkout: str
    amount: int
    request: str
    """What is asked for, JSON: kept until it is known what came of it, to ask again."""


class Attempts(Protocol):
    """Signed payments by what can move their money only once (`key`). A `holder` is a name that nobody else has."""

    async def begin(self, key: str, holder: str, digest: str, lease_ms: int, now: int = 0) -> Attempt:
        """Claim a payment for a while, or say how far it has come. `digest` stands for all that came with it. One that
        was claimed and let lie is free again; one whose settlement was let lie is UNKNOWN."""
        ...

    async def get(self, key: str) -> Attempt | None:
        """A payment as it stands; None where it is not known. Changes nothing: one whose settlement was let lie is
        BUSY here until somebody brings it or asks again."""
        ...

    async def settling(self, key: str, holder: str, sale: Sale, lease_ms: int, now: int = 0) -> bool:
        """Note that its settlement is about to be asked for; only then may it be. False for who does not have it."""
        ...

    async def again(self, key: str, holder: str, lease_ms: int, pause_ms: int, now: int = 0) -> bool:
        """Take over an UNKNOWN one, or one whose settlement was let lie, to ask for it once more: only where asking
        twice can't move the money twice. False where somebody is at it, or was within the pause."""
        ...

    async def end(
        self, key: str, holder: str, state: AttemptState, transaction: str = "", reason: str = "", now: int = 0
    ) -> AttemptState | None:
        """Note what came of it: SETTLED, whoever says so; FAILED or UNKNOWN, from who has it. The state that stands."""
        ...

    async def drop(self, key: str, holder: str, unheard: bool = False, now: int = 0) -> bool:
        """Forget it: nothing was asked for, or (`unheard`) nobody can have heard the question. False for who does not
        have it, and where it is otherwise."""
        ...
