"""Ask providers about checkouts that nobody has reported, as long as the gateway runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from gateway.payments.reconcile import Finding, Looked, Reconciler
from gateway.ports.state import StoreUnavailable

_EVERY_SECONDS = 30.0
_AT_A_TIME = 20


class Reconciling:
    """Asks about those that are due, some at a time; what one process has taken, no other takes."""

    def __init__(self, log: Callable[[str], None]) -> None:
        self._log = log
        self._task: asyncio.Task[None] | None = None

    def start(self, reconciler: Callable[[], Reconciler | None]) -> None:
        """Begin, with what `reconciler` answers at each time."""
        self._task = asyncio.create_task(self._go_on(reconciler))

    async def stop(self) -> None:
        """End, in the midst of it too: whoever comes later asks again."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None

    async def _go_on(self, reconciler: Callable[[], Reconciler | None]) -> None:
        while True:
            await asyncio.sleep(_EVERY_SECONDS)
            current = reconciler()
            if current is not None:
                await self.run_due(current)

    async def run_due(self, reconciler: Reconciler) -> None:
        """Ask about those that are due. Never raises; says what an operator should know."""
        try:
            looked = await reconciler.run_due(_AT_A_TIME)
        except StoreUnavailable:
            return  # it is told of elsewhere, and they are due again in a while
        except Exception as error:  # whatever a plugin raises, the next turn comes
            self._log(f"payments: providers could not be asked: {type(error).__name__}: {error}")
            return
        for each in looked:
            self._tell(each)

    def _tell(self, looked: Looked) -> None:
        if looked.finding is Finding.PAID:
            self._log(f"payments: checkout {looked.checkout} was paid; {looked.provider} had not reported it")
        elif looked.finding is Finding.NO_PROVIDER:
            self._log(
                f"payments: nobody can say whether checkout {looked.checkout} was paid: the config has no provider "
                f"{looked.provider!r} any more; put it back until its checkouts are over"
            )
        elif looked.why:
            self._log(f"payments: {looked.provider} can't say what became of checkout {looked.checkout}: {looked.why}")
