"""Standings and counters in the store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from gateway.core.decision import Purse
from gateway.core.quantity import DAY
from gateway.core.standing import SubjectState
from gateway.core.subject import Subject
from gateway.ports.state import (
    NO_TRIAL,
    DeclineOutcome,
    GiveBackOutcome,
    GraceAsked,
    NotAsked,
    StoreUnavailable,
    Taken,
    TakeOutcome,
    Taking,
    TrialBegin,
)
from gateway.ports.trials import Retention
from gateway.store.keys import key_of, subject_id, subject_key, trial_claim
from gateway.store.near import NearMemory
from gateway.store.transport.line import Argument
from gateway.store.transport.link import Link
from gateway.store.transport.script import Script

NOTE_LIMIT = 2_000
"""Characters of a refusal's free text that are kept."""

REASON_LIMIT = 64
"""Characters of the reason itself, which is one of a few words: it is read on every visit."""

OPERATIONS_KEPT_MS = 7 * DAY
"""How long it is known which operations took a credit or a window result."""

_CLAIM_TRIAL = Script.read("claim_trial")
_VISIT = Script.read("visit")
_TAKE_GRACE = Script.read("take_grace")
_GIVE_BACK_GRACE = Script.read("give_back_grace")
_TAKE_NUMBER = Script.read("take_number")
_GIVE_BACK_NUMBER = Script.read("give_back_number")
_DECLINE = Script.read("decline")
_TALLY = Script.read("tally")


def read_state(answer: Any) -> SubjectState:
    """The state as `parts/state.lua` lists it. Raises `StoreUnavailable` for anything else: one damaged record, or a
    server that is none, must not look like a fault of ours."""
    try:
        return _state(answer)
    except (TypeError, ValueError, AttributeError, IndexError) as error:
        raise StoreUnavailable(f"the subject's state can't be read: {error!r}") from None


def _state(answer: list[Any]) -> SubjectState:
    started, ends, entitled, credits, window_ends, window_left, declined_at, settled, used, holds, size = answer[:11]
    return SubjectState(
        trial_started=started,
        trial_ends=ends,
        entitled_until=entitled,
        credits=credits,
        window_ends=window_ends,
        window_left=window_left,
        declined_at=declined_at,
        decline_reason=answer[11].decode("utf-8", "replace"),
        settled=settled,
        grace_used=used,
        holds=holds,
        held_bytes=size,
        trial_began=len(answer) > 12 and answer[12] == 1 and started != NO_TRIAL.from_ms,
        grace_taken=len(answer) > 13 and answer[13] == 1,
        results=answer[15] if len(answer) > 15 else 0,
        unknown_checkout=answer[14].decode("utf-8", "replace") if len(answer) > 14 else "",
    )


class StoredSubjects:
    """The port `Subjects`."""

    def __init__(self, link: Link, near: NearMemory) -> None:
        self._link, self._near = link, near
        self._retention = Retention()

    def retain(self, retention: Retention) -> None:
        """From now on visits say when whoever only looks around is forgotten."""
        self._retention = retention

    def recall(self, subject: Subject, now: int) -> SubjectState | None:
        """See the port."""
        return self._near.recall(subject, now)

    def last_known(self, subject: Subject, now: int) -> SubjectState | None:
        """See the port."""
        return self._near.last_known(subject, now)

    async def visit(
        self,
        subject: Subject,
        begin: TrialBegin | None = None,
        grace: GraceAsked | None = None,
        now: int = 0,
        taking: Taking | None = None,
    ) -> SubjectState:
        """See the port. Raises `ValueError` for `taking` without `grace`."""
        if begin is None or not begin.claims:
            return await self._visit(subject, begin, grace, now, taking)
        state = await self._visit(subject, None, grace, now, taking)
        if state.trial_started:
            return state
        # Claimed under the subject's key before it begins: whoever was cut off in between finds its own claims.
        refused = await self.claim(subject, begin, now)
        state = await self._visit(subject, NO_TRIAL if refused else begin, grace, now, taking)
        return replace(state, trial_refused=refused) if state.trial_started == NO_TRIAL.from_ms else state

    async def _visit(
        self, subject: Subject, begin: TrialBegin | None, grace: GraceAsked | None, now: int, taking: Taking | None
    ) -> SubjectState:
        keys, args = _visit(subject, begin, grace, now, taking, self._retention)
        begun = self._near.begin_reading()
        state = read_state(await self._link.call(_VISIT, keys, args))
        if not now:
            self._near.remember(subject, state, begun)
        return state

    async def claim(self, subject: Subject, begin: TrialBegin, now: int = 0) -> str:
        """See the port."""
        for claim in begin.claims:
            args: list[Argument] = [now, subject.key, claim.allowance.count, claim.allowance.window_ms]
            if await self._link.call(_CLAIM_TRIAL, [trial_claim(claim.digest)], args) != b"granted":
                return claim.kind
        return ""

    def visit_soon(
        self,
        subject: Subject,
        begin: TrialBegin | None,
        grace: GraceAsked,
        taking: Taking | None,
        heard: Callable[[SubjectState | StoreUnavailable], None],
    ) -> None:
        """See the port."""
        begun = self._near.begin_reading()
        claims = begin is not None and begin.claims
        begin = None if claims else begin

        def read(answer: Any) -> None:
            if isinstance(answer, StoreUnavailable):
                heard(answer)
                return
            try:
                state = read_state(answer)
            except StoreUnavailable as error:
                heard(error)
                return
            self._near.remember(subject, state, begun)
            is_to_begin = claims and not state.trial_started
            heard(NotAsked("a trial is to begin that others may have had") if is_to_begin else state)

        keys, args = _visit(subject, begin, grace, 0, taking, self._retention)
        self._link.tell(_VISIT, keys, args, read)

    async def tally(self, key: str, count: int) -> None:
        """See the port."""
        await self._link.call(_TALLY, [key_of(key)], [count])

    async def take(
        self, subject: Subject, purse: Purse, operation: str, grace: GraceAsked | None = None, now: int = 0
    ) -> Taken:
        """See the port. Raises `ValueError` for the grace purse without `grace`."""
        key = subject_key(subject)
        if purse is Purse.GRACE:
            asked = _named(grace)
            outcome, left = await self._link.call(
                _TAKE_GRACE,
                [key, f"{key}:grace:{asked.scope}", f"{key}:void"],
                [now, subject_id(subject), operation, asked.scope, asked.allowance.count, asked.allowance.window_ms],
            )
        else:
            outcome, left = await self._link.call(
                _TAKE_NUMBER,
                [key, f"{key}:spent", f"{key}:void", f"{key}:ledger"],
                [now, purse.value, operation, OPERATIONS_KEPT_MS],
            )
        return Taken(TakeOutcome(outcome.decode()), left)

    async def give_back(
        self, subject: Subject, purse: Purse, operation: str, grace: GraceAsked | None = None, now: int = 0
    ) -> GiveBackOutcome:
        """See the port. Raises `ValueError` for the grace purse without `grace`."""
        key = subject_key(subject)
        if purse is Purse.GRACE:
            keys = [key, f"{key}:grace:{_named(grace).scope}", f"{key}:void"]
            answer = await self._link.call(_GIVE_BACK_GRACE, keys, [now, operation])
        else:
            keys = [key, f"{key}:spent", f"{key}:void", f"{key}:ledger"]
            answer = await self._link.call(_GIVE_BACK_NUMBER, keys, [now, purse.value, operation])
        return GiveBackOutcome(answer.decode())

    async def decline(self, subject: Subject, reason: str, note: str = "", now: int = 0) -> DeclineOutcome:
        """See the port."""
        key = subject_key(subject)
        args: list[Argument] = [now, subject_id(subject), reason[:REASON_LIMIT], note[:NOTE_LIMIT]]
        return DeclineOutcome((await self._link.call(_DECLINE, [key, f"{key}:note"], args)).decode())


def _visit(
    subject: Subject,
    begin: TrialBegin | None,
    grace: GraceAsked | None,
    now: int,
    taking: Taking | None,
    retention: Retention,
) -> tuple[list[str], list[Argument]]:
    """Keys and arguments of the verb."""
    key = subject_key(subject)
    length, start = (begin.length_ms, begin.from_ms) if begin else (-1, 0)
    scope, window = (grace.scope, grace.allowance.window_ms) if grace else ("", -1)
    args: list[Argument] = [now, subject_id(subject), length, start, window]
    if taking is not None:
        args += [taking.operation, scope, _named(grace).allowance.count, int(taking.credits)]
    if retention.subjects_ms:
        if taking is None:
            args += ["", "", 0, 0]
        args += [retention.subjects_ms, retention.trials_ms]
    return [key, f"{key}:grace:{scope}", f"{key}:holds", f"{key}:void"], args


def _named(grace: GraceAsked | None) -> GraceAsked:
    if grace is None:
        raise ValueError("a grace result is taken from a named purse: `grace` is missing")
    return grace
