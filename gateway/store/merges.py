"""Merging one subject into another, in the store.

The two may be on two servers, so no script sees both. What one has goes into a parcel by one script, into the other by
another, and the parcel is taken away when all of it has arrived. Each step may be repeated; whoever finds a parcel that
was left behind delivers it.
"""

from __future__ import annotations

import json
from typing import Any

from gateway.core.subject import Subject
from gateway.ports.operations import MergeOutcome
from gateway.store.durability import Durability
from gateway.store.holds import StoredHolds
from gateway.store.keys import key_of, subject_id
from gateway.store.transport.line import Argument
from gateway.store.transport.link import Link
from gateway.store.transport.script import Script

_BEGIN = Script.read("merge_begin")
_ABSORB = Script.read("merge_absorb")
_END = Script.read("merge_end")

LONGEST_WAY = 8
"""Merges that are followed one after the other: a person into an account, that into another one …"""


class Merges:
    """Merges subjects, and knows where a merged one leads."""

    def __init__(self, link: Link, durability: Durability, holds: StoredHolds) -> None:
        self._link, self._durability, self._holds = link, durability, holds

    async def merge(self, source: Subject, target: Subject, now: int = 0) -> MergeOutcome:
        """See `Operations.merge`."""
        if source.key == target.key:
            raise ValueError(f"{source} can't be merged into itself")
        if await self.onward(target.key) is not None:
            return MergeOutcome.TARGET_MERGED
        return await self._merge(source.key, target.key, [now, subject_id(source), target.key, subject_id(target)], now)

    async def follow(self, key: str, into: str, passed: frozenset[str] = frozenset()) -> None:
        """Bring what the subject with this key was given since it was merged to where it was merged into, and from
        there on to wherever that leads, but to none that it has `passed`: two may have been merged into each other."""
        ids = [(await self._link.ask(("HGET", key_of(each), "id")))[0] or b"" for each in (key, into)]
        await self._merge(key, into, [0, ids[0], into, ids[1]], 0, passed)

    async def _merge(
        self, source: str, target: str, args: list[Argument], now: int, passed: frozenset[str] = frozenset()
    ) -> MergeOutcome:
        key = key_of(source)
        keys = [
            key,
            *(f"{key}:{name}" for name in ("marks", "ledger", "holds", "checkouts", "note", "parcel", "subscriptions")),
        ]
        outcome, parcel = await self._durability.call(_BEGIN, keys, args)
        if parcel:
            await self._deliver(target, parcel, now, passed)
        return _OUTCOMES[outcome]

    async def onward(self, key: str) -> str | None:
        """The key of the subject that the one with this key was merged into."""
        (into,) = await self._link.ask(("HGET", key_of(key), "mi"))
        return into.decode() if into else None

    async def complete(self, key: str, now: int = 0) -> None:
        """Deliver what was left behind of a merge of the subject with this key."""
        parcel, into = await self._link.ask(("GET", f"{key_of(key)}:parcel"), ("HGET", key_of(key), "mi"))
        if parcel and into:
            await self._deliver(into.decode(), parcel, now)

    async def leads(self, key: str, to: str) -> bool:
        """Whether what was the subject's with this key is that other one's now; all of it has arrived then."""
        for _ in range(LONGEST_WAY):
            into = await self.onward(key)
            if into is None:
                return False
            await self.complete(key)
            if into == to:
                return True
            key = into
        return False

    async def _deliver(self, target: str, parcel: bytes, now: int, passed: frozenset[str] = frozenset()) -> None:
        read: dict[str, Any] = json.loads(parcel.decode("utf-8", "surrogatepass"))
        key = key_of(target)
        names = ("marks", "ledger", "checkouts", "note", "subscriptions")
        whose = read["id"].encode("utf-8", "surrogatepass")
        await self._durability.call(_ABSORB, [key, *(f"{key}:{name}" for name in names)], [now, whose, parcel])
        if read["from_id"] and read["id"]:
            source = Subject.parse(read["from_id"])
            for hold in await self._holds.all(source):
                await self._holds.move(source, Subject.parse(read["id"]), hold, now)
        passed |= {read["from"]}
        onward = await self.onward(target)
        if onward is not None and onward not in passed and len(passed) < LONGEST_WAY:
            # It was merged, too, meanwhile. Before the parcel is taken away, so that this is begun again if cut off.
            await self.follow(target, onward, passed)
        from_key = key_of(read["from"])
        await self._link.call(_END, [from_key, f"{from_key}:parcel"], [read["number"]])


_OUTCOMES = {
    b"begun": MergeOutcome.MERGED,
    b"pending": MergeOutcome.MERGED,
    b"nothing-new": MergeOutcome.NOTHING_NEW,
    b"another": MergeOutcome.ANOTHER,
    b"unknown": MergeOutcome.UNKNOWN,
}
