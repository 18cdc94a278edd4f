"""Several processes that serve, and the one that does not: it starts them, starts them again, and speaks for them."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Iterable
from typing import Any, TypeVar

from gateway.cli.output import CommandFailed, say
from gateway.cli.questions import Question, Refused, Unanswered
from gateway.cli.serving import Prepared
from gateway.cli.worker import packed
from gateway.cli.worker_process import START_SECONDS, Logs, StartFailed, WorkerProcess
from gateway.eventlog.metrics import Metrics
from gateway.eventlog.sums import Numbers, add_up, numbers_of, page_of, what_stays
from gateway.settings.live import LiveSettings, ReloadOutcome, ReloadResult
from gateway.settings.load import Loaded
from gateway.wire.serve import DRAIN_SECONDS
from gateway.wiring.application import describe
from gateway.wiring.renewal import renew

ANSWER_SECONDS = 2.0
"""A worker that takes longer to say how it is is not well."""
TAKE_SECONDS = 10.0
CLOSING_SECONDS = 12.0
"""What a worker may take, after its last request, to close what it has open."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
_STEADY = 30.0
"""Seconds. A worker that lived this long is started again without having earlier deaths held against it."""
_OWN_WORDS = ("requests", "upstream_set_aside", "events_dropped", "events_spool_bytes", "store_warnings")
"""What of a worker's status is shown beside those of the others."""

T = TypeVar("T")


class Crew:
    """As many workers as the config says, while it runs."""

    def __init__(self, loaded: Loaded, opened: Prepared, logs: Logs) -> None:
        self._loaded, self._opened, self._logs = loaded, opened, logs
        self._problems = loaded.problems
        self._places: list[WorkerProcess | None] = [None] * loaded.settings.workers
        self._metrics = Metrics()
        self._gone: Numbers = []
        """What workers had counted that have ended."""
        self._turn = asyncio.Lock()
        """A worker starts, or a config is put in force: never both at once, so that none is left with an old one."""
        self._leaving: list[WorkerProcess] = []
        """Those that others have replaced: they finish what they have begun, by the config that they have."""
        self._rounds = 0
        """How often all are still to be replaced, with the round that is under way."""
        self._keepers: set[asyncio.Task[None]] = set()
        self._broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Has an error of ours in a keeper: a place that nobody keeps would stay empty, unsaid."""
        self.stopping = asyncio.Event()
        self._hurry = asyncio.Event()

    async def start(self) -> None:
        """Returns when all serve, or when told to stop. Raises `CommandFailed` in the words of one that can't."""
        async with self._turn:
            begun = await _all(self._begin(place) for place in range(len(self._places)))
        failures = [found for found in begun if isinstance(found, BaseException)]
        if failures:
            raise CommandFailed(str(failures[0])) from None

    async def run(self) -> None:
        """Keep the workers at work until told to stop, and then wait until all have ended."""
        for place in range(len(self._places)):
            self._have_kept(place)
        await self._until(self.stopping)
        over = asyncio.create_task(self._all_over())
        hurry = asyncio.create_task(self._hurry.wait())
        await asyncio.wait({over, hurry}, timeout=DRAIN_SECONDS + CLOSING_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if self._hurry.is_set():
            await asyncio.wait({over}, timeout=CLOSING_SECONDS)
        for task in (over, hurry):
            task.cancel()

    async def _until(self, event: asyncio.Event) -> None:
        waits = asyncio.create_task(event.wait())
        try:
            watched: set[asyncio.Future[Any]] = {waits, self._broken}
            await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
            if self._broken.done():
                self._broken.result()
        finally:
            waits.cancel()

    async def _all_over(self) -> None:
        while self._keepers:
            await asyncio.wait(self._keepers)

    def stop(self) -> None:
        """Have all end with their last requests; a second time: at once."""
        if self.stopping.is_set():
            self._hurry.set()
        self.stopping.set()
        told = self._leaving if self._hurry.is_set() else []  # these were told once already
        for worker in [*self._present(), *told]:
            worker.drain()

    async def end(self) -> None:
        """Leave none behind."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        left = [*self._present(), *self._leaving]
        for worker in left:
            worker.kill()
        await _all(worker.ended() for worker in left)

    async def reload(self, live: LiveSettings) -> ReloadOutcome:
        """Read the config again and put it in force in all workers, or in none."""
        async with self._turn:
            outcome = await renew(live, self._put_in_force)
        if outcome.result is ReloadResult.UNCHANGED:
            return outcome
        accepted = outcome.result is ReloadResult.ACCEPTED
        self._problems = outcome.problems
        self._metrics.count_reload(outcome.result.value, accepted)
        for worker in self._present():
            with contextlib.suppress(Refused, Unanswered):
                await worker.ask(
                    Question.RECORD_RELOAD, ANSWER_SECONDS, accepted=accepted, problems=len(outcome.problems)
                )
                break
        return outcome

    async def page(self) -> bytes:
        """The metrics of all together."""
        workers = [*self._present(), *self._leaving]
        answers = await self._ask_all(workers, Question.NUMBERS)
        for worker, numbers in zip(workers, answers, strict=True):
            if isinstance(numbers, list):
                worker.numbers = numbers
        # One that does not answer counts with what it had counted when it did.
        known = [worker.numbers for worker in workers if worker in self._present() or worker in self._leaving]
        return page_of(add_up([numbers_of(self._metrics.families()), self._gone, *known]))

    async def health(self) -> dict[str, bool]:
        """Whether all serve, and whether all reach the store."""
        answers = await self._ask_all(self._present(), Question.HEALTH)
        whole = len(answers) == len(self._places) and all(isinstance(answer, bool) for answer in answers)
        whole = whole and not self.stopping.is_set()
        return {"store": bool(answers) and all(answer is not False for answer in answers), "workers": whole}

    async def status(self) -> dict[str, Any]:
        """The config in force, and a list of the workers."""
        places = list(self._places)
        answers = await self._ask_all([worker for worker in places if worker is not None], Question.STATUS)
        said = iter(answers)
        workers: list[dict[str, Any]] = []
        for number, worker in enumerate(places, 1):
            answer = next(said) if worker is not None else None
            told = answer if isinstance(answer, dict) else None
            workers.append(_told_of(number, worker, told))
        known = [answer for answer in answers if isinstance(answer, dict)]
        return {
            **describe(self._loaded, self._problems),
            "upstream_set_aside": _each_once(known, "upstream_set_aside"),
            "events_dropped": sum(answer["events_dropped"] for answer in known),
            "events_spool_bytes": sum(answer["events_spool_bytes"] for answer in known),
            "store_warnings": _each_once(known, "store_warnings"),
            "workers": workers,
        }

    # The workers' life

    async def replace(self) -> None:
        """Start another worker for each, one after the other; each that is replaced ends with its last requests.

        Told so meanwhile, however often, it does so once more: what is there to be started may be newer by now."""
        if self._rounds:
            self._rounds = 2
            say("workers are being replaced: when that is done, all are replaced once more")
            return
        self._rounds = 1
        while self._rounds and not self.stopping.is_set():
            await self._replace_all()
            self._rounds -= 1

    async def _replace_all(self) -> None:
        for place in range(len(self._places)):
            async with self._turn:
                try:
                    if not self.stopping.is_set():
                        await self._relieve(place)
                except (StartFailed, OSError) as error:
                    say(f"worker {place + 1} was not replaced: {error}; the workers that serve go on")
                    return
            if self.stopping.is_set():
                return
        say("all workers have been replaced")

    async def _relieve(self, place: int) -> None:
        worker = self._places[place]
        if worker is None:
            return  # one is started there anyway, by its keeper
        successor = await self._begun(place)
        if successor is None:
            return
        vacant = self._places[place] is None  # it has ended meanwhile, and its keeper finds the successor
        self._take_in(place, successor)
        if not vacant:
            self._leaving.append(worker)
            if not self.stopping.is_set():  # else it was told already, and a second time means at once
                worker.drain()
                asyncio.get_running_loop().call_later(DRAIN_SECONDS + CLOSING_SECONDS, self._see_off, worker)
            self._have_kept(place)

    def _see_off(self, worker: WorkerProcess) -> None:
        if worker in self._leaving:
            say(f"worker {worker.number} (process {worker.pid}) was replaced and does not end by itself: it is killed")
            worker.kill()

    def _have_kept(self, place: int) -> None:
        keeper = asyncio.create_task(self._keep(place))
        self._keepers.add(keeper)
        keeper.add_done_callback(self._kept)

    def _kept(self, keeper: asyncio.Task[None]) -> None:
        self._keepers.discard(keeper)
        if not keeper.cancelled() and (error := keeper.exception()) is not None and not self._broken.done():
            self._broken.set_exception(error)

    def _take_in(self, place: int, worker: WorkerProcess) -> None:
        self._places[place] = worker
        if self.stopping.is_set():  # which was told to all that were there
            worker.drain()

    async def _begin(self, place: int) -> None:
        worker = await self._begun(place)
        if worker is not None:
            self._take_in(place, worker)

    async def _begun(self, place: int) -> WorkerProcess | None:
        """One that serves; None when told to stop. Raises `StartFailed`, `OSError`."""
        stopping = asyncio.create_task(self.stopping.wait())
        begin = asyncio.create_task(WorkerProcess.begin(place + 1, self._loaded, self._opened, self._logs))
        try:
            await asyncio.wait({begin, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            begin.cancel()  # which does nothing to one that is done
        await asyncio.wait({begin})
        if begin.cancelled() or (begin.exception() is not None and self.stopping.is_set()):
            return None
        return begin.result()

    async def _keep(self, place: int) -> None:
        """Start a worker again whenever it ends, until another one is its successor, which has a keeper of its own."""
        pause, how = _FIRST_PAUSE, ""
        while True:
            worker = self._places[place]
            if worker is not None:
                began = time.monotonic()
                how = f"worker {worker.number} (process {worker.pid}) {await worker.ended()}"
                self._gone = add_up([self._gone, what_stays(worker.numbers)])
                if worker in self._leaving:
                    self._leaving.remove(worker)
                    return
                self._places[place] = None
                if time.monotonic() - began > _STEADY:
                    pause = _FIRST_PAUSE
            if self.stopping.is_set():
                return
            say(f"{how}; starting another in {pause:g} s")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self.stopping.wait()
            pause = min(pause * 2, _LONGEST_PAUSE)
            try:
                async with self._turn:
                    if self._places[place] is None and not self.stopping.is_set():
                        await self._begin(place)
            except (StartFailed, OSError) as error:
                how = f"worker {place + 1} is missing: {error}"

    # Asking them

    def _present(self) -> list[WorkerProcess]:
        return [worker for worker in self._places if worker is not None]

    async def _put_in_force(self, loaded: Loaded) -> None:
        workers, config = self._present(), packed(loaded)
        answers = await self._ask_all(workers, Question.MAKE_READY, START_SECONDS, config=config)
        for worker, answer in zip(workers, answers, strict=True):
            if isinstance(answer, BaseException):
                await self._ask_all(workers, Question.DROP, TAKE_SECONDS)
                if isinstance(answer, Unanswered):
                    raise CommandFailed(f"worker {worker.number} did not get ready for it") from None
                raise answer
        self._loaded = loaded
        for worker, answer in zip(workers, await self._ask_all(workers, Question.TAKE, TAKE_SECONDS), strict=True):
            if isinstance(answer, BaseException):
                worker.kill()  # it is started again with the new config: none may go on with the old one

    async def _ask_all(
        self, workers: Iterable[WorkerProcess], question: Question, seconds: float = ANSWER_SECONDS, **details: Any
    ) -> list[Any]:
        answers = await _all(worker.ask(question, seconds, **details) for worker in workers)
        for answer in answers:
            if isinstance(answer, BaseException) and not isinstance(answer, Refused | Unanswered):
                raise answer
        return answers


def _each_once(answers: Iterable[dict[str, Any]], member: str) -> list[Any]:
    return list(dict.fromkeys(value for answer in answers for value in answer[member]))


def _told_of(number: int, worker: WorkerProcess | None, told: dict[str, Any] | None) -> dict[str, Any]:
    """One worker, for operators; without its own words where it gave none."""
    seen = {"worker": number, "pid": worker.pid if worker is not None else None, "answers": told is not None}
    if told is None:
        return seen
    own = {name: told[name] for name in _OWN_WORDS}
    return {**seen, "digest": told["config"]["digest"], **own}


async def _all(work: Iterable[Awaitable[T]]) -> list[T | BaseException]:
    return await asyncio.gather(*work, return_exceptions=True)
