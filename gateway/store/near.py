"""What this process remembers of subjects that may have results until a date, so that they cost no call to the store.

Only rights are remembered, never their absence: what is old can only let somebody go on for a moment, not stop somebody
who has just paid. And only rights by date: what is counted is counted in the store.

A memory is as good as the news of changes. It is dropped when the store tells of a change, all of it is set aside when
the connection that brings the news is lost, and without news nothing is remembered. A silent loss of that connection is
bounded by the age that a memory may reach. What was set aside counts only while the store is away (`last_known`).
"""

from __future__ import annotations

import time
from collections.abc import Callable

from gateway.core.standing import SubjectState
from gateway.core.subject import Subject

OLDEST_SECONDS = 5.0
LAST_KNOWN_SECONDS = 900.0
"""How long a right that was known counts while the store is away."""
REMEMBERED = 50_000


class NearMemory:
    """States by subject. Everything happens in one event loop, between two awaits."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._hears = False
        self._states: dict[Subject, tuple[SubjectState, float]] = {}
        self._last: dict[str, tuple[SubjectState, float]] = {}
        """What was remembered when the news were lost, and when it had been read; by the subject's key."""
        self._subjects: dict[str, Subject] = {}
        """Of remembered states, by the key that changes are told by."""
        self._news = 0
        """How many changes were heard, and losses of hearing."""
        self._changed: dict[str, int] = {}
        """The news that each subject changed last with: a reading begun before it may be from before the change."""
        self._forgotten = 0
        """The news before which everything counts as changed."""

    def recall(self, subject: Subject, now: int) -> SubjectState | None:
        """The state of a subject whose right to results is good at this instant; None: ask the store."""
        found = self._states.get(subject)
        if found is None:
            return None
        state, read_at = found
        return state if self._clock() - read_at <= OLDEST_SECONDS and _is_right(state, now) else None

    def last_known(self, subject: Subject, now: int) -> SubjectState | None:
        """The state of a subject whose right to results was good when it was last heard of and is by its date still."""
        found = self._states.get(subject) or self._last.get(subject.key)
        if found is None or self._clock() - found[1] > LAST_KNOWN_SECONDS or not _is_right(found[0], now):
            return None
        return found[0]

    def begin_reading(self) -> int:
        """To be called before the store is asked; the answer goes to `remember`."""
        return self._news

    def remember(self, subject: Subject, state: SubjectState, begun: int) -> None:
        """What the store answered to a reading. Not remembered if it may be old already."""
        if self._last:
            self._last.pop(subject.key, None)
        if not state.trial_started or state.trial_began:
            return
        if state.grace_taken:  # it was all that the subject had: there is no right to be remembered
            return
        if not self._hears:  # for when the store is away again before there are news
            if len(self._last) < 2 * REMEMBERED:
                self._last[subject.key] = (state, self._clock())
            return
        key = subject.key
        if begun < self._forgotten or begun < self._changed.get(key, 0):
            return
        if len(self._states) >= REMEMBERED:
            self._states.clear()
            self._subjects.clear()
        self._states[subject] = (state, self._clock())
        self._subjects[key] = subject

    def changed(self, key: str) -> None:
        """A verb of whatever process changed this subject."""
        self._news += 1
        if len(self._changed) >= REMEMBERED:
            # Readings that are under way are not remembered then, which costs each of them one more call.
            self._changed.clear()
            self._forgotten = self._news
        self._changed[key] = self._news
        self._last.pop(key, None)
        self._drop(key)

    def hears(self, hears: bool) -> None:
        """Whether news of changes come in from now on. What was remembered before is forgotten either way."""
        self._hears = hears
        self._news += 1
        self._forgotten = self._news
        self._set_aside()
        self._states.clear()
        self._subjects.clear()
        self._changed.clear()

    def _set_aside(self) -> None:
        oldest = self._clock() - LAST_KNOWN_SECONDS
        kept = {key: known for key, known in self._last.items() if known[1] >= oldest}
        new = {subject.key: known for subject, known in self._states.items()}
        self._last = new if len(kept) + len(new) > 2 * REMEMBERED else kept | new

    def _drop(self, key: str) -> None:
        subject = self._subjects.pop(key, None)
        if subject is not None:
            self._states.pop(subject, None)


def _is_right(state: SubjectState, now: int) -> bool:
    # Credits are spent before a trial is used up, and spending is the store's.
    return state.entitled_until > now or (state.trial_ends > now and not state.credits)
