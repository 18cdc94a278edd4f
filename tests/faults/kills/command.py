"""`python -m tests.faults kills`: all trials, with progress, a table, and an orderly end by Ctrl-C."""

from __future__ import annotations

import argparse
import contextlib
import queue
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tests.flow.application import Application

from .journey import PATIENCE
from .lane import Lane, Outcome
from .nursery import Nursery
from .plan import Moment, Sweeps, Trial, Victim, plan_trials
from .stores import EMBEDDED, NAMES, MissingServer
from .twins import TWINS

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""
TRIALS = 3_000
LANES = 8
"""A trial waits for disks, up to a second for each payment; meanwhile others go on."""
_SHOWN = 20
_ROW = "{:<33} {:<36} {:>6} {:>5} {:>7} {:>7} {:>7} {:>7}"
_HEADS = ("killed", "when", "trials", "lost", "double", "untrue", "no", "several")


@dataclass
class Run:
    """Trials on several lanes at once, and what came of them."""

    folder: Path
    sweeps: Sweeps = field(default_factory=Sweeps)
    outcomes: list[Outcome] = field(default_factory=list)
    done: int = 0
    stopping: threading.Event = field(default_factory=threading.Event)
    _failures: queue.SimpleQueue[BaseException] = field(default_factory=queue.SimpleQueue)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def run(
        self,
        trials: Sequence[Trial],
        lanes: int = LANES,
        twin: str = "",
        patience: float = PATIENCE,
        tell: Callable[[int], None] = lambda done: None,
    ) -> None:
        """Do them all. Raises what went wrong in a lane; ends early, with what there is, once `stopping` is set."""
        with contextlib.ExitStack() as stack:
            application = Application().start()
            stack.callback(application.close)
            nursery = Nursery()
            stack.callback(nursery.close)
            threads = []
            for share in divided(trials, lanes):
                lane = Lane(
                    share.name, self.folder / share.name, application.url, nursery, self.sweeps,
                    server=share.server, workers=share.workers, twin=twin, patience=patience,
                )  # fmt: skip
                threads.append(threading.Thread(target=self._play, args=(lane, share.trials), name=share.name))
            for thread in threads:
                thread.start()
            while any(thread.is_alive() for thread in threads):
                tell(self.done)
                time.sleep(0.1)
        if not self._failures.empty():
            raise self._failures.get()

    def _play(self, lane: Lane, trials: list[Trial]) -> None:
        try:
            with lane:
                outcomes = lane.play(trials, self._count, self.stopping.is_set)
            with self._turn:
                self.outcomes += outcomes
        except BaseException as error:
            error.add_note(f"in the lane {lane.name}")
            self._failures.put(error)
            self.stopping.set()

    def _count(self, outcome: Outcome) -> None:
        with self._turn:
            self.done += 1


class Share(NamedTuple):
    """The trials of one lane, and what is special about it."""

    name: str
    trials: list[Trial]
    server: str
    workers: int = 1


def divided(trials: Iterable[Trial], lanes: int) -> Iterator[Share]:
    """All of them: on lanes of their own those that need another kind of gateway."""
    several: list[Trial] = []
    own: list[Trial] = []
    others: list[Trial] = []
    for trial in trials:
        if trial.victim in (Victim.WORKER, Victim.PARENT):
            several.append(trial)
        else:
            (own if trial.victim is Victim.WITH_ITS_STORE else others).append(trial)
    shares = [Share("workers", several, NAMES[0], 2), Share("embedded", own, EMBEDDED)]
    for number in range(lanes):
        name = NAMES[number % len(NAMES)]
        shares.append(Share(f"{name}-{number}", others[number::lanes], name))
    yield from (share for share in shares if share.trials)


def main(arguments: Sequence[str] = ()) -> int:
    """Run what is asked for; the exit code, 1 when anything was lost, doubled or untrue."""
    options = _parser().parse_args(arguments)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        run = Run(Path(folder))
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda _number, _frame: run.stopping.set())
        try:
            trials = plan_trials(options.trials, options.seed)
            run.run(trials, options.lanes, options.twin, tell=progress(options.trials))
        except MissingServer as missing:
            print(missing, file=sys.stderr)
            return 2
    print("\n".join(table(run.outcomes)))
    print("\n".join(awaits(run.sweeps)))
    print(f"{len(run.outcomes):,} trials in {time.monotonic() - began:.0f} s, seed {options.seed}", flush=True)
    complaints = [line for outcome in run.outcomes for line in complaints_of(outcome)]
    for line in complaints[:_SHOWN]:
        print(f"    {line[:800]}", flush=True)
    if run.done < options.trials:
        print("ended before its time", file=sys.stderr)
        return INTERRUPTED
    return 1 if complaints else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--trials", type=int, default=TRIALS, help=f"how many ({TRIALS:,})")
    parser.add_argument("--seed", type=int, default=1, help="where chance begins (1)")
    parser.add_argument("--lanes", type=int, default=LANES, help=f"how many at once ({LANES})")
    parser.add_argument("--twin", default="", choices=("", *TWINS), help="break it on purpose, in this way")
    return parser


def complaints_of(outcome: Outcome) -> list[str]:
    """What is wrong after a trial, a line each."""
    trial, findings = outcome.trial, outcome.findings
    words = [*findings.lost, *findings.double, *findings.untrue]
    words += [f"{name} is {count} times in the events" for name, count in outcome.events.items() if count != 1]
    where = f"{trial.number}: {trial.victim} killed {trial.moment} in {trial.step} {outcome.place}".strip()
    return [f"{where}: {outcome.person}: {word}" for word in words]


def table(outcomes: Iterable[Outcome]) -> list[str]:
    """A row for everything that was killed in some way, and one for all together."""
    sums: dict[tuple[str, str], Counter[str]] = {}
    for outcome in outcomes:
        for row in ((outcome.trial.victim.value, outcome.trial.moment.value), ("all", "")):
            sums.setdefault(row, Counter()).update(_counted(outcome))
    order = {(victim.value, moment.value): 0 for victim in Victim for moment in Moment}
    rows = [row for row in [*order, ("all", "")] if row in sums]
    columns = ("trials", "lost", "double", "untrue", "no", "several")
    lines = [_ROW.format("", "", "", "", "", "told,", "events:", ""), _ROW.format(*_HEADS)]
    return lines + [_ROW.format(*row, *(sums[row][name] for name in columns)) for row in rows]


def _counted(outcome: Outcome) -> Counter[str]:
    findings, events = outcome.findings, outcome.events.values()
    return Counter(
        trials=1, lost=bool(findings.lost), double=bool(findings.double), untrue=bool(findings.untrue),
        no=0 in events, several=any(count > 1 for count in events),
    )  # fmt: skip


def awaits(sweeps: Sweeps) -> list[str]:
    """How long each series was, and at how many places something was killed."""
    lines = []
    for moment in (Moment.AWAIT, Moment.ANY_AWAIT, Moment.BEFORE, Moment.AFTER):
        counts = ", ".join(f"{step} {count}" for (each, step), count in sweeps.longest.items() if each is moment)
        places = {place for each, place in sweeps.places if each is moment}
        lines.append(f"{moment}: {len(places)} places; passed in a step: {counts or 'no step was got through yet'}")
    return lines


def progress(total: int) -> Callable[[int], None]:
    """Tells, now and then, how far it is."""
    ends = "\r" if sys.stderr.isatty() else "\n"
    pause, due = (1.0 if sys.stderr.isatty() else 10.0), 0.0

    def tell(done: int) -> None:
        nonlocal due
        if time.monotonic() >= due:
            due = time.monotonic() + pause
            print(f"kills: {done:,} of {total:,} trials", end=ends, file=sys.stderr, flush=True)

    return tell
