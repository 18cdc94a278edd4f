"""Histories by the hundred on one server."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from unittest.mock import patch

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from gateway.store.connection import Store, open_store
from gateway.store.transport import node
from tests.model.machine import Machine, machine_for

STEPS = 30
FIND = (Phase.generate,)
FIND_THE_SHORTEST = (Phase.generate, Phase.shrink)


@dataclass
class Stage:
    """A server to itself, and how often each outcome came about on it."""

    machine: type[Machine]
    told: Counter[str] = field(default_factory=Counter)

    def play(self, histories: int, seed_number: int, steps: int = STEPS, phases: tuple[Phase, ...] = FIND) -> None:
        """As many histories, the same for the same seed. Raises what was found, with the history that leads to it."""
        wanted = settings(
            max_examples=histories,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            phases=phases,
            # They measure the server, which has no hurry here.
            suppress_health_check=list(HealthCheck),
            print_blob=False,
            report_multiple_bugs=False,
        )
        run_state_machine_as_test(seed(seed_number)(self.machine), settings=wanted)


@contextmanager
def stage(url: str) -> Iterator[Stage]:
    """A stage on the server at this address; whatever is on the server goes."""
    # Nothing here is about time, and the machine may be busy.
    with patch.object(node, "ANSWER_TIMEOUT", 20.0), asyncio.Runner() as runner:
        loop, told = runner.get_loop(), Counter[str]()
        store = runner.run(_opened(url))
        try:
            yield Stage(machine_for(store, loop, told), told)
        finally:
            runner.run(store.link.close())


async def _opened(url: str) -> Store:
    return open_store(url)
