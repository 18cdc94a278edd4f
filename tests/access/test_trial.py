"""When a trial begins."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.access.trial import read_instant, trial_begin, with_trial
from gateway.core.quantity import DAY
from gateway.core.rule import RouteClass, Trial, TrialStart
from gateway.core.standing import SubjectState
from gateway.ports.state import TrialBegin

MAY_DAY = int(datetime(2024, 5, 1, 10, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("starts", "route_class", "begins"),
    [
        (TrialStart.FIRST_VISIT, RouteClass.OPEN, True),
        (TrialStart.FIRST_VISIT, RouteClass.RESULT, True),
        (TrialStart.FIRST_RESULT, RouteClass.OPEN, False),
        (TrialStart.FIRST_RESULT, RouteClass.ACTION, False),
        (TrialStart.FIRST_RESULT, RouteClass.RESULT, True),
        (TrialStart.CLAIM, RouteClass.OPEN, True),
    ],
)
def test_a_trial_begins_where_the_config_says(starts: TrialStart, route_class: RouteClass, begins: bool) -> None:
    begin = trial_begin(Trial(14 * DAY, starts, "created_at"), {}, route_class)
    assert begin == (TrialBegin(14 * DAY) if begins else None)


def test_a_trial_begins_once() -> None:
    new, begun = SubjectState(credits=1), SubjectState(trial_started=1, trial_ends=2)
    assert with_trial(new, TrialBegin(5), 100) == SubjectState(credits=1, trial_started=100, trial_ends=105)
    assert with_trial(new, TrialBegin(5, 30), 100) == SubjectState(credits=1, trial_started=30, trial_ends=35)
    assert with_trial(new, None, 100) == new
    assert with_trial(begun, TrialBegin(5), 100) == begun


@pytest.mark.parametrize(
    ("value", "instant"),
    [
        (MAY_DAY, MAY_DAY * 1000),
        (MAY_DAY + 0.5, MAY_DAY * 1000 + 500),
        ("2024-05-01T10:00:00Z", MAY_DAY * 1000),
        ("2024-05-01T12:00:00+02:00", MAY_DAY * 1000),
        ("2024-05-01T10:00:00", MAY_DAY * 1000),
        ("2024-05-01", (MAY_DAY - 10 * 3600) * 1000),
        # Somebody's spelling must not cost anybody the trial: it then starts at the first visit.
        (MAY_DAY * 1000, 0),
        (0, 0),
        (-1, 0),
        (True, 0),
        (float("nan"), 0),
        (float("inf"), 0),
        ("yesterday", 0),
        ("", 0),
        ("1960-01-01", 0),
        (None, 0),
        ([MAY_DAY], 0),
        ({"seconds": MAY_DAY}, 0),
    ],
)
def test_a_date_in_a_claim_is_read(value: object, instant: int) -> None:
    assert read_instant(value) == instant
    trial = Trial(14 * DAY, TrialStart.CLAIM, "created_at")
    assert trial_begin(trial, {"created_at": value}, RouteClass.OPEN) == TrialBegin(14 * DAY, instant)


_JSON = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.datetimes().map(str)
_ZONED = st.datetimes(timezones=st.timezones()).map(lambda instant: instant.isoformat())


@given(_JSON | _ZONED)
def test_any_claim_is_read(value: object) -> None:
    assert read_instant(value) >= 0
