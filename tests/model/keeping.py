"""What is promised of results that are kept back."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from gateway.core.quantity import HOUR
from gateway.ports.state import HoldBeginOutcome, HoldRecord

UNCOMMITTED_MS = HOUR
Room = HoldBeginOutcome


@dataclass
class Keeping:
    """The holds of one subject, what of them has arrived, and room that is reserved."""

    held: dict[str, HoldRecord] = field(default_factory=dict)
    chunks: dict[tuple[str, int], int] = field(default_factory=dict)
    """Chunks of holds that are not committed, and when they vanish."""
    reserved: dict[str, int] = field(default_factory=dict)
    room: dict[str, int] = field(default_factory=dict)
    """How many bytes each reservation is for."""

    def pass_time(self, now: int) -> None:
        """Forget what has ended by this instant."""
        self.held = {hold: record for hold, record in self.held.items() if record.expires > now}
        self.chunks = {chunk: ends for chunk, ends in self.chunks.items() if ends > now}
        self.reserved = {hold: at for hold, at in self.reserved.items() if at > now - UNCOMMITTED_MS}

    def unpaid(self) -> list[HoldRecord]:
        """Those that count for the limits, newest first."""
        return [record for record in self.newest_first() if not record.paid]

    def newest_first(self) -> list[HoldRecord]:
        """All of them."""
        return sorted(self.held.values(), key=lambda record: record.created, reverse=True)

    def begin(self, hold: str, max_count: int, max_total: int, now: int, size: int = 0) -> HoldBeginOutcome:
        """Reserve room, or more of it."""
        if hold in self.held or (hold in self.reserved and size <= self.room[hold]):
            return Room.RESERVED
        unpaid, others = self.unpaid(), self.reserved.keys() - {hold}
        taken = sum(each.size for each in unpaid) + sum(self.room[each] for each in others)
        if len(unpaid) + len(others) >= max_count or taken + max(size, 1) > max_total:
            return Room.LIMIT_REACHED
        self.reserved.setdefault(hold, now)
        self.room[hold] = size
        return Room.RESERVED

    def append(self, hold: str, number: int, now: int) -> None:
        """Store a chunk; one that is there already stays as it is."""
        if hold not in self.held or number >= self.held[hold].chunks:
            self.chunks.setdefault((hold, number), now + UNCOMMITTED_MS)

    def commit(self, record: HoldRecord, max_total: int) -> HoldBeginOutcome:
        """Make it visible whole, or drop it."""
        if record.id in self.held:
            return Room.RESERVED
        is_whole = all((record.id, number) in self.chunks for number in range(record.chunks))
        if not is_whole or sum(each.size for each in self.unpaid()) + record.size > max_total:
            self._forget(record.id)
            return Room.LIMIT_REACHED
        self._forget(record.id)
        self.held[record.id] = record
        return Room.RESERVED

    def discard(self, hold: str) -> None:
        """Forget it, unless it is paid."""
        if not (hold in self.held and self.held[hold].paid):
            self.held.pop(hold, None)
            self._forget(hold)

    def pay(self, hold: str, until: int) -> None:
        """It is the subject's from now on."""
        self.held[hold] = replace(self.held[hold], paid=True, expires=until)

    def unpay(self, hold: str, until: int) -> bool:
        """Its money went back; whether it was still there to be taken back."""
        record = self.held.get(hold)
        is_back = record is not None and record.paid and not record.released
        if record is not None and is_back:
            self.held[hold] = replace(record, paid=False, expires=until)
        return is_back

    def keep_until(self, hold: str, until: int) -> None:
        """Somebody set out to pay for it: it does not expire before this instant."""
        record = self.held.get(hold)
        if record is not None and not record.paid:
            self.held[hold] = replace(record, expires=max(record.expires, until))

    def _forget(self, hold: str) -> None:
        self.reserved.pop(hold, None)
        number = 0
        # Chunks behind one that has vanished are promised to vanish themselves, and no more than that.
        while self.chunks.pop((hold, number), None) is not None:
            number += 1
