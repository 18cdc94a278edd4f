"""What a later version adds to the data: this one goes on beside it, and leaves it alone."""

from __future__ import annotations

import json

from gateway.core.decision import Purse
from gateway.core.quantity import DAY, Allowance
from gateway.core.subject import Subject
from gateway.payments.audit import audit
from gateway.ports.cashbook import SettleOutcome
from gateway.ports.state import (
    GraceAsked,
    ReleaseOutcome,
    TakeOutcome,
    TrialBegin,
)
from gateway.store.connection import Store
from gateway.store.keys import subject_key
from tests.store.test_books import books
from tests.store.test_holds import keep
from tests.store.test_paid_twice import FIVE, MONTH, open_all, pay

GRACE = GraceAsked("exports", Allowance(2, 30 * DAY))
GIFT = {"kind": "gift-card", "at": 1, "worth": "500"}


async def add(store: Store, subject: Subject) -> None:
    """Fields, an entry and a key that nobody here knows."""
    key = subject_key(subject)
    for name in (key, f"{key}:hold:h", f"{key}:checkout:month"):
        await store.link.ask(("HSET", name, "later", "kept"))
    await store.link.ask(("RPUSH", f"{key}:ledger", json.dumps(GIFT)))
    await store.link.ask(("HSET", f"{key}:marks", "f" * 16, 1))
    await store.link.ask(("SET", f"{key}:later", "kept"))


async def test_every_verb_goes_on_and_leaves_it_alone(store: Store, subject: Subject) -> None:
    key = subject_key(subject)
    await store.subjects.visit(subject, TrialBegin(DAY))
    await keep(store, subject, "h")
    await open_all(store, subject, MONTH, FIVE)
    await add(store, subject)

    assert not (await store.subjects.visit(subject, TrialBegin(DAY), GRACE)).trial_began
    await store.operations.expire(subject)
    assert (await store.subjects.take(subject, Purse.GRACE, "o1", GRACE)).outcome is TakeOutcome.TAKEN
    await store.subjects.give_back(subject, Purse.GRACE, "o1", GRACE)
    await store.subjects.decline(subject, "price", "too dear")
    assert await pay(store, subject, FIVE) is SettleOutcome.SETTLED
    assert (await store.subjects.take(subject, Purse.CREDIT, "o2")).outcome is TakeOutcome.TAKEN
    await store.subjects.give_back(subject, Purse.CREDIT, "o2")
    await store.operations.extend(subject, "longer", DAY)
    await store.operations.grant(subject, "gift", results=1)
    assert await store.holds.release(subject, "h") is ReleaseOutcome.RELEASED
    assert [each.id for each in await store.holds.all(subject)] == ["h"]

    fields = await store.link.ask(
        *(("HGET", name, "later") for name in (key, f"{key}:hold:h", f"{key}:checkout:month"))
    )
    assert fields == [b"kept"] * 3
    assert await store.link.ask(("GET", f"{key}:later")) == [b"kept"]
    entries = await store.payments.ledger(subject)
    assert entries[0] == GIFT
    assert [entry["kind"] for entry in entries[1:]] == ["payment", "spend", "return", "extension", "grant"]
    assert (await store.operations.export(subject))["ledger"] == entries
    # Only who adds up must understand every entry, and says so.
    (book,) = (await books(store)).values()
    assert audit(book) == ["entry 1 (gift-card): this version of the gateway does not know what that is"]
