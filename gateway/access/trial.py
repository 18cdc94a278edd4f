"""When a trial begins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from gateway.core.rule import RouteClass, Trial, TrialStart
from gateway.core.standing import SubjectState
from gateway.ports.state import TrialBegin


def trial_begin(trial: Trial, claims: Mapping[str, object], route_class: RouteClass) -> TrialBegin | None:
    """How this request begins the trial of a subject that has had none; None when it does not.

    A trial that starts at a claim's date starts at the first visit where the token lacks the claim or holds no date:
    a subject must not be without a trial because of somebody's spelling.
    """
    if trial.starts is TrialStart.FIRST_RESULT and route_class is not RouteClass.RESULT:
        return None
    if trial.starts is TrialStart.CLAIM:
        return TrialBegin(trial.length_ms, read_instant(claims.get(trial.claim)))
    return TrialBegin(trial.length_ms)


def with_trial(state: SubjectState, begin: TrialBegin | None, now: int) -> SubjectState:
    """Where a subject stands once this visit has begun its trial, as the store begins it: never twice."""
    if begin is None or state.trial_started:
        return state
    started = begin.from_ms or now
    return replace(state, trial_started=started, trial_ends=started + begin.length_ms)


def read_instant(value: object) -> int:
    """Milliseconds of a date in a claim: seconds since the epoch (RFC 7519 NumericDate) or ISO 8601; 0 for neither."""
    if isinstance(value, bool):
        return 0
    if isinstance(value, int | float):
        return int(value * 1000) if 0 < value < 32_503_680_000 else 0
    if not isinstance(value, str):
        return 0
    try:
        instant = datetime.fromisoformat(value)
    except ValueError:
        return 0
    return max(0, int((instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp() * 1000))
