"""Whether every balance follows from its ledger. The ledger is the truth; balances save adding it up each time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.core.money import Money
from gateway.ports.books import Book


@dataclass
class Balance:
    """What a ledger adds up to."""

    entitled_until: int = 0
    credits: int = 0
    settled: int = 0
    subscribed_until: int = 0
    wallets: Counter[str] = field(default_factory=Counter)
    """Minor units, by currency."""
    out: set[str] = field(default_factory=set)
    """Operations that took a credit which was not given back."""


def audit(book: Book) -> list[str]:
    """What does not agree in one book, one sentence each; nothing when it is in order."""
    balance, found = Balance(), list(book.faults)
    for number, entry in enumerate(book.entries, 1):
        found += (f"entry {number} ({entry.get('kind')}): {fault}" for fault in _enter(balance, entry))
    for name in ("entitled_until", "credits", "settled", "subscribed_until"):
        counted, follows = getattr(book, name), getattr(balance, name)
        if counted != follows:
            found.append(f"{name} is {counted}, and by the ledger {follows}")
    for currency in sorted(book.wallets.keys() | balance.wallets.keys()):
        counted, follows = book.wallets.get(currency, 0), balance.wallets[currency]
        if counted != follows:
            found.append(f"the wallet has {Money(counted, currency)}, and by the ledger {Money(follows, currency)}")
    return found


def _enter(balance: Balance, entry: dict[str, Any]) -> Iterator[str]:
    """Add one entry. Gives what is wrong with it."""
    enter = _ENTERS.get(str(entry.get("kind")))
    if enter is None:
        yield "this version of the gateway does not know what that is"
        return
    yield from enter(balance, entry)
    # Subscriptions are the provider's to count: each entry that changes one says until when results are open by it.
    balance.subscribed_until = int(entry.get("subscribed_until", balance.subscribed_until))


def _nothing(balance: Balance, entry: dict[str, Any]) -> Iterator[str]:
    """It changes no balance that is counted here."""
    return iter(())


def _paid(balance: Balance, entry: dict[str, Any]) -> Iterator[str]:
    balance.settled += 1
    yield from _give(balance, entry, bool(entry.get("took_hold")))
    if entry.get("from_wallet"):
        yield from _move(balance, entry["currency"], -int(entry["amount"]))


def _paid_for_nothing(balance: Balance, entry: dict[str, Any]) -> Iterator[str]:
    """The money had gone back before it was reported."""
    balance.settled += 1
    return iter(())


def _given(balance: Balance, entry: dict[str, Any]) -> Iterator[str]:
    return _give(balance, entry, took_hold=False)


def _credited(balance: Balance, entry: dict[str, Any]) -> Iterator[str]:
    return _move(balance, entry["currency"], int(entry["amount"]))


def _spent(balance: Balance, entry: dict[str, Any]) -> Iterator[str]:
    balance.credits -= 1
    balance.out.add(str(entry.get("operation")))
    if balance.credits < 0:
        yield "a result was spent that nobody had"


def _returned(balance: Balance, entry: dict[str, Any]) -> Iterator[str]:
    balance.credits += 1
    if str(entry.get("operation")) not in balance.out:
        yield "a result was given back that had not been spent"
    balance.out.discard(str(entry.get("operation")))


def _erased(balance: Balance, entry: dict[str, Any]) -> Iterator[str]:
    yield from _end(balance, entry)
    balance.out.clear()


def _end(balance: Balance, entry: dict[str, Any]) -> Iterator[str]:
    """Nothing is left, and it says how much that was."""
    left = max(balance.entitled_until - int(entry["at"]), 0)
    for name, ended in (("period_ms", left), ("results", balance.credits)):
        if entry.get(name) != ended:
            yield f"it says {name} {entry.get(name)} ended, and it was {ended}"
    balance.entitled_until, balance.credits = 0, 0
    for currency, amount in entry.get("wallets", {}).items():
        yield from _move(balance, currency, -int(amount))


def _take_back(balance: Balance, entry: dict[str, Any]) -> Iterator[str]:
    """What a payment gave goes back with its money: no more than there is."""
    if "entitled_until" in entry:
        balance.entitled_until -= int(entry["period_ms"])
        if entry["entitled_until"] != balance.entitled_until:
            yield f"it says entitled_until {entry['entitled_until']}, and it is {balance.entitled_until}"
    balance.credits -= int(entry.get("results", 0))
    if balance.credits < 0:
        yield "results were taken back that nobody had"
    if entry.get("from_wallet"):
        yield from _move(balance, entry["currency"], int(entry["amount"]))


def _move(balance: Balance, currency: str, amount: int) -> Iterator[str]:
    """Money into the wallet, or out of it."""
    balance.wallets[currency] += amount
    if balance.wallets[currency] < 0:
        yield f"the wallet has {Money(balance.wallets[currency], currency)}"


def _give(balance: Balance, entry: dict[str, Any], took_hold: bool) -> Iterator[str]:
    """A period is added to the end of the one that runs; of results the held one may have taken one."""
    period, results = int(entry.get("period_ms", 0)), int(entry.get("results", 0))
    if entry["kind"] == "merge":
        balance.subscribed_until = int(entry.get("subscribed_until", balance.subscribed_until))
        for currency, amount in entry.get("wallets", {}).items():
            yield from _move(balance, currency, int(amount))
    if period and "subscription" not in entry:
        balance.entitled_until = max(int(entry["at"]), balance.entitled_until) + period
        if entry.get("entitled_until") != balance.entitled_until:
            yield f"it says entitled_until {entry.get('entitled_until')}, and it is {balance.entitled_until}"
    if results:
        balance.credits += results - (1 if took_hold else 0)


_ENTERS: Mapping[str, Callable[[Balance, dict[str, Any]], Iterator[str]]] = {
    "payment": _paid,
    "refunded": _paid_for_nothing,
    "refund": _take_back,
    "revoked": _take_back,
    "credit": _credited,
    "grant": _given,
    "merge": _given,
    "spend": _spent,
    "return": _returned,
    "erasure": _erased,
    "merged-into": _end,
    **dict.fromkeys(("extension", "surplus", "mismatch", "unknown-checkout", "subscription"), _nothing),
}
"""What each kind of entry does."""
