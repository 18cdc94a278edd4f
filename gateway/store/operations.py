"""What an operator does to one subject, in the store."""

from __future__ import annotations

import json
from typing import Any

from gateway.core.money import Money
from gateway.core.standing import SubjectState
from gateway.core.subject import Subject
from gateway.ports.cashbook import CheckoutRecord
from gateway.ports.operations import EraseOutcome, MergeOutcome
from gateway.ports.state import HoldRecord
from gateway.store.durability import Durability
from gateway.store.holds import read_hold
from gateway.store.keys import key_of, payment_claim, subject_id, subject_key
from gateway.store.merges import Merges
from gateway.store.payments import OF_A_PAYMENT, read_checkout, read_entry
from gateway.store.subjects import read_state
from gateway.store.transport.line import Argument, Command
from gateway.store.transport.link import Link
from gateway.store.transport.script import Script

_EXPIRE = Script.read("expire")
_EXTEND = Script.read("extend")
_GRANT = Script.read("grant")
_ERASE = Script.read("erase")
_DISOWN_PAYMENT = Script.read("disown_payment")

_NUMBERS = {
    b"ts": "trial_started",
    b"te": "trial_ends",
    b"eu": "entitled_until",
    b"cr": "credits",
    b"we": "window_ends",
    b"wl": "window_left",
    b"da": "declined_at",
    b"st": "settled",
    b"ea": "erased_at",
}
"""The subject's fields as `SubjectState` calls them, and when it was erased."""

_PARTS = ("marks", "ledger", "holds", "reserved", "checkouts", "spent", "void", "note", "parcel", "subscriptions")
"""The keys of a subject that an erasure goes through, besides those that are found in them."""


class StoredOperations:
    """The port `Operations`. States come without a count of grace results, which only a route can ask for."""

    def __init__(self, link: Link, durability: Durability, merges: Merges) -> None:
        self._link = link
        self._durability = durability
        self._merges = merges

    async def expire(self, subject: Subject, now: int = 0) -> SubjectState:
        """See the port."""
        key = subject_key(subject)
        return read_state(await self._link.call(_EXPIRE, [key, f"{key}:holds"], [now, subject_id(subject)]))

    async def extend(self, subject: Subject, operation: str, by_ms: int, now: int = 0) -> SubjectState:
        """See the port."""
        key = subject_key(subject)
        keys = [key, f"{key}:holds", f"{key}:ledger", f"{key}:marks"]
        return read_state(await self._durability.call(_EXTEND, keys, [now, subject_id(subject), operation, by_ms]))

    async def grant(
        self, subject: Subject, operation: str, period_ms: int = 0, results: int = 0, now: int = 0
    ) -> SubjectState:
        """See the port."""
        key = subject_key(subject)
        keys = [key, f"{key}:holds", f"{key}:ledger", f"{key}:marks"]
        args: list[Argument] = [now, subject_id(subject), operation, period_ms, results]
        return read_state(await self._durability.call(_GRANT, keys, args))

    async def merge(self, source: Subject, target: Subject, now: int = 0) -> MergeOutcome:
        """See the port."""
        return await self._merges.merge(source, target, now)

    async def export(self, subject: Subject) -> dict[str, object]:
        """See the port. Results themselves and their heads are encrypted and stay out; what is known of them is in."""
        return await self._export(subject.key, str(subject), {subject.key})

    async def _export(self, name: str, who: str, told: set[str]) -> dict[str, object]:
        key = key_of(name)
        found = await self._link.ask(*_all_of(key))
        fields, marks, ledger, note, spent, void, holds, reserved, checkouts, had, renewing, parcel = found
        entries = [read_entry(entry) for entry in ledger]
        scopes = [name[2:].decode() for name in fields if name.startswith(b"g:")]
        kept = await self._hashes(f"{key}:hold:", [member.split(b":", 2)[2].decode() for member in holds])
        opened = await self._hashes(f"{key}:checkout:", [member.decode() for member in checkouts])
        return {
            "subject": who or _text(fields.get(b"id", b"")) or name,
            **{name: int(fields.get(field, 0)) for field, name in _NUMBERS.items()},
            "decline_reason": _text(fields.get(b"dr", b"")),
            "decline_note": _text(note or b""),
            "grace": await self._purses(key, scopes),
            "spent": _instants(spent),
            "void": _instants(void),
            "holds": [_described(read_hold(hold, found)) for hold, found in kept.items()],
            "had_trial": bool(had or b"ts" in fields),
            "merged_into": fields.get(b"mi", b"").decode(),
            "holds_begun": _instants(reserved),
            "checkouts": [_plain(read_checkout(found)) for found in opened.values()],
            "wallet": {name[3:].decode(): int(held) for name, held in fields.items() if name.startswith(b"wa:")},
            "subscriptions": {_text(name): json.loads(text) for name, text in renewing.items()},
            "marks": {_text(name): int(number) for name, number in marks.items()},
            "ledger": entries,
            "on_its_way": json.loads(parcel.decode("utf-8", "surrogatepass")) if parcel else None,
            "merged": await self._export_merged(entries, told),
        }

    async def _export_merged(self, entries: list[dict[str, object]], told: set[str]) -> list[dict[str, object]]:
        """The same of those who were merged into the subject with this ledger, each once: they are the same one."""
        found = dict.fromkeys(str(entry["from"]) for entry in entries if entry["kind"] == "merge")
        new = [name for name in found if name not in told]
        told.update(new)
        return [await self._export(name, "", told) for name in new]

    async def erase(self, subject: Subject, ledger: bool = False, now: int = 0) -> EraseOutcome:
        """See the port."""
        await self._merges.complete(subject.key)  # what is another's by now must arrive there
        return await self._erase(subject.key, ledger, now, set())

    async def _erase(self, name: str, ledger: bool, now: int, done: set[str]) -> EraseOutcome:
        """Erase the subject with this key; before it, those that were merged into it, for they are the same one."""
        key = key_of(name)
        done.add(name)
        keys = [key, *(f"{key}:{part}" for part in _PARTS)]
        while True:
            seen = await self._erase_before(key, ledger, now, done)
            answer = await self._durability.call(_ERASE, keys, [now, int(ledger), seen])
            if answer != b"changed":  # by a payment or a merge that came in between
                return EraseOutcome(answer.decode())

    async def _erase_before(self, key: str, ledger: bool, now: int, done: set[str]) -> int:
        """What must be gone before this one is. Gives how many entries its ledger has."""
        (entries,) = await self._link.ask(("LRANGE", f"{key}:ledger", 0, -1))
        for entry in map(read_entry, entries):
            if entry["kind"] == "merge" and entry["from"] not in done:
                await self._erase(str(entry["from"]), ledger, now, done)
            if entry["kind"] in OF_A_PAYMENT and ledger:
                # First, as it outlives the ledger: cut off in between, all of it can be repeated.
                bucket, digest = payment_claim(*(str(entry[part]) for part in ("provider", "payment", "event")))
                await self._link.call(_DISOWN_PAYMENT, [bucket], [digest])
        return len(entries)

    async def _purses(self, key: str, scopes: list[str]) -> dict[str, object]:
        if not scopes:
            return {}
        purses = await self._link.ask(*(("ZRANGE", f"{key}:grace:{scope}", 0, -1, "WITHSCORES") for scope in scopes))
        return {scope: _instants(purse) for scope, purse in zip(scopes, purses, strict=True)}

    async def _hashes(self, prefix: str, ids: list[str]) -> dict[str, dict[bytes, bytes]]:
        """The hashes of these ids; without those whose time has come."""
        if not ids:
            return {}
        hashes = await self._link.ask(*(("HGETALL", prefix + each) for each in ids))
        return {each: fields for each, fields in zip(ids, hashes, strict=True) if fields}


def _all_of(key: str) -> tuple[Command, ...]:
    """What asks for all of a subject that stands under names that are known beforehand."""
    return (
        ("HGETALL", key),
        ("HGETALL", f"{key}:marks"),
        ("LRANGE", f"{key}:ledger", 0, -1),
        ("GET", f"{key}:note"),
        ("ZRANGE", f"{key}:spent", 0, -1, "WITHSCORES"),
        ("ZRANGE", f"{key}:void", 0, -1, "WITHSCORES"),
        ("ZRANGE", f"{key}:holds", 0, -1),
        ("ZRANGE", f"{key}:reserved", 0, -1, "WITHSCORES"),
        ("ZRANGE", f"{key}:checkouts", 0, -1),
        ("EXISTS", f"{key}:had"),
        ("HGETALL", f"{key}:subscriptions"),
        ("GET", f"{key}:parcel"),
    )


def _described(hold: HoldRecord) -> dict[str, object]:
    """A hold without what is encrypted, or stands for its content."""
    return {**_plain(hold), "teaser": _text(hold.teaser), "sealed_head": None, "salt": None}


def _plain(record: HoldRecord | CheckoutRecord) -> dict[str, object]:
    return {
        name: {"minor": value.minor, "currency": value.currency} if isinstance(value, Money) else value
        for name in record.__dataclass_fields__
        for value in (getattr(record, name),)
    }


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _instants(members: list[Any]) -> dict[str, int]:
    return {_text(member): int(score) for member, score in members}
