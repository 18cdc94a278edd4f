"""What a trial depends on besides its subject, and how long is known that there was one."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.core.quantity import Allowance


@dataclass(frozen=True, slots=True)
class TrialClaim:
    """Something that a trial is given under: so many within a window."""

    kind: str
    """`mail`, `device` or `network`."""
    digest: str
    """Keyed hash of what it is."""
    allowance: Allowance


@dataclass(frozen=True, slots=True)
class Retention:
    """When a subject is forgotten that has no ledger, no open checkout and no held results; 0: never."""

    subjects_ms: int = 0
    """After its last visit that asked the store."""
    trials_ms: int = 0
    """That it had a trial, counted from the same."""
