"""Reading everybody's balances and ledger, and finding what does not follow."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

import pytest

from gateway.core.decision import Purse
from gateway.core.money import Money
from gateway.core.quantity import DAY
from gateway.core.subject import Subject
from gateway.payments.audit import audit
from gateway.ports.books import Book
from gateway.ports.cashbook import CheckoutRecord, Settlement
from gateway.store.books import mark
from gateway.store.connection import Store
from gateway.store.keys import payment_claim, subject_key
from tests.store.conftest import new_subject
from tests.store.test_holds import keep

PACK = CheckoutRecord("c", "offer", "pack", Money(1000, "USD"), "sandbox", results=5)
HELD = CheckoutRecord("held", "offer of the held", "one", Money(300, "USD"), "sandbox", hold="h", results=1)


async def paid(store: Store, subject: Subject, record: CheckoutRecord = PACK) -> None:
    await store.payments.open_checkout(subject, record, (await store.subjects.visit(subject)).settled)
    report = Settlement(
        f"e-{subject.key}-{record.id}", f"p-{subject.key}-{record.id}", record.id, record.price, "sandbox"
    )
    await store.payments.settle(subject, report)


async def everything(store: Store, subject: Subject) -> None:
    """A life in which all kinds of entries come to be."""
    await keep(store, subject, "h")
    await paid(store, subject, HELD)
    await paid(store, subject)
    await store.operations.grant(subject, "gift", period_ms=DAY)
    await store.operations.grant(subject, "gift", period_ms=DAY)
    await store.operations.grant(subject, "another", period_ms=3 * DAY)
    await store.operations.extend(subject, "longer", DAY)
    for operation in ("one", "two"):
        await store.subjects.take(subject, Purse.CREDIT, operation)
    await store.subjects.give_back(subject, Purse.CREDIT, "one")
    for checkout, minor in (("unknown", 1), (PACK.id, 1)):
        strange = Settlement(f"strange-{checkout}", "", checkout, Money(minor, "USD"), "sandbox")
        await store.payments.settle(subject, strange)


async def books(store: Store) -> dict[str, Book]:
    return {book.subject: book async for some in store.books.read() for book in some}


async def test_a_whole_life_adds_up(store: Store, subject: Subject) -> None:
    await everything(store, subject)
    book = (await books(store))[str(subject)]
    assert audit(book) == []
    kinds = "payment payment grant grant extension spend spend return unknown-checkout mismatch"
    assert " ".join(entry["kind"] for entry in book.entries) == kinds
    assert (book.credits, book.settled) == (4, 2)


async def test_everybody_is_read_once_wherever_they_are(store: Store) -> None:
    subjects = [new_subject() for _ in range(450)]
    for each in subjects:
        await store.subjects.visit(each)
        await store.link.ask(("HSET", subject_key(each), "id", str(each)))
    await paid(store, subjects[0])
    read = [book.subject async for some in store.books.read() for book in some]
    assert sorted(read) == sorted(map(str, subjects))


Harm = Callable[[Store, str], Awaitable[object]]


def _set(field: str, value: object) -> Harm:
    return lambda store, key: store.link.ask(("HSET", key, field, str(value)))


def _entry(entry: dict[str, object]) -> Harm:
    return lambda store, key: store.link.ask(("RPUSH", f"{key}:ledger", json.dumps(entry)))


async def _entered_twice(store: Store, key: str) -> None:
    (first,) = await store.link.ask(("LINDEX", f"{key}:ledger", 0))
    await store.link.ask(("RPUSH", f"{key}:ledger", first))


async def _claimed(store: Store, key: str) -> None:
    subject = key.split("{")[1].rstrip("}")
    await store.link.ask(("HSET", *payment_claim("sandbox", f"p-{subject}-c", ""), "another"))


HARM: dict[str, tuple[Harm, str]] = {
    "a credit too many": (_set("cr", 6), "credits is 6, and by the ledger 5"),
    "a period from nowhere": (_set("eu", 99), "entitled_until is 99, and by the ledger 0"),
    "a payment less": (_set("st", 0), "settled is 0, and by the ledger 1"),
    "a lost balance": (lambda store, key: store.link.ask(("HDEL", key, "cr")), "credits is 0, and by the ledger 5"),
    "a lost subject": (lambda store, key: store.link.ask(("DEL", key)), "settled is 0, and by the ledger 1"),
    "a lost ledger": (lambda store, key: store.link.ask(("DEL", f"{key}:ledger")), "credits is 5, and by the ledger 0"),
    "lost marks": (lambda store, key: store.link.ask(("DEL", f"{key}:marks")), "a repetition would count again"),
    "one entry twice": (_entered_twice, "entries 1 and 2 are of the same payment"),
    "another's payment": (_claimed, "is claimed by the subject with the key another"),
    "spent by nobody": (_entry({"kind": "return", "at": 1, "operation": "x"}), "given back that had not been spent"),
    "of a later version": (_entry({"kind": "gift-card", "at": 1}), "does not know what that is"),
    "a period that does not run on": (
        _entry({"kind": "grant", "at": 5, "operation": "x", "period_ms": 10, "entitled_until": 14}),
        "it says entitled_until 14, and it is 15",
    ),
}


@pytest.mark.parametrize("harm", HARM)
async def test_what_does_not_follow_is_found(store: Store, subject: Subject, harm: str) -> None:
    do, expected = HARM[harm]
    await paid(store, subject)
    await do(store, subject_key(subject))
    (book,) = (await books(store)).values()
    assert any(expected in fault for fault in audit(book)), audit(book)


async def test_more_spent_than_there_ever_was(store: Store, subject: Subject) -> None:
    entries = ({"kind": "spend", "at": 1, "operation": "x"}, {"kind": "return", "at": 1, "operation": "x"})
    assert audit(Book("person:x", 0, 0, 0, entries)) == ["entry 1 (spend): a result was spent that nobody had"]


async def test_marks_are_made_here_as_the_verbs_make_them(store: Store, subject: Subject) -> None:
    await store.operations.grant(subject, "gïft \ud83d", results=1)
    marks = (await store.operations.export(subject))["marks"]
    assert marks == {mark("grant", "gïft \ud83d"): 1}
