"""What was taken from a subject's purse and has not led to a result yet, kept where it outlives this process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from gateway.core.decision import Purse
from gateway.core.subject import Subject

NOWHERE = -1
"""The place of what could not be written down."""


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """One result that is taken, or about to be."""

    subject: Subject
    purse: Purse
    operation: str
    """Under which the store takes it, and gives it back."""
    scope: str
    """Of the purse of grace results."""
    route: str


class Journal(Protocol):
    """Written before anything is taken, crossed out when the result was delivered or given back."""

    def note(self, withdrawal: Withdrawal) -> int:
        """Write it down; where it stands, or `NOWHERE` when there is no room. Never raises and never blocks."""
        ...

    def cross_out(self, place: int) -> None:
        """It needs no giving back any more. Nothing happens for `NOWHERE`."""
        ...
