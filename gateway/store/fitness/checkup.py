"""Examines the server while the gateway runs, so that what is wrong with it is known before a payment needs it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable

from gateway.core.finding import Finding, Gravity, Matter
from gateway.ports.state import StoreUnavailable
from gateway.store.fitness.examination import examine
from gateway.store.fitness.findings import findings
from gateway.store.schema import SchemaTooNew, agree_on_schema
from gateway.store.transport.link import Link

EVERY_SECONDS = 60.0
"""How long what was mended, or broke, may go unnoticed."""
_AGAIN_SECONDS = 1.0
"""While the server is away or still loads."""


class Checkup:
    """Tells an operator of every trouble once, and again when it has been away."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._troubles: tuple[Finding, ...] = ()
        self._too_new: tuple[Finding, ...] = ()
        # While started.
        self._task: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()

    def start(self, tell: Callable[[str], None]) -> None:
        """Begin. The first examination comes as soon as the server answers; nothing waits for it."""
        self._stopping.clear()
        self._task = asyncio.get_running_loop().create_task(self._go_round(tell), name="checkup")

    async def stop(self) -> None:
        """End with the question that is under way. Never raises."""
        self._stopping.set()
        if self._task is not None:
            await asyncio.wait([self._task])
            self._task = None

    def warnings(self) -> list[str]:
        """What was wrong when the server was last examined."""
        return [str(each) for each in self._troubles]

    async def _go_round(self, tell: Callable[[str], None]) -> None:
        while not self._stopping.is_set():
            now = time.time_ns() // 1_000_000
            found = [each for one in await examine(self._link) for each in findings(one, now)]
            answers = not any(each.matter is Matter.STORE for each in found)
            if answers:  # that it is away, or still loads, is told by whoever needs it
                await self._look_at_schema()
                self._take([*self._too_new, *found], tell)
            try:
                await asyncio.wait_for(self._stopping.wait(), EVERY_SECONDS if answers else _AGAIN_SECONDS)
            except TimeoutError:
                continue

    async def _look_at_schema(self) -> None:
        """Not at the start alone: the store may have been away then, and a newer gateway may come at any time."""
        try:
            await agree_on_schema(self._link)
        except SchemaTooNew as error:
            self._too_new = (error.finding,)
        except StoreUnavailable:
            return

    def _take(self, found: Iterable[Finding], tell: Callable[[str], None]) -> None:
        known = {(each.place, each.matter, each.gravity) for each in self._troubles}
        self._troubles = tuple(each for each in found if each.is_trouble)
        for each in self._troubles:
            # Numbers in a text change all the time: it is the same trouble all the same.
            if (each.place, each.matter, each.gravity) not in known:
                tell(f"{'FAULT' if each.gravity is Gravity.FAULT else 'warning'}: {each}")
