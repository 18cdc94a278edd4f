"""Whether a held result would be given out now, and by what right: the same answer that the store gives on release."""

from __future__ import annotations

from enum import StrEnum

from gateway.access.decide import without_general_credits
from gateway.core.rule import Rule
from gateway.core.standing import SubjectState
from gateway.ports.state import HoldRecord


class Cover(StrEnum):
    """Why nobody has to pay for a held result."""

    PAID = "paid"
    TAKEN = "taken"
    """It was given out before, and may be again."""
    PERIOD = "period"
    TRIAL = "trial"
    CREDIT = "credit"
    """Taking it spends one of the results that were paid for by number."""


def cover_of(record: HoldRecord, rule: Rule, state: SubjectState, now: int) -> Cover | None:
    """The right by which its subject may take it; None where it waits for payment, or nothing is kept."""
    if not record.id:
        return None
    if record.paid:
        return Cover.PAID
    if record.released:
        return Cover.TAKEN
    if state.entitled_until > now:
        return Cover.PERIOD
    if state.trial_ends > now:
        return Cover.TRIAL
    return Cover.CREDIT if without_general_credits(rule, state).credits else None
