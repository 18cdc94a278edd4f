"""Everybody's balances and ledger, read for an audit."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from typing import Any

from gateway.core.quantity import MINUTE
from gateway.ports.books import Book
from gateway.store.keys import key_of, payment_claim
from gateway.store.merges import Merges
from gateway.store.payments import read_entry
from gateway.store.transport.link import Link
from gateway.store.transport.node import Node
from gateway.store.transport.script import Script

_READ_BOOKS = Script.read("read_books")
_OF_A_SUBJECT = re.compile(rb"pw:\{([\w-]{22})\}(?::ledger|:marks)?")
_AT_A_TIME = 200
_AT_ONCE = 6
"""One ledger may be long, so each is read with time for it; some connections are left for others."""
_SCANNED = 1_000
ON_THE_WAY_MS = MINUTE
"""Longer than any merge that is under way takes."""


class StoredBooks:
    """The port `Books`."""

    def __init__(self, link: Link, merges: Merges) -> None:
        self._link = link
        self._merges = merges
        self._few = asyncio.Semaphore(_AT_ONCE)

    async def read(self) -> AsyncIterator[list[Book]]:
        """See the port."""
        for node in await self._link.look():
            async for keys in _keys(node):
                for first in range(0, len(keys), _AT_A_TIME):
                    some = keys[first : first + _AT_A_TIME]
                    yield list(await asyncio.gather(*map(self._book, some)))

    async def _book(self, key: str) -> Book:
        prefix = key_of(key)
        keys = [prefix, *(f"{prefix}:{part}" for part in ("marks", "ledger", "parcel"))]
        async with self._few:
            counted, flat, raw, is_sending, now = await self._link.call_at_length(_READ_BOOKS, keys, [0])
        entries = tuple(read_entry(entry) for entry in raw)
        marks = {
            mark.decode("utf-8", "replace"): int(number) for mark, number in zip(flat[::2], flat[1::2], strict=True)
        }
        fields = dict(zip(counted[::2], counted[1::2], strict=True))
        subject = fields.get(b"id")
        return Book(
            subject=subject.decode("utf-8", "replace") if subject else key,
            entitled_until=int(fields.get(b"eu", 0)),
            credits=int(fields.get(b"cr", 0)),
            settled=int(fields.get(b"st", 0)),
            subscribed_until=int(fields.get(b"su", 0)),
            wallets={name[3:].decode(): int(held) for name, held in fields.items() if name.startswith(b"wa:")},
            entries=entries,
            faults=(
                *_wrong_marks(entries, marks),
                *await self._wrong_claims(key, entries),
                *(_left_on_the_way(entries, now) if is_sending else ()),
            ),
        )

    async def _wrong_claims(self, key: str, entries: Iterable[dict[str, Any]]) -> list[str]:
        found = []
        for entry in entries:
            if entry.get("kind") in ("payment", "surplus", "refunded"):
                bucket, digest = payment_claim(entry["provider"], entry["payment"], entry["event"])
                (owner,) = await self._link.ask(("HGET", bucket, digest))
                if owner != key.encode() and not (owner and await self._merges.leads(owner.decode(), key)):
                    whose = (
                        "nobody" if owner is None else f"the subject with the key {owner.decode('ascii', 'replace')}"
                    )
                    found.append(f"payment {entry['payment'] or entry['event']} is claimed by {whose}")
        return found


async def _keys(node: Node) -> AsyncIterator[list[str]]:
    """The keys of the subjects of one server, some at a time, each once."""
    cursor, last = b"0", None
    seen: set[bytes] = set()
    while last != b"0":
        ((last, names),) = await node.ask(("SCAN", cursor, "MATCH", "pw:{*", "COUNT", _SCANNED))
        cursor = last
        found = {match[1] for name in names if (match := _OF_A_SUBJECT.fullmatch(name))} - seen
        seen |= found
        if found:
            yield [each.decode() for each in found]


def _left_on_the_way(entries: Iterable[dict[str, Any]], now: int) -> Iterator[str]:
    """What was to be brought to another subject by a process that ended in the midst of it."""
    sent = [entry for entry in entries if entry.get("kind") == "merged-into"][-1:]
    for entry in sent:
        if now - int(entry["at"]) > ON_THE_WAY_MS:
            yield (
                f"what it had has not arrived at the subject with the key {entry['into']}, into which it was merged: "
                "do `paywall subject merge` of the two once more"
            )


def mark(kind: str, name: str) -> str:
    """What an entry is found under, as `parts/ledger.lua` makes it."""
    text = f"{kind}:{name}".encode("utf-8", "surrogatepass")
    return hashlib.sha1(text, usedforsecurity=False).hexdigest()[:16]


def _wrong_marks(entries: Sequence[dict[str, Any]], marks: dict[str, int]) -> Iterator[str]:
    """Entries that would be made a second time, since nothing leads to them; and what is entered twice."""
    made: dict[str, int] = {}
    for number, entry in enumerate(entries, 1):
        for name, of in _once(entry):
            if name in made:
                yield f"entries {made[name]} and {number} are of the same {of}"
            made[name] = number
            if marks.get(name) != number:
                yield f"entry {number} ({entry['kind']}) is not found by its {of}: a repetition would count again"


def _once(entry: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The marks that only this entry may have, and what of."""
    kind = entry.get("kind")
    if kind in ("payment", "surplus", "refunded"):
        for of in ("event", "payment"):
            if entry[of]:
                yield mark(of, f"{entry['provider']}:{entry[of]}"), of
    elif kind == "refund":
        yield mark(kind, f"{entry['provider']}:{entry['payment']}:{entry['refund']}"), "refund"
    elif kind == "revoked":
        yield mark(kind, f"{entry['provider']}:{entry['payment']}"), "payment"
    elif kind in ("grant", "extension", "merge", "credit"):
        yield mark(kind, entry["operation"]), "operation"
    elif kind in ("mismatch", "unknown-checkout"):
        yield mark("unmatched", f"{entry['provider']}:{entry['payment']}:{entry['event']}"), "payment"
