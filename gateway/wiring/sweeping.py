"""Sweep the storage of large held results, at a modest pace, by one process at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from gateway.access.sweep import NotSwept, Sweeper
from gateway.core.quantity import HOUR
from gateway.ports.state import StoreUnavailable
from gateway.ports.storage import Stock, Storage

EVERY_MS = 6 * HOUR
_ASK_SECONDS = 600.0
_FIRST_SECONDS = 60.0


class Sweeping:
    """Sweeps the storage of the config in force, as long as the gateway runs."""

    def __init__(self, stock: Stock, now: Callable[[], int], log: Callable[[str], None]) -> None:
        self._stock, self._now, self._log = stock, now, log
        self._task: asyncio.Task[None] | None = None

    def start(self, storage: Callable[[], Storage | None]) -> None:
        """Begin, with what `storage` answers at each time."""
        self._task = asyncio.create_task(self._go_on(storage))

    async def stop(self) -> None:
        """End, in the midst of it too."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None

    async def _go_on(self, storage: Callable[[], Storage | None]) -> None:
        await asyncio.sleep(_FIRST_SECONDS)
        while True:
            current = storage()
            if current is not None:
                await self.sweep_in_turn(current)
            await asyncio.sleep(_ASK_SECONDS)

    async def sweep_in_turn(self, storage: Storage) -> None:
        """Sweep, if nobody has within six hours. Never raises; says what an operator should know."""
        try:
            if not await self._stock.turn(EVERY_MS):
                return
            swept = await Sweeper(storage, self._stock, self._now).sweep()
        except NotSwept as error:
            self._log(f"{error}: see `paywall holds sweep`")
        except StoreUnavailable as error:
            self._log(f"the storage of held results could not be swept: {error}")
        except Exception as error:  # whatever a plugin raises, the next turn comes
            self._log(f"the storage of held results could not be swept: {type(error).__name__}: {error}")
        else:
            if swept.removed:
                self._log(
                    f"swept the storage of held results: {swept.removed} of {swept.looked_at} removed, "
                    f"{swept.bytes_removed} bytes"
                )
