"""Which trials there are: what is killed, by which clock, within which step."""

from __future__ import annotations

import random
import threading
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum


class Victim(StrEnum):
    """What is killed."""

    GATEWAY = "gateway"
    AGAIN = "gateway, again as it starts"
    STORE = "store"
    BOTH = "gateway and store"
    WORKER = "one worker of two"
    PARENT = "two workers and their parent"
    WITH_ITS_STORE = "gateway with its embedded store"


class Moment(StrEnum):
    """By which clock."""

    AWAIT = "at every await of the request"
    ANY_AWAIT = "at every await of everybody"
    RANDOM = "at random"
    BEFORE = "before every message to the store"
    AFTER = "after every message to the store"


@dataclass(frozen=True)
class Trial:
    """One kill. Without its number, which is the next one of its sweep."""

    number: int
    victim: Victim
    moment: Moment
    step: str
    plan: str
    chance: float
    """Decides what else there is to decide: where between 0 and 1."""
    at: str = ""
    """The message to the store at which it is to be, in place of the next number."""


_SHARES = {
    (Victim.GATEWAY, Moment.AWAIT): 30,
    (Victim.GATEWAY, Moment.ANY_AWAIT): 9,
    (Victim.GATEWAY, Moment.RANDOM): 11,
    (Victim.AGAIN, Moment.AWAIT): 3,
    (Victim.STORE, Moment.BEFORE): 8,
    (Victim.STORE, Moment.AFTER): 8,
    (Victim.STORE, Moment.RANDOM): 8,
    (Victim.BOTH, Moment.AWAIT): 6,
    (Victim.BOTH, Moment.RANDOM): 9,
    (Victim.WORKER, Moment.RANDOM): 3,
    (Victim.PARENT, Moment.RANDOM): 2,
    (Victim.WITH_ITS_STORE, Moment.RANDOM): 3,
}
"""Of a hundred trials."""
_STEPS = {"grace": 1, "hold": 2, "open": 4, "settle": 9, "fetch": 2, "take": 2}


def plan_trials(count: int, seed: int) -> list[Trial]:
    """This many, the same for the same seed."""
    dice, kinds = random.Random(seed), [kind for kind, share in _SHARES.items() for _ in range(share)]
    whole = kinds * (count // len(kinds)) + dice.sample(kinds, count % len(kinds))
    dice.shuffle(whole)
    steps = list(_STEPS)
    chosen = dice.choices(steps, [_STEPS[step] for step in steps], k=count)
    plans = ["five" if step == "take" else dice.choice(("five", "five", "month")) for step in chosen]
    return [
        Trial(number, victim, moment, step, plan, dice.random())
        for number, ((victim, moment), step, plan) in enumerate(zip(whole, chosen, plans, strict=True))
    ]


class Sweeps:
    """The next number of each series: 1, 2, … until the step is through without having got so far, then from 1 again.

    All lanes go on with the same series.
    """

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._next: Counter[tuple[Moment, str]] = Counter()
        self.longest: dict[tuple[Moment, str], int] = {}
        """How many there were at most in a step that went through."""
        self.places: Counter[tuple[Moment, str]] = Counter()
        """Where something was killed, and how often."""

    def take(self, moment: Moment, step: str) -> int:
        """The next number."""
        with self._turn:
            self._next[moment, step] += 1
            return self._next[moment, step]

    def killed(self, moment: Moment, place: str) -> None:
        """The kill took place here."""
        with self._turn:
            self.places[moment, place] += 1

    def went_through(self, moment: Moment, step: str, seen: int) -> None:
        """The step had fewer than was asked for."""
        with self._turn:
            self._next[moment, step] = 0
            self.longest[moment, step] = max(seen, self.longest.get((moment, step), 0))
