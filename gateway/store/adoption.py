"""Events that processes left behind when they ended: whoever finds them sends them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

from gateway.store.delivery import Delivery
from gateway.store.link import Link
from gateway.store.spool import Spool

_NAME = re.compile(r"[0-9a-f]{12}\.log")
_LOOK_SECONDS = 60.0


class Adoption:
    """Looks for spools whose process has ended and sends what is in them under that process's name.

    Of several processes that look, one gets each.
    """

    def __init__(self, link: Link, folder: Path, log: Callable[[str], None], count_lost: Callable[[int], None]) -> None:
        self._link, self._folder, self._log, self._count_lost = link, folder, log, count_lost
        self._spool: Spool | None = None
        self._told = ""

    @property
    def size(self) -> int:
        """Bytes of the spool that is being sent."""
        return self._spool.size if self._spool is not None else 0

    async def run(self) -> None:
        """Look now and from time to time, until cancelled. What was not sent by then is left for another process."""
        while True:
            try:
                for path in sorted(self._folder.glob("*.log")):
                    if _NAME.fullmatch(path.name):
                        await self._take(path)
                self._told = ""
            except Exception as error:  # whatever it is: the next look may find it mended
                if str(error) != self._told:
                    self._told = str(error)
                    self._log(f"events: what was left in {self._folder} can't be sent ({error!r})")
            await asyncio.sleep(_LOOK_SECONDS)

    async def _take(self, path: Path) -> None:
        self._spool = Spool.adopt(path)
        if self._spool is None:
            return
        try:
            if self._spool.size:
                self._log(f"events: sending {self._spool.size} bytes that a process left behind when it ended")
            delivery = Delivery(self._link, self._spool.writer, self._spool, self._log)
            await delivery.send_all()
            self._count_lost(delivery.lost)
        finally:
            self._spool.close()
            self._spool = None
