"""What an operator does to one subject. As in `state`, a verb may be repeated, and raises `StoreUnavailable`."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from gateway.core.standing import SubjectState
from gateway.core.subject import Subject


class EraseOutcome(StrEnum):
    """What became of forgetting a subject."""

    ERASED = "erased"
    ALREADY_ERASED = "already-erased"
    """There was nothing personal left."""
    UNKNOWN = "unknown"
    """Nothing was known of it: nothing is kept either, not even that it was to be forgotten."""


class Operations(Protocol):
    """What an operator does to one subject."""

    async def expire(self, subject: Subject, now: int = 0) -> SubjectState:
        """End the trial now; begins and ends it for a subject that never had one."""
        ...

    async def extend(self, subject: Subject, operation: str, by_ms: int, now: int = 0) -> SubjectState:
        """Add to the trial's current end, or to now when it is over, once per operation. Written to the ledger."""
        ...

    async def grant(
        self, subject: Subject, operation: str, period_ms: int = 0, results: int = 0, now: int = 0
    ) -> SubjectState:
        """Give a paid period or a number of results at no cost, once per operation. Written to the ledger."""
        ...

    async def export(self, subject: Subject) -> dict[str, object]:
        """Everything the store holds about a subject, in plain types."""
        ...

    async def erase(self, subject: Subject, ledger: bool = False, now: int = 0) -> EraseOutcome:
        """Forget all that is personal of the subject, and end what it paid for; on disk before this returns.

        What stays stands under the subject's key, which is a digest: that it has had its trial and when it was erased,
        and the ledger, whose last entry then says what ended. With `ledger` that goes, too: amounts and the provider's
        ids of payments, and what makes a late report of one count but once.
        """
        ...
