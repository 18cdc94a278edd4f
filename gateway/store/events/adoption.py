"""Events that processes left behind when they ended: whoever finds them sends them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

from gateway.store.events.delivery import Delivery
from gateway.store.events.spool import Spool
from gateway.store.files.identity import Identity
from gateway.store.files.owned_file import is_for
from gateway.store.transport.link import Link

_NAME = re.compile(r"[0-9a-f]{12}(\.[0-9a-f]{16})?\.log")
_LOOK_SECONDS = 60.0


class Adoption:
    """Looks for spools whose process has ended and sends what is in them under that process's name.

    Of several processes that look, one gets each. What waits for another store stays where it is.
    """

    def __init__(
        self,
        link: Link,
        identity: Identity,
        folder: Path,
        log: Callable[[str], None],
        count_lost: Callable[[int], None],
    ) -> None:
        self._link, self._identity, self._folder = link, identity, folder
        self._log, self._count_lost = log, count_lost
        self._spool: Spool | None = None
        self._told = ""
        self._strange: set[str] = set()
        """Spools for other stores that were told of."""

    @property
    def size(self) -> int:
        """Bytes of the spool that is being sent."""
        return self._spool.size if self._spool is not None else 0

    async def run(self) -> None:
        """Look as soon as the store has said which it is, and from time to time, until cancelled. What was not sent by
        then is left for another process."""
        store = await self._identity.known()
        while True:
            try:
                found = [path for path in sorted(self._folder.glob("*.log")) if _NAME.fullmatch(path.name)]
                for path in found:
                    if is_for(path, store):
                        await self._take(path)
                self._tell_of_strange([path for path in found if not is_for(path, store)])
                self._told = ""
            except Exception as error:  # whatever it is: the next look may find it mended
                if str(error) != self._told:
                    self._told = str(error)
                    self._log(f"events: what was left in {self._folder} can't be sent ({error!r})")
            await asyncio.sleep(_LOOK_SECONDS)

    def _tell_of_strange(self, paths: list[Path]) -> None:
        waiting = {path.name: size for path in paths if path.name not in self._strange and (size := _left_in(path))}
        if waiting:
            self._strange |= waiting.keys()
            self._log(
                f"events: {sum(waiting.values())} bytes in {self._folder} wait for another store and are left alone: "
                "run a gateway with that store in this data folder to have them sent, or remove "
                + ", ".join(sorted(waiting))
            )

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


def _left_in(path: Path) -> int:
    """Bytes that wait in a spool whose process has ended; an empty one is removed."""
    spool = Spool.adopt(path)
    if spool is None:
        return 0
    size = spool.size
    spool.close()
    return size
