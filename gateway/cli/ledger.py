"""`paywall ledger …`: the ledgers of all subjects."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from gateway.cli.loading import load_config
from gateway.cli.output import CommandFailed, put, put_json, put_line, say
from gateway.cli.store_access import with_store
from gateway.core.money import Money
from gateway.payments.audit import audit
from gateway.ports.books import Book
from gateway.settings.problem import one_line
from gateway.store.connection import Store

app = App(name="ledger", help="The ledgers of all subjects: what was paid, given and spent.")

_PROGRESS_SECONDS = 2.0


@dataclass
class Audited:
    """What was found in all books."""

    subjects: int = 0
    entries: Counter[str] = field(default_factory=Counter)
    """How many entries there are of each kind."""
    paid: Counter[str] = field(default_factory=Counter)
    """Minor units that were credited, by currency."""
    wrong: dict[str, list[str]] = field(default_factory=dict)
    """What does not agree, by subject."""

    def add(self, book: Book) -> None:
        """Audit one book."""
        self.subjects += 1
        for entry in book.entries:
            self.entries[str(entry.get("kind"))] += 1
            if entry.get("kind") == "payment":
                self.paid[entry["currency"]] += entry["amount"]
        if found := audit(book):
            self.wrong[book.subject] = found


@app.command
def verify(
    file: Annotated[Path, Parameter(help="The config file.")],
    /,
    *,
    json: Annotated[bool, Parameter(help="For programs.", negative="")] = False,
) -> None:
    """Add up every ledger, and compare with what is counted: paid periods, results, payments.

    Changes nothing, and may run beside the gateway. Exit 1 when something does not agree.
    """
    found = with_store(load_config(file).settings, _audited)
    if json:
        put_json(_as_json(found))
    else:
        _print(found)
    if found.wrong:
        raise CommandFailed(
            f"{len(found.wrong):,} of {found.subjects:,} do not agree: see what happened there (`paywall events`), and "
            "give what is missing with `paywall subject grant`; the difference goes on to be told, since the ledger "
            "itself is never changed"
        )
    say(f"every balance of {found.subjects:,} subjects follows from its ledger")


@app.command
def export(file: Annotated[Path, Parameter(help="The config file.")], /) -> None:
    """Every entry of every ledger: JSON, one on a line, with its subject. For the accounts."""

    async def write(store: Store) -> None:
        async for books in _told(store):
            for book in books:
                for entry in book.entries:
                    put_line({"subject": book.subject, **entry})

    with_store(load_config(file).settings, write)


async def _audited(store: Store) -> Audited:
    found = Audited()
    async for books in _told(store):
        for book in books:
            found.add(book)
    return found


async def _told(store: Store) -> AsyncIterator[list[Book]]:
    """All books, and now and then a word of how far it is."""
    read, said = 0, time.monotonic()
    async for books in store.books.read():
        yield books
        read += len(books)
        if time.monotonic() - said > _PROGRESS_SECONDS:
            said = time.monotonic()
            say(f"{read:,} subjects so far")


def _print(found: Audited) -> None:
    for subject, faults in found.wrong.items():
        for fault in faults:
            put(one_line(f"{subject}: {fault}"))
    for kind, count in sorted(found.entries.items()):
        put(f"{kind:<18}{count:>12,}")
    for currency, minor in sorted(found.paid.items()):
        put(f"{'paid':<18}{Money(minor, currency)!s:>12}")


def _as_json(found: Audited) -> dict[str, Any]:
    return {
        "subjects": found.subjects,
        "entries": dict(found.entries),
        "paid": dict(found.paid),
        "wrong": found.wrong,
    }
