"""The journal of this process, and what others left in theirs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

from gateway.access.returns import Returns
from gateway.ports.journal import NOWHERE, Withdrawal
from gateway.store.files.identity import Identity
from gateway.store.files.journal import Estate, FileJournal, estates, strange_estates
from gateway.web.runtime import Background

_WHY = "the gateway ended in the midst of it"


class Withdrawals:
    """The port `Journal`, once opened. It is no sooner, since a process may be forked before it starts to serve."""

    def __init__(self, folder: Path, log: Callable[[str], None]) -> None:
        self._folder, self._log = folder, log
        self._journal: FileJournal | None = None
        self._looks: asyncio.Task[None] | None = None

    def note(self, withdrawal: Withdrawal) -> int:
        """See the port."""
        return self._journal.note(withdrawal) if self._journal is not None else NOWHERE

    def cross_out(self, place: int) -> None:
        """See the port."""
        if self._journal is not None:
            self._journal.cross_out(place)

    def open(self, returns: Returns, background: Background, identity: Identity) -> None:
        """Begin to write, and give back, in the background, what processes had taken that have ended."""
        try:
            self._journal = FileJournal(self._folder)
        except OSError as error:
            self._log(
                f"{self._folder} can't be written ({error.strerror}): a result that is taken when this process is "
                "killed is not given back"
            )
        self._looks = asyncio.create_task(self._look(returns, background, identity))

    async def _look(self, returns: Returns, background: Background, identity: Identity) -> None:
        """As soon as the store has said which it is: what was taken in another one can't be given back there."""
        store = await identity.known()
        if self._journal is not None:
            with contextlib.suppress(OSError):  # whoever finds it asks the store that it has, then
                self._journal.assign(store)
        for estate in estates(self._folder, store):
            background.run(self._settle(estate, returns))
        strange = strange_estates(self._folder, store)
        if strange:
            self._log(
                f"what was taken in another store by {len(strange)} process(es) that ended is not given back: run a "
                f"gateway with that store in this data folder, or remove {', '.join(strange)} from {self._folder}"
            )

    async def stop_looking(self) -> None:
        """What was not looked for yet is left to whoever starts next."""
        if self._looks is not None:
            self._looks.cancel()
            await asyncio.gather(self._looks, return_exceptions=True)

    async def _settle(self, estate: Estate, returns: Returns) -> None:
        settled = False
        try:
            for place, withdrawal in estate.withdrawals():
                await returns.give_back(withdrawal, _WHY)
                estate.cross_out(place)
            settled = True
        finally:
            estate.close(settled=settled)

    def close(self) -> None:
        """What is under way still is left to whoever starts next."""
        if self._journal is not None:
            self._journal.close()
            self._journal = None
