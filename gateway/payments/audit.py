"""Whether every balance follows from its ledger. The ledger is the truth; balances save adding it up each time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from gateway.ports.books import Book


@dataclass
class Balance:
    """What a ledger adds up to."""

    entitled_until: int = 0
    credits: int = 0
    settled: int = 0
    out: set[str] = field(default_factory=set)
    """Operations that took a credit which was not given back."""


def audit(book: Book) -> list[str]:
    """What does not agree in one book, one sentence each; nothing when it is in order."""
    balance, found = Balance(), list(book.faults)
    for number, entry in enumerate(book.entries, 1):
        found += (f"entry {number} ({entry.get('kind')}): {fault}" for fault in _enter(balance, entry))
    for name in ("entitled_until", "credits", "settled"):
        counted, follows = getattr(book, name), getattr(balance, name)
        if counted != follows:
            found.append(f"{name} is {counted}, and by the ledger {follows}")
    return found


def _enter(balance: Balance, entry: dict[str, Any]) -> Iterator[str]:
    """Add one entry. Gives what is wrong with it."""
    match entry.get("kind"):
        case "payment":
            balance.settled += 1
            yield from _give(balance, entry, bool(entry.get("took_hold")))
        case "grant":
            yield from _give(balance, entry, took_hold=False)
        case "spend":
            balance.credits -= 1
            balance.out.add(str(entry.get("operation")))
            if balance.credits < 0:
                yield "a result was spent that nobody had"
        case "return":
            balance.credits += 1
            if str(entry.get("operation")) not in balance.out:
                yield "a result was given back that had not been spent"
            balance.out.discard(str(entry.get("operation")))
        case "extension" | "surplus" | "mismatch" | "unknown-checkout":
            pass  # changes no balance
        case _:
            yield "this version of the gateway does not know what that is"


def _give(balance: Balance, entry: dict[str, Any], took_hold: bool) -> Iterator[str]:
    """A period is added to the end of the one that runs; of results the held one may have taken one."""
    period, results = int(entry.get("period_ms", 0)), int(entry.get("results", 0))
    if period:
        balance.entitled_until = max(int(entry["at"]), balance.entitled_until) + period
        if entry.get("entitled_until") != balance.entitled_until:
            yield f"it says entitled_until {entry.get('entitled_until')}, and it is {balance.entitled_until}"
    if results:
        balance.credits += results - (1 if took_hold else 0)
