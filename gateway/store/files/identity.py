"""Which store this is, so that what waits on disk for one is not given to another.

The store keeps a name of its own, made by whoever asks first. It goes where its data go: to a replica that takes over,
and into a backup. One that was emptied is another store: it knows nothing any more of what was taken in the old one.
Its address would not do: the same store has several, and the same address may lead to another store tomorrow.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets

from gateway.ports.state import StoreUnavailable
from gateway.store.keys import STORE_NAME
from gateway.store.transport.link import Link

_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0


class Identity:
    """Asks the store for its name, once it answers."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._digest = ""

    async def known(self) -> str:
        """A digest of the name, 16 letters and digits; waits for the store, for as long as it takes."""
        pause = _FIRST_PAUSE
        while not self._digest:
            try:
                name = await self._asked()
            except StoreUnavailable:
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
                continue
            self._digest = hashlib.sha256(name).hexdigest()[:16]
        return self._digest

    async def _asked(self) -> bytes:
        (name,) = await self._link.ask(("GET", STORE_NAME))  # which a store whose memory is full answers, too
        if name is None:
            ours = secrets.token_hex(16).encode()
            (name,) = await self._link.ask(("SET", STORE_NAME, ours, "NX", "GET"))
            name = name or ours
        return bytes(name)
