"""Who is told on the application's own pages where they stand."""

from __future__ import annotations

from gateway.core.rule import NoticeShow
from gateway.core.standing import Standing, SubjectState

QUIET_MS = 60_000
"""How long somebody who has nothing to be told is not looked up again for that."""


def notice_of(show: NoticeShow, state: SubjectState, now: int) -> Standing | None:
    """The standing to tell of, `TRIAL` or `EXPIRED`; None where there is nothing to say.

    Whoever has paid is left alone, and so is whoever said "not now": they have been told, and have answered.
    """
    standing = state.standing(0, now)
    if standing is Standing.TRIAL:
        return standing if show is NoticeShow.ALWAYS and state.trial_ends > now else None
    return standing if show is not NoticeShow.NEVER and standing is Standing.EXPIRED else None


def quiet_until(state: SubjectState, now: int) -> int:
    """Until when somebody who has nothing to be told now will have nothing, unless somebody intervenes."""
    ends = (state.trial_ends, state.entitled_until, state.window_ends)
    return min([now + QUIET_MS, *(instant for instant in ends if instant > now)])
