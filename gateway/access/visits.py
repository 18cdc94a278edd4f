"""Begin trials at first visits without making anybody wait for the store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from gateway.core.event import TrialBegan, TrialRefused
from gateway.core.keyring import Keyring
from gateway.core.standing import SubjectState
from gateway.core.subject import Subject
from gateway.ports.events import Events
from gateway.ports.state import StoreUnavailable, Subjects, TrialBegin

REMEMBERED = 200_000
WAITING_LIMIT = 10_000
AT_ONCE = 16


class Visits:
    """Remembers which subjects have been seen by this process and tells the store of new ones, in the background."""

    def __init__(
        self,
        subjects: Subjects,
        events: Events,
        keyring: Keyring,
        now: Callable[[], int],
        log: Callable[[str], None],
        waiting_limit: int = WAITING_LIMIT,
    ) -> None:
        self._subjects, self._events, self._keyring, self._now = subjects, events, keyring, now
        self._log = log
        self._seen: set[str] = set()
        self._met: set[int] = set()
        self._waiting: asyncio.Queue[tuple[Subject, TrialBegin]] = asyncio.Queue(waiting_limit)
        self._workers: list[asyncio.Task[None]] = []

    def has_met(self, trace: int) -> bool:
        """Whether whoever says this of themselves (`IdentityChain.trace`) has been noted already."""
        return trace in self._met

    def meet(self, trace: int) -> None:
        """Whoever says this of themselves has been noted."""
        if len(self._met) >= REMEMBERED:
            self._met.clear()
        self._met.add(trace)

    def note(self, subject: Subject, begin: TrialBegin) -> bool:
        """A subject came by. False when so many are waiting to be told to the store that it must be noted later."""
        key = subject.key
        if key in self._seen:
            return True
        if self._waiting.full():
            return False
        if len(self._seen) >= REMEMBERED:
            self._seen.clear()
        self._seen.add(key)
        self._waiting.put_nowait((subject, begin))
        return True

    def tell(self, subject: Subject, state: SubjectState) -> None:
        """Record the event of a trial that began with this very visit, or was refused."""
        at, who = self._now(), self._keyring.pseudonym(subject)
        if state.trial_began:
            self._events.record(TrialBegan(at=at, subject=who, ends=state.trial_ends))
        elif state.trial_refused:
            self._events.record(TrialRefused(at=at, subject=who, by=state.trial_refused))

    async def start(self) -> None:
        """Begin telling the store."""
        self._workers = [asyncio.create_task(self._tell()) for _ in range(AT_ONCE)]

    async def stop(self) -> None:
        """Stop; visits that could not be told are told at the subject's next one."""
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)

    async def _tell(self) -> None:
        while True:
            subject, begin = await self._waiting.get()
            try:
                state = await self._subjects.visit(subject, begin)
            except Exception as error:  # whatever it is, the next visitor must still be told of
                self._seen.discard(subject.key)
                self._met.clear()
                if not isinstance(error, StoreUnavailable):
                    self._log(f"a first visit could not be recorded: {type(error).__name__}: {error}")
                await asyncio.sleep(0.5)
                continue
            self.tell(subject, state)
