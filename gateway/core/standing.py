"""Where a subject is: a snapshot of its dates and counters, and the one word that follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Standing(StrEnum):
    """The one word for where a subject is now."""

    TRIAL = "trial"
    GRACE = "grace"
    EXPIRED = "expired"
    DECLINED = "declined"
    WINDOW = "window"
    ENTITLED = "entitled"


@dataclass(frozen=True, slots=True)
class SubjectState:
    """What the store knows of a subject. Dates stay in it as absolute instants (milliseconds since the epoch, 0 for
    never), so that time passing needs no new read."""

    trial_started: int = 0
    trial_ends: int = 0
    entitled_until: int = 0
    credits: int = 0
    """Results that were paid for by number and not yet taken."""
    window_ends: int = 0
    window_left: int = 0
    declined_at: int = 0
    decline_reason: str = ""
    settled: int = 0
    """How many payments have been settled, ever: a new one makes every older offer outdated."""
    grace_used: int = 0
    """Grace results taken within the window of the route that was asked about."""
    holds: int = 0
    held_bytes: int = 0
    trial_began: bool = False
    """Whether the trial began with the very visit that read this."""
    trial_refused: str = ""
    """Why this very visit began no trial that lasts: another subject has had it under the same `mail` or `network`."""
    results: int = 0
    """Results it got so far, as far as they were counted."""
    unknown_checkout: str = ""
    """The checkout of which nobody can say yet whether it was paid: a reason to ask for no other payment."""
    grace_taken: bool = False
    """Whether the very visit that read this took a grace result, which is not among those used."""

    def standing(self, grace_allowed: int, now: int) -> Standing:
        """The standing at this instant, most favourable right first.

        Declining comes before grace: whoever said no does not go on with free results.
        """
        if self.entitled_until > now or self.credits > 0:
            return Standing.ENTITLED
        if self.trial_ends > now or not self.trial_started:
            return Standing.TRIAL
        if self.window_ends > now and self.window_left > 0:
            return Standing.WINDOW
        if self.declined_at:
            return Standing.DECLINED
        return Standing.GRACE if self.grace_used < grace_allowed else Standing.EXPIRED
