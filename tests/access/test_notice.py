"""Who is told where they stand, and for how long nobody has to ask."""

from __future__ import annotations

import pytest

from gateway.access.notice import QUIET_MS, notice_of, quiet_until
from gateway.core.quantity import DAY
from gateway.core.rule import NoticeShow
from gateway.core.standing import Standing, SubjectState

NOW = 1_800_000_000_000
BEFORE, AFTER = NOW - DAY, NOW + DAY

STATES = {
    "a trial that never began": SubjectState(),
    "in the trial": SubjectState(BEFORE, AFTER),
    "expired": SubjectState(BEFORE, NOW),
    "expired, and free results used": SubjectState(BEFORE, NOW, grace_used=2),
    "expired, a paid period over": SubjectState(BEFORE, NOW, entitled_until=NOW),
    "declined": SubjectState(BEFORE, NOW, declined_at=NOW),
    "a paid period": SubjectState(BEFORE, NOW, entitled_until=AFTER),
    "a paid period in the trial": SubjectState(BEFORE, AFTER, entitled_until=AFTER),
    "results paid for": SubjectState(BEFORE, NOW, credits=1),
    "a window": SubjectState(BEFORE, NOW, window_ends=AFTER, window_left=1),
}
TOLD = {
    NoticeShow.NEVER: {},
    NoticeShow.AFTER_TRIAL: dict.fromkeys(
        ["expired", "expired, and free results used", "expired, a paid period over"], Standing.EXPIRED
    ),
    NoticeShow.ALWAYS: {
        "in the trial": Standing.TRIAL,
        "expired": Standing.EXPIRED,
        "expired, and free results used": Standing.EXPIRED,
        "expired, a paid period over": Standing.EXPIRED,
    },
}


@pytest.mark.parametrize("who", STATES)
@pytest.mark.parametrize("show", NoticeShow)
def test_whoever_has_paid_or_has_answered_is_left_alone(show: NoticeShow, who: str) -> None:
    assert notice_of(show, STATES[who], NOW) is TOLD[show].get(who)


@pytest.mark.parametrize("who", STATES)
def test_nothing_falls_due_while_nobody_asks(who: str) -> None:
    state = STATES[who]
    until = quiet_until(state, NOW)
    assert NOW < until <= NOW + QUIET_MS
    if notice_of(NoticeShow.AFTER_TRIAL, state, NOW) is None:
        assert notice_of(NoticeShow.AFTER_TRIAL, state, until - 1) is None


def test_the_end_of_the_trial_is_not_missed() -> None:
    state = SubjectState(BEFORE, NOW + 10)
    assert quiet_until(state, NOW) == NOW + 10
    assert notice_of(NoticeShow.AFTER_TRIAL, state, NOW + 10) is Standing.EXPIRED
