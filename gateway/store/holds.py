"""Results that are kept back, in the store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from gateway.core.quantity import HOUR
from gateway.core.subject import Subject
from gateway.ports.state import (
    DELIVERED_MS,
    HoldBeginOutcome,
    HoldRecord,
    ReleaseOutcome,
)
from gateway.store.keys import subject_id, subject_key
from gateway.store.transport.line import Argument, Command
from gateway.store.transport.link import Link
from gateway.store.transport.script import Script

UNCOMMITTED_MS = HOUR
"""How long a reservation and the chunks of a hold that was never committed stay."""

_BEGIN = Script.read("hold_begin")
_COMMIT = Script.read("hold_commit")
_ADOPT = Script.read("hold_adopt")
_DISCARD = Script.read("hold_discard")
_LIST = Script.read("hold_list")
_RELEASE = Script.read("hold_release")


class StoredHolds:
    """The port `Holds`."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def begin(
        self, subject: Subject, hold: str, max_count: int, max_total: int, now: int = 0, size: int = 0
    ) -> HoldBeginOutcome:
        """See the port. Paid holds count for no limit."""
        keys = [*_indexes(subject), _hold_key(subject, hold)]
        answer = await self._link.call(_BEGIN, keys, [now, hold, max_count, max_total, UNCOMMITTED_MS, size])
        return HoldBeginOutcome(answer.decode())

    async def append(self, subject: Subject, hold: str, number: int, chunk: bytes) -> None:
        """See the port."""
        # NX: a copy of this command that comes late must not give a committed chunk an hour to live.
        await self._link.ask(("SET", f"{_hold_key(subject, hold)}:{number}", chunk, "PX", UNCOMMITTED_MS, "NX"))

    async def commit(self, subject: Subject, record: HoldRecord, max_total: int, now: int = 0) -> HoldBeginOutcome:
        """See the port. LIMIT_REACHED also when a chunk is missing, because the result took over an hour to arrive."""
        key = _hold_key(subject, record.id)
        keys = [*_indexes(subject), key, *(f"{key}:{number}" for number in range(record.chunks - record.outside))]
        args: list[Argument] = [now, subject_id(subject), record.id, max_total, record.expires, record.size]
        args += [UNCOMMITTED_MS, record.outside]
        return HoldBeginOutcome((await self._link.call(_COMMIT, keys, [*args, *_write(record)])).decode())

    async def discard(self, subject: Subject, hold: str) -> bool:
        """See the port."""
        answer = await self._link.call(_DISCARD, [*_indexes(subject), _hold_key(subject, hold)], [hold])
        return bool(answer == b"discarded")

    async def move(self, source: Subject, target: Subject, record: HoldRecord, now: int = 0) -> None:
        """Give a hold to another subject, as it is. To be repeated after a failure; one that lost a chunk stays."""
        inside = range(record.chunks - record.outside)  # what is outside keeps its name, see `StoredStock.is_kept`
        for number in inside:
            chunk = await self.chunk(source, record.id, number)
            if chunk is None:
                return
            await self.append(target, record.id, number, chunk)
        key, moved = _hold_key(target, record.id), replace(record, owner=record.owner or source.key)
        keys = [*_indexes(target)[:2], key, *(f"{key}:{number}" for number in inside)]
        args: list[Argument] = [now, record.id, record.expires, int(record.paid), record.size, record.released]
        fields = [*_write(moved), "paid", int(record.paid), "released", record.released]
        if await self._link.call(_ADOPT, keys, [*args, *fields]) == b"adopted":
            await self._link.call(_DISCARD, [*_indexes(source), _hold_key(source, record.id)], [record.id, 1])

    async def get(self, subject: Subject, hold: str) -> HoldRecord | None:
        """See the port."""
        (fields,) = await self._link.ask(("HGETALL", _hold_key(subject, hold)))
        return read_hold(hold, fields) if fields else None

    async def all(self, subject: Subject) -> list[HoldRecord]:
        """See the port."""
        return await self._list(subject, "", 0)

    async def find(self, subject: Subject, fingerprint: str, not_before: int) -> HoldRecord | None:
        """See the port."""
        found = await self._list(subject, fingerprint, not_before)
        return found[0] if found else None

    async def chunk(self, subject: Subject, hold: str, number: int) -> bytes | None:
        """See the port."""
        key = _hold_key(subject, hold)
        committed, chunk = await self._link.ask(("EXISTS", key), ("GET", f"{key}:{number}"))
        return chunk if committed and isinstance(chunk, bytes) else None

    async def sizes(self, subject: Subject, hold: str, chunks: int) -> list[int]:
        """See the port."""
        key = _hold_key(subject, hold)
        return await self._link.ask(*(_length(f"{key}:{number}") for number in range(chunks))) if chunks else []

    async def release(self, subject: Subject, hold: str, credits: bool = True, now: int = 0) -> ReleaseOutcome:
        """See the port. What was released once stays released, also when the period is over by then."""
        key = subject_key(subject)
        answer = await self._link.call(
            _RELEASE,
            [key, f"{key}:holds", _hold_key(subject, hold), f"{key}:ledger"],
            [now, hold, DELIVERED_MS, int(credits)],
        )
        return ReleaseOutcome(answer.decode())

    async def _list(self, subject: Subject, fingerprint: str, not_before: int) -> list[HoldRecord]:
        key = subject_key(subject)
        answer = await self._link.call(_LIST, [key, f"{key}:holds"], [0, fingerprint, not_before])
        found = [read_hold(hold.decode(), _pairs(fields)) for hold, fields in answer]
        return sorted(found, key=lambda hold: hold.created, reverse=True)


def read_hold(hold: str, fields: Mapping[bytes, bytes]) -> HoldRecord:
    """A hold out of its hash."""

    def text(name: bytes) -> str:
        return fields[name].decode("utf-8", "surrogatepass")

    return HoldRecord(
        id=hold,
        route=text(b"route"),
        created=int(fields[b"created"]),
        expires=int(fields[b"expires"]),
        size=int(fields[b"size"]),
        chunks=int(fields[b"chunks"]),
        status=int(fields[b"status"]),
        media_type=text(b"media_type"),
        filename=text(b"filename"),
        teaser=fields[b"teaser"],
        fingerprint=text(b"fingerprint"),
        sealed_head=fields[b"sealed_head"],
        paid=fields[b"paid"] == b"1",
        released=int(fields[b"released"]),
        owner=fields.get(b"owner", b"").decode(),
        # What a version before did not write.
        outside=int(fields.get(b"outside", b"0")),
        outside_at=fields.get(b"outside_at", b"").decode(),
        sealed_with=fields.get(b"sealed_with", b"").decode(),
        salt=fields.get(b"salt", b""),
    )


def _write(record: HoldRecord) -> Iterable[Argument]:
    for name in HoldRecord.__dataclass_fields__:
        if name not in ("id", "paid", "released") and (name != "owner" or record.owner):
            yield name
            yield getattr(record, name)
    # A hold begins unpaid and unreleased, whatever the record says: only the verbs change that.
    yield from ("paid", "0", "released", "0")


def _length(key: str) -> Command:
    return ("STRLEN", key)


def _pairs(flat: list[bytes]) -> dict[bytes, bytes]:
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _hold_key(subject: Subject, hold: str) -> str:
    return f"{subject_key(subject)}:hold:{hold}"


def _indexes(subject: Subject) -> tuple[str, str, str]:
    key = subject_key(subject)
    return key, f"{key}:holds", f"{key}:reserved"
