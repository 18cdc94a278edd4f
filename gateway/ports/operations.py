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


class MergeOutcome(StrEnum):
    """What became of merging one subject into another."""

    MERGED = "merged"
    NOTHING_NEW = "nothing-new"
    """It was merged before, and nothing has come since."""
    UNKNOWN = "unknown"
    """Nothing is known of the one to be merged: there is nothing to bring, and nothing is remembered."""
    ANOTHER = "another"
    """It was merged into another subject before: what is somebody's is never pulled on to a second one."""
    TARGET_MERGED = "target-merged"
    """The other one was merged into a third itself."""


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

    async def merge(self, source: Subject, target: Subject, now: int = 0) -> MergeOutcome:
        """Bring all that one subject has to another: a visitor becomes a person, a person joins an account.

        Trial (the one that began first stands, there is never a second), paid period and results, refusal, free results
        that were taken, held results, open checkouts; the ledgers of both say what went. A payment that comes late is
        credited where they led. The source keeps its ledger and has no trial any more; it is never merged into a second
        subject. On disk before this returns; to be repeated after a failure, and then nothing comes twice. Raises
        `ValueError` for a subject and itself.
        """
        ...

    async def erase(self, subject: Subject, ledger: bool = False, now: int = 0) -> EraseOutcome:
        """Forget all that is personal of the subject, and end what it paid for; on disk before this returns.

        What stays stands under the subject's key, which is a digest: that it has had its trial and when it was erased,
        and the ledger, whose last entry then says what ended. With `ledger` that goes, too: amounts and the provider's
        ids of payments, and what makes a late report of one count but once.
        """
        ...
