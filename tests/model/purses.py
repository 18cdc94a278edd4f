"""What is promised of taking one result and of giving it back."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.core.quantity import DAY, MINUTE, Allowance
from gateway.ports.state import GiveBackOutcome, Taken, TakeOutcome

VOID_MS = 10 * MINUTE
"""How long it is promised that what was given back is not taken by a copy that comes late."""

REMEMBERED_MS = 7 * DAY
"""How long it is promised that a number is not taken twice by one operation."""

Back = GiveBackOutcome


@dataclass
class Void:
    """Operations that may take nothing any more, and since when."""

    since: dict[str, int] = field(default_factory=dict)

    def is_uncertain(self, operation: str, now: int) -> bool:
        """Whether nothing is promised of it any more."""
        return operation in self.since and self.since[operation] <= now - VOID_MS


@dataclass
class GracePurse:
    """So many results within a window, of which each operation takes one at most."""

    allowance: Allowance
    taken: dict[str, int] = field(default_factory=dict)
    void: Void = field(default_factory=Void)

    def used(self, now: int) -> dict[str, int]:
        """Operations whose results count at this instant."""
        window = self.allowance.window_ms
        return {operation: at for operation, at in self.taken.items() if not window or at > now - window}

    def is_uncertain(self, operation: str, now: int) -> bool:
        """Whether the promises leave open what becomes of this operation: it was taken so long ago, or given back."""
        lapsed = operation in self.taken and operation not in self.used(now)
        return lapsed or self.void.is_uncertain(operation, now)

    def take(self, operation: str, now: int) -> Taken:
        """Take one."""
        used, count = self.used(now), self.allowance.count
        if operation in used:
            return Taken(TakeOutcome.REPLAYED, max(count - len(used), 0))
        if len(used) >= count or operation in self.void.since:
            return Taken(TakeOutcome.EXHAUSTED, 0)
        self.taken[operation] = now
        return Taken(TakeOutcome.TAKEN, count - len(used) - 1)

    def give_back(self, operation: str, now: int) -> GiveBackOutcome:
        """Undo it. Either way nothing is taken by this operation from now on."""
        was_taken = self.taken.pop(operation, None) is not None
        self.void.since[operation] = now
        return Back.GIVEN_BACK if was_taken else Back.NOT_TAKEN


@dataclass
class NumberPurse:
    """A number of results: credits, or those of a re-access window that ends."""

    left: int = 0
    ends: int | None = None
    """None where they don't end."""
    taken: dict[str, int] = field(default_factory=dict)
    void: Void = field(default_factory=Void)

    def is_uncertain(self, operation: str, now: int) -> bool:
        """See `GracePurse`."""
        lapsed = operation in self.taken and self.taken[operation] <= now - REMEMBERED_MS
        return lapsed or self.void.is_uncertain(operation, now)

    def take(self, operation: str, now: int) -> Taken:
        """Take one."""
        if operation in self.taken:
            return Taken(TakeOutcome.REPLAYED, self.left)
        is_over = self.ends is not None and self.ends <= now
        if self.left < 1 or is_over or operation in self.void.since:
            return Taken(TakeOutcome.EXHAUSTED, 0)
        self.left -= 1
        self.taken[operation] = now
        return Taken(TakeOutcome.TAKEN, self.left)

    def give_back(self, operation: str, now: int) -> GiveBackOutcome:
        """Undo it. Either way nothing is taken by this operation from now on."""
        was_taken = self.taken.pop(operation, None) is not None
        self.left += was_taken
        self.void.since[operation] = now
        return Back.GIVEN_BACK if was_taken else Back.NOT_TAKEN
