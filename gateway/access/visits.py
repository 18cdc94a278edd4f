"""Begin trials at first visits without making anybody wait for the store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from gateway.core.event import TrialBegan
from gateway.core.keyring import Keyring
from gateway.core.subject import Subject
from gateway.ports.events import Events
from gateway.ports.state import StoreUnavailable, Subjects, TrialBegin

REMEMBERED = 200_000
WAITING_LIMIT = 10_000
AT_ONCE = 16


class Visits:
    """Remembers which subjects have been seen by this process and tells the store of new ones, in the background."""

    def __init__(
        self, subjects: Subjects, events: Events, keyring: Keyring, now: Callable[[], int], log: Callable[[str], None]
    ) -> None:
        self._subjects, self._events, self._keyring, self._now = subjects, events, keyring, now
        self._log = log
        self._seen: set[str] = set()
        self._waiting: asyncio.Queue[tuple[Subject, TrialBegin]] = asyncio.Queue(WAITING_LIMIT)
        self._workers: list[asyncio.Task[None]] = []

    def note(self, subject: Subject, begin: TrialBegin) -> None:
        """A subject came by. Costs one look into a set for whoever was seen before."""
        key = subject.key
        if key in self._seen or self._waiting.full():
            return
        if len(self._seen) >= REMEMBERED:
            self._seen.clear()
        self._seen.add(key)
        self._waiting.put_nowait((subject, begin))

    def began(self, subject: Subject, trial_ends: int) -> None:
        """Record the event of a trial that has just begun."""
        self._events.record(TrialBegan(at=self._now(), subject=self._keyring.pseudonym(subject), ends=trial_ends))

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
                if not isinstance(error, StoreUnavailable):
                    self._log(f"a first visit could not be recorded: {type(error).__name__}: {error}")
                await asyncio.sleep(0.5)
                continue
            if state.trial_began:
                self.began(subject, state.trial_ends)
