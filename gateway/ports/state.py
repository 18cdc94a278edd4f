"""What the rooms expect of the store: every state change is one atomic verb with an outcome of its own.

Each verb may be repeated with the same operation id and then changes nothing; its outcome says so. A caller that was
cancelled, or never heard the answer, repeats it. All verbs raise `StoreUnavailable` when the store did not answer in
time; the change may then have happened, which is why they can be repeated.

Instants are integer milliseconds since the epoch, by the store's clock. `now` (0: the store's clock) is for tests and
for operators who look at another day.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from gateway.core.decision import Purse
from gateway.core.quantity import DAY, Allowance
from gateway.core.standing import SubjectState
from gateway.core.subject import Subject
from gateway.ports.trials import TrialClaim


class StoreUnavailable(Exception):
    """The store did not answer, or not in time. `str()` says which store and how."""


class NotAsked(StoreUnavailable):
    """It was not asked, since it failed to answer others a moment ago, or takes nothing: nothing has happened."""


@dataclass(frozen=True, slots=True)
class TrialBegin:
    """How a visit may begin the trial of a subject that has none yet."""

    length_ms: int
    from_ms: int = 0
    """Where it begins: an instant of the subject's own (a date in its token), or 0 for now."""
    claims: tuple[TrialClaim, ...] = ()
    """What must be had for it, besides having had no trial."""


NO_TRIAL = TrialBegin(0, from_ms=1)
"""For a subject that has had its trial under another name. It is no trial of its own: merging leaves it out."""


@dataclass(frozen=True, slots=True)
class GraceAsked:
    """Which purse of grace results is asked about."""

    scope: str
    allowance: Allowance


@dataclass(frozen=True, slots=True)
class Taking:
    """A grace result that is to be taken with a visit."""

    operation: str
    credits: bool = True
    """Whether results that are paid for by number count here, and are taken first."""


class TakeOutcome(StrEnum):
    """What became of taking one result."""

    TAKEN = "taken"
    REPLAYED = "replayed"
    """This operation had taken it already."""
    EXHAUSTED = "exhausted"


class GiveBackOutcome(StrEnum):
    """What became of giving one result back."""

    GIVEN_BACK = "given-back"
    NOT_TAKEN = "not-taken"
    """This operation had taken nothing, or had given it back already."""


class DeclineOutcome(StrEnum):
    """What became of a refusal."""

    DECLINED = "declined"
    ALREADY_DECLINED = "already-declined"
    """The reason was renewed, the date is the first one's."""


class HoldBeginOutcome(StrEnum):
    """Whether there is room to keep another result."""

    RESERVED = "reserved"
    LIMIT_REACHED = "limit-reached"


DELIVERED_MS = 30 * DAY
"""How long a paid hold stays after each release."""

NEVER = 253_402_300_799_000
"""When a paid hold ends that was not released yet, as `HoldRecord.expires` says it: with the year 9999."""


class ReleaseOutcome(StrEnum):
    """Whether a held result may go to its subject."""

    RELEASED = "released"
    UNPAID = "unpaid"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class HoldRecord:
    """A result that is kept back. `sealed_head` and the chunks are encrypted; the store can't read them."""

    id: str
    route: str
    created: int
    expires: int
    size: int
    chunks: int
    status: int
    media_type: str
    filename: str
    teaser: bytes
    """JSON object; made by a teaser plugin."""
    fingerprint: str
    sealed_head: bytes
    paid: bool = False
    released: int = 0
    """When it was first released; 0 when never."""
    owner: str = ""
    """`Subject.key` of whom it was made for, where that is another: it came with a merge, sealed as it was."""
    outside: int = 0
    """How many of the chunks, the last ones, are kept outside of the store."""
    outside_at: str = ""
    """Where: the storage's name in the config, a slash, and the name there (`ports/storage.py`)."""
    sealed_with: str = ""
    """Which secret it is sealed with (`access/seal.py`); empty for one kept by a version that had only one."""
    salt: bytes = b""
    """Goes into the key that it is sealed with: without the record nobody opens the chunks, wherever they are."""

    @property
    def is_page(self) -> bool:
        """Whether a browser shows it in place of the page that leads to it, and does not save it."""
        return self.media_type == "text/html"


@dataclass(frozen=True, slots=True)
class Taken:
    """The outcome of taking one result, and how many are left of that purse."""

    outcome: TakeOutcome
    left: int


class Subjects(Protocol):
    """Standings and counters."""

    def recall(self, subject: Subject, now: int) -> SubjectState | None:
        """The state of a subject with a right to results by date at this instant, where it is known without asking:
        never older than 5 s, and forgotten as soon as it changes. None for everybody else: `visit`.
        """
        ...

    def last_known(self, subject: Subject, now: int) -> SubjectState | None:
        """For when the store does not answer: the state, as it was fifteen minutes ago at most, of a subject with a
        right to results by date at this instant. None where that is not known."""
        ...

    async def visit(
        self,
        subject: Subject,
        begin: TrialBegin | None = None,
        grace: GraceAsked | None = None,
        now: int = 0,
        taking: Taking | None = None,
    ) -> SubjectState:
        """Read the subject's state; begins the trial where `begin` says so and none has ever begun.

        `SubjectState.grace_used` counts for the purse in `grace`. With `taking`, one result is taken of it at once
        where it is all that the subject may have (`SubjectState.grace_taken`). It is for the caller to see by the state
        that it is, and otherwise to `give_back`.

        A trial with `claims` begins only where all of them are granted; where not, the subject is told from then on as
        one whose trial is over (`SubjectState.trial_refused`). Nothing more is asked of whoever has begun before.
        """
        ...

    async def claim(self, subject: Subject, begin: TrialBegin, now: int = 0) -> str:
        """Ask for what a trial that would begin so is given once for, without beginning it: the kind of what is not
        granted, empty where all is. The same subject is told the same again."""
        ...

    def visit_soon(
        self,
        subject: Subject,
        begin: TrialBegin | None,
        grace: GraceAsked,
        taking: Taking | None,
        heard: Callable[[SubjectState | StoreUnavailable], None],
    ) -> None:
        """`visit` for somebody who does not wait: `heard` is told the state, once and not before this returns; or why
        it could not be had so simply, and is to be asked for by `visit`, with the same `taking`."""
        ...

    async def tally(self, key: str, count: int) -> None:
        """So many more results were delivered to the subject with this `Subject.key`. Not durable, not exactly once."""
        ...

    async def take(
        self, subject: Subject, purse: Purse, operation: str, grace: GraceAsked | None = None, now: int = 0
    ) -> Taken:
        """Take one result of a purse, atomically: never more than it holds."""
        ...

    async def give_back(
        self, subject: Subject, purse: Purse, operation: str, grace: GraceAsked | None = None, now: int = 0
    ) -> GiveBackOutcome:
        """Undo `take` of the same operation, or what a `visit` took, exactly once. What was not taken will not be taken
        under this operation any more, whatever of it is still on its way."""
        ...

    async def decline(self, subject: Subject, reason: str, note: str = "", now: int = 0) -> DeclineOutcome:
        """Record the subject's "not now" with its reason and free text (at most 2,000 characters are kept)."""
        ...


class Holds(Protocol):
    """Results that are kept back. Data comes and goes encrypted, in numbered chunks."""

    async def begin(
        self, subject: Subject, hold: str, max_count: int, max_total: int, now: int = 0, size: int = 0
    ) -> HoldBeginOutcome:
        """Reserve room for one more result of this subject, `size` bytes of it; asked again with more, for these.
        Unpaid holds and reservations share `max_count` and, in bytes, `max_total`. A reservation lasts an hour."""
        ...

    async def append(self, subject: Subject, hold: str, number: int, chunk: bytes) -> None:
        """Store one chunk, numbered from 0. Chunks of a hold that is never committed vanish within the hour."""
        ...

    async def commit(self, subject: Subject, record: HoldRecord, max_total: int, now: int = 0) -> HoldBeginOutcome:
        """Make the hold visible, all chunks kept until it expires; LIMIT_REACHED drops it when it is too much, or where
        chunks are outside of the store, durable by now, and its reservation is gone: they may be removed, too."""
        ...

    async def discard(self, subject: Subject, hold: str) -> bool:
        """Forget a hold and its chunks in the store, and its reservation. False where it is paid, and stays."""
        ...

    async def get(self, subject: Subject, hold: str) -> HoldRecord | None:
        """The hold, or None when it expired, was discarded, or is another subject's."""
        ...

    async def all(self, subject: Subject) -> list[HoldRecord]:
        """The subject's holds, newest first."""
        ...

    async def find(self, subject: Subject, fingerprint: str, not_before: int) -> HoldRecord | None:
        """The newest hold of the same request created since `not_before`."""
        ...

    async def chunk(self, subject: Subject, hold: str, number: int) -> bytes | None:
        """One chunk of a committed hold."""
        ...

    async def sizes(self, subject: Subject, hold: str, chunks: int) -> list[int]:
        """How many bytes each of so many chunks has; 0 where it is missing."""
        ...

    async def release(self, subject: Subject, hold: str, credits: bool = True, now: int = 0) -> ReleaseOutcome:
        """Mark the hold released if it is paid, or the subject has a trial or a period that runs, or, where `credits`
        count, a credit (spent once)."""
        ...
