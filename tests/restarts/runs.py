"""One run: everybody at work, the gateways changed and restarted meanwhile, and afterwards the accounts compared."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from .client import Tally
from .rig import Done, Rig, one_gateway, two_gateways
from .users import Load

Tell = Callable[[int], None]
SCENARIOS: dict[str, Callable[..., AbstractContextManager[Rig]]] = {"workers": one_gateway, "balanced": two_gateways}
_LOOK_SECONDS = 0.1
_SETTLE_SECONDS = 10.0


@dataclass(frozen=True)
class Outcome:
    """What came of it."""

    scenario: str
    tally: Tally
    done: Done
    wrong: list[str]
    """People whose grace was counted otherwise than delivered."""
    people: int

    @property
    def is_met(self) -> bool:
        """Whether nobody noticed anything."""
        return not self.tally.failures and not self.wrong and self.done.total > 0


async def run(scenario: str, folder: Path, requests: int, seed: int, tell: Tell, beforehand: str = "") -> Outcome:
    """Raises `Absent`."""
    with SCENARIOS[scenario](folder, beforehand) as rig:
        await rig.grant()
        load = Load(rig.port, requests)
        work = asyncio.create_task(load.run())
        try:
            await _disturb(rig, load, random.Random(seed), tell)
            await work
        finally:
            work.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await work
        wrong = await _wrong(rig, load)
    return Outcome(scenario, load.tally, rig.done, wrong, len(load.delivered))


async def _disturb(rig: Rig, load: Load, dice: random.Random, tell: Tell) -> None:
    """One thing after the other, each finished, as long as there is work."""
    for gateway, step in itertools.cycle((gateway, step) for gateway in rig.gateways for step in rig.steps(dice)):
        if load.is_over():
            return
        await asyncio.to_thread(step, gateway)
        while rig.balancer is not None and not rig.is_up(gateway):
            await asyncio.sleep(_LOOK_SECONDS)
        tell(load.tally.asked)


async def _wrong(rig: Rig, load: Load) -> list[str]:
    """Whoever has another number in the store than what arrived; asked again until it is settled."""
    people = list(load.delivered)
    loop = asyncio.get_running_loop()
    end = loop.time() + _SETTLE_SECONDS
    while True:
        used = await rig.used(people)
        people = [person for person in people if used[person] != load.delivered[person]]
        if not people or loop.time() > end:
            return [f"{person} has had {load.delivered[person]} and is charged {used[person]}" for person in people]
        await asyncio.sleep(_LOOK_SECONDS)
