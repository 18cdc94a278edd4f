"""What clients saw, one record for each answer, and what follows from the records of one state of the store."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

OPEN, EXPIRED, PROOF, KNOWN, PAYING = "open", "expired", "proof", "known", "paying"
"""Who asks: anybody on an open route; on a result route somebody without a right, one who brings a proof and is met for
the first time, one whose right this gateway knows; somebody who presses "Pay"."""

ASKED = 402
PAID = 303
KNOWN_AWAY_SECONDS = 0.7
"""By then the first questions have waited for the store in vain, and nobody has to any more."""


@dataclass(frozen=True, slots=True)
class Record:
    """One answer. Instants are seconds of the machine's monotonic clock."""

    kind: str
    who: str
    due: float
    """When the request fell due."""
    ms: float
    """From then until the whole answer was there."""
    status: int
    """0 when there was none."""
    by_gateway: bool
    """The gateway's own answer, not the application's."""

    @property
    def at(self) -> float:
        """When the answer was there."""
        return self.due + self.ms / 1000

    @property
    def leaks(self) -> bool:
        """A result in the hands of somebody who has no right to it."""
        return self.kind == EXPIRED and 200 <= self.status < 300 and not self.by_gateway

    @property
    def is_refusal(self) -> bool:
        """Somebody whose right could be seen did not get the result."""
        return self.kind in (PROOF, KNOWN) and self.status != 200

    @property
    def is_abnormal(self) -> bool:
        """A decision that a store in good health would not have led to."""
        return self.kind == EXPIRED and self.status != ASKED


@dataclass(frozen=True, slots=True)
class Moments:
    """When what happened, by the same clock."""

    healthy: float
    """From then on the store was well."""
    struck: float
    over: float
    """The store, or whoever took its place, was well again."""
    end: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """One state of the store: what its clients saw. Milliseconds, but for the recovery, which is in seconds."""

    state: str
    open_healthy: float
    open_during: float
    open_failed: int
    leaks: int
    refused: int
    decided: float
    """The 99th percentile of decisions about results, once it was known that the store is away."""
    decided_longest: float
    recovery: float
    """Infinite: it did not."""
    waits_for_store: bool
    """The store answers in this state, and decisions wait for its answers."""
    told_paid: int = 0
    payments_wrong: tuple[str, ...] = ()

    OPEN_GOAL_MS = 5.0
    DECIDED_GOAL_MS = 100.0
    RECOVERY_GOAL_S = 1.0

    @property
    def is_safe(self) -> bool:
        """Nobody got what is not theirs or was refused what is, payments are right, and it went on afterwards."""
        wrong = self.leaks or self.refused or self.open_failed or self.payments_wrong
        return not wrong and math.isfinite(self.recovery)

    @property
    def missed(self) -> list[str]:
        """The goals that it missed."""
        goals = {
            f"{self.leaks} leaks": not self.leaks,
            f"{self.refused} with a right were refused": not self.refused,
            f"{self.open_failed} open requests failed": not self.open_failed,
            "open routes": self.open_during - self.open_healthy <= self.OPEN_GOAL_MS,
            "decisions": self.waits_for_store or self.decided <= self.DECIDED_GOAL_MS,
            "recovery": self.recovery <= self.RECOVERY_GOAL_S,
            **dict.fromkeys(self.payments_wrong, False),
        }
        return [goal for goal, met in goals.items() if not met]


def percentile(values: Iterable[float], share: float = 0.99) -> float:
    """The least value that this share of them does not exceed; infinite when there is none."""
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)), 1) - 1] if ordered else math.inf


def judge(state: str, records: Sequence[Record], moments: Moments, waits_for_store: bool) -> Outcome:
    """What became of the clients of one state."""
    healthy = [one for one in records if moments.healthy <= one.due < moments.struck]
    during = [one for one in records if moments.struck <= one.due < moments.over]
    whole = [one for one in records if moments.healthy <= one.due < moments.end]
    after = [one for one in whole if one.kind == EXPIRED and one.at > moments.over]
    known_away = moments.struck + KNOWN_AWAY_SECONDS
    decisions = [one for one in during if one.kind == EXPIRED]
    late = [one.at for one in after if one.is_abnormal]
    recovered = any(not one.is_abnormal for one in after if not late or one.at > max(late))
    return Outcome(
        state=state,
        open_healthy=percentile(one.ms for one in healthy if one.kind == OPEN),
        open_during=percentile(one.ms for one in during if one.kind == OPEN),
        open_failed=sum(one.kind == OPEN and one.status != 200 for one in whole),
        leaks=sum(one.leaks for one in whole),
        refused=sum(one.is_refusal for one in whole),
        decided=percentile(one.ms for one in decisions if one.due >= known_away),
        decided_longest=percentile((one.ms for one in decisions), 1),
        recovery=max(late, default=moments.over) - moments.over if recovered else math.inf,
        waits_for_store=waits_for_store,
    )
