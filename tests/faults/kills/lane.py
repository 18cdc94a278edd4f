"""One store, one gateway, and trials on them one after the other."""

from __future__ import annotations

import contextlib
import http.client
import os
import random
import secrets
import signal
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.free_port import free_port

from .books import EVENTS, Books, Findings
from .countdown import Countdown
from .journey import PATIENCE, STEPS, Journey, Stuck, step_of
from .nursery import SECRET, Nursery, Process
from .plan import Moment, Sweeps, Trial, Victim
from .stores import EMBEDDED, FORGETTING, KEEPING, KilledStore, OwnStore
from .twins import keep_nothing_on_disk

READY_SECONDS = 30.0
_CONFIG = """
store: "{store}"
secret: {{env: {secret}}}
data: "{data}"
upstream: {{url: "{upstream}"}}
sandbox: allowed
trusted_proxies: [127.0.0.0/8]
identity:
  - header: {{name: x-user-id}}
plans:
  - {{id: five, name: Five results, price: 10.00 USD, gives: 5 results}}
  - {{id: month, name: Thirty days, price: 19.00 USD, gives: 30d}}
payments:
  - sandbox: {{}}
routes:
  - {{path: /report.csv, class: result, mode: hold, name: report}}
  - {{path: "/metered/**", class: result, mode: block, grace: 2 per 30d, name: metered}}
"""
_FORGETTING_TWIN = keep_nothing_on_disk.__name__
_STARTING = 0.4
"""Seconds within which a gateway has begun again, and done what another left to it."""
_QUIET = 0.06
"""Seconds without another await: what an answer has set going is over."""


@dataclass(frozen=True)
class Outcome:
    """A trial, and what came of it."""

    trial: Trial
    findings: Findings
    person: str
    checkout: str = ""
    place: str = ""
    """Where the kill was, as far as that is known."""
    events: Mapping[str, int] = field(default_factory=dict)
    """How often the events of its checkout are in the stream, of which there is to be one each."""


@dataclass
class Lane:
    """What stays from one trial to the next."""

    name: str
    folder: Path
    upstream: str
    nursery: Nursery
    sweeps: Sweeps
    server: str = "valkey"
    twin: str = ""
    workers: int = 1
    patience: float = PATIENCE
    store: KilledStore | OwnStore = field(init=False)
    books: Books = field(init=False)
    countdown: Countdown = field(init=False)
    host: str = field(init=False)
    port: int = field(init=False)
    _gateway: Process | None = None
    _durations: dict[str, float] = field(default_factory=dict)
    """How long each step took when nothing was killed, in seconds."""
    _closing: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Lane:
        self.folder.mkdir()
        # An address that nobody else takes in the moment in which a killed gateway has not begun again.
        self.host, self.port = "127." + ".".join(str(secrets.randbelow(253) + 1) for _ in range(3)), free_port()
        if self.server == EMBEDDED:
            self.store = OwnStore(self.folder / "data")
        else:
            self.store = KilledStore(self.server, self.folder, FORGETTING if self.twin == _FORGETTING_TWIN else KEEPING)
        self._closing.callback(self.store.close)
        self.books = Books(self.store.own_url)
        self.countdown = Countdown(self.folder / "countdown")
        config = _CONFIG.format(store=self.store.url, secret=SECRET, data=self.folder / "data", upstream=self.upstream)
        (self.folder / "paywall.yaml").write_text(config)
        self._closing.callback(self._end_gateway)
        return self

    def __exit__(self, *error: object) -> None:
        self._closing.close()

    def play(
        self, trials: list[Trial], tell: Callable[[Outcome], None], is_to_end: Callable[[], bool]
    ) -> list[Outcome]:
        """Do these; `tell` hears of each as it is done."""
        people = {trial.number: f"{self.name}-{trial.number}" for trial in trials}
        self.revive()
        self.books.expire(list(people.values()))
        outcomes = []
        for trial in trials:
            if is_to_end():
                break
            outcomes.append(self._play(trial, people[trial.number]))
            tell(outcomes[-1])
        return self._with_events(outcomes)

    def _play(self, trial: Trial, person: str) -> Outcome:
        journey = Journey(person, self.host, self.port, trial.plan, self.revive, self.patience)
        place = ""
        try:
            for name in STEPS:
                step, is_done = step_of(journey, name), False
                if name == trial.step:
                    journey.killed_in = name
                    is_done, place = self._kill_within(trial, step)
                began = time.monotonic()
                if not is_done:
                    journey.insist(step, name)
                    if not journey.killed_in:
                        self._durations[name] = time.monotonic() - began
            self.revive()
            findings = self.books.audit(journey)
        except Stuck as stuck:
            findings = Findings(lost=[str(stuck)], untrue=journey.broken)
        return Outcome(trial, findings, person, journey.checkout, place)

    def _with_events(self, outcomes: list[Outcome]) -> list[Outcome]:
        """The same, with what the stream has of each payment, once the gateway has ended in order."""
        self.revive()
        self._end_gateway(signal.SIGTERM)
        with self.store.opened():
            events = self.books.events()
        return [
            replace(outcome, events={name: events[name, outcome.checkout] for name in EVENTS}) for outcome in outcomes
        ]

    # What is killed, and when

    def _kill_within(self, trial: Trial, step: Callable[[], bool]) -> tuple[bool, str]:
        """Do the step once, and kill within it; whether somebody was answered, and where it was killed."""
        self.revive()
        if trial.moment is Moment.RANDOM:
            return self._kill_at_random(trial, step), ""
        number = 0 if trial.at else self.sweeps.take(trial.moment, trial.step)
        if trial.moment in (Moment.AWAIT, Moment.ANY_AWAIT):
            self.countdown.arm(number, everybody=trial.moment is Moment.ANY_AWAIT)
            is_done = step()
            seen, place = self._seen_at_last(), self.countdown.place
            self.countdown.disarm()
        else:
            assert isinstance(self.store, KilledStore)
            self.store.relay.arm(number, trial.at, after=trial.moment is Moment.AFTER)
            is_done = step()
            seen, place = self.store.relay.seen, self.store.relay.place
            self.store.relay.disarm()
        if place:
            self.sweeps.killed(trial.moment, place)
        elif not trial.at:
            self.sweeps.went_through(trial.moment, trial.step, seen)
        self._kill(trial)
        if trial.victim is Victim.AGAIN:
            self._gateway = self._start_gateway()
            time.sleep(trial.chance * _STARTING)
            self._kill(trial)
        return is_done, place or "after the answer"

    def _seen_at_last(self) -> int:
        """How many awaits there were when nothing went on any more, or the process was killed."""
        seen, quiet_at = -1, 0.0
        while time.monotonic() < quiet_at or seen != self.countdown.seen:
            if seen != self.countdown.seen:
                seen, quiet_at = self.countdown.seen, time.monotonic() + _QUIET
            if self._is_down():
                break
            time.sleep(0.005)
        return seen

    def _kill_at_random(self, trial: Trial, step: Callable[[], bool]) -> bool:
        within = 1.3 * self._durations.get(trial.step, 0.1)

        def kill() -> None:
            time.sleep(trial.chance * within)
            self._kill(trial)

        with ThreadPoolExecutor(1) as beside:
            killed = beside.submit(kill)
            is_done = step()
            killed.result()
        return is_done

    def _kill(self, trial: Trial) -> None:
        """What is to be dead and is not is killed now."""
        kills = [self.store.kill] if trial.victim in (Victim.STORE, Victim.BOTH) else []
        if trial.victim is Victim.WORKER:
            kills.append(lambda: self._kill_worker(trial.chance))
        elif trial.victim is not Victim.STORE:
            kills.append(self._end_gateway)
        for kill in random.Random(trial.chance).sample(kills, len(kills)):
            kill()

    def _kill_worker(self, chance: float) -> None:
        assert self._gateway is not None
        # Its main thread starts them.
        workers = Path(f"/proc/{self._gateway.pid}/task/{self._gateway.pid}/children").read_text().split()
        with contextlib.suppress(ProcessLookupError):
            if workers:
                os.kill(int(workers[int(chance * 1000) % len(workers)]), signal.SIGKILL)

    # What is started again

    def revive(self) -> None:
        """Start again what was killed."""
        if self.store.ended:
            self.store.revive()
        if self._is_down():
            self._end_gateway()
            self.countdown.disarm()
            self._gateway = self._start_gateway()
            self._wait_until_ready()

    def _is_down(self) -> bool:
        return self._gateway is None or self._gateway.ended

    def _start_gateway(self) -> Process:
        arguments = ["run", "--config", str(self.folder / "paywall.yaml"), "--listen", f"{self.host}:{self.port}"]
        if self.workers > 1:
            arguments += ["--workers", str(self.workers)]
        log, countdown = self.folder / "gateway.log", self.folder / "countdown"
        return self.nursery.start(arguments, log, countdown, self.twin)

    def _end_gateway(self, number: signal.Signals = signal.SIGKILL) -> None:
        if self._gateway is not None:
            self._gateway.end(number)
            self._gateway.close()
            self._gateway = None

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while True:
            connection = http.client.HTTPConnection(self.host, self.port, timeout=READY_SECONDS)
            try:
                connection.request("GET", "/_paywall/me", headers={"x-user-id": "nobody"})
                if connection.getresponse().status == 200:
                    return
            except (OSError, http.client.HTTPException):
                pass
            finally:
                connection.close()
            assert time.monotonic() < deadline and not self._is_down(), (self.folder / "gateway.log").read_text()
            time.sleep(0.005)
