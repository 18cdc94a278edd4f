"""Play a history to two workers at once, and compare what the store has with what must come of it."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Sequence

from gateway.core.subject import Subject
from gateway.payments.audit import audit
from gateway.ports.cashbook import CheckoutStatus, Refund, Settlement, SubscriptionChange
from gateway.store.connection import Store
from tests.histories.history import CHECKOUTS, NOW, Event, History

AT_ONCE = 4


async def play(workers: Sequence[Store], subject: Subject, history: History, dice: random.Random) -> list[str]:
    """What is not as it must be, one sentence each."""
    for record in CHECKOUTS:
        await workers[0].payments.open_checkout(subject, record, settled=0, now=NOW)
    deliveries = history.deliveries(dice)
    for first in range(0, len(deliveries), AT_ONCE):
        some = deliveries[first : first + AT_ONCE]
        await asyncio.gather(*(_deliver(dice.choice(workers), subject, event) for event in some))
    return await compare(workers[0], subject, history)


async def _deliver(worker: Store, subject: Subject, event: Event) -> None:
    match event:
        case Settlement():
            await worker.payments.settle(subject, event, NOW)
        case Refund():
            await worker.payments.refund(subject.key, event, NOW)
        case SubscriptionChange():
            await worker.payments.renew(subject.key, event, NOW)
        case str():
            await worker.payments.close_checkout(subject, event, CheckoutStatus.FAILED)


async def compare(store: Store, subject: Subject, history: History) -> list[str]:
    """The store against the history alone."""
    found: list[str] = []
    state = await store.subjects.visit(subject, now=NOW)
    export = await store.operations.export(subject)
    until = max(NOW + history.period_ms if history.period_ms else 0, history.subscribed_until)
    seen = state.entitled_until if state.entitled_until > NOW else 0
    promised = {"credits": history.credits, "entitled_until": until if until > NOW else 0}
    for name, value in (("credits", state.credits), ("entitled_until", seen)):
        if value != promised[name]:
            found.append(f"{name} is {value}, and must be {promised[name]}")
    ledger = await store.payments.ledger(subject)
    found += _compare_entries(ledger, history)
    async for books in store.books.read():
        found += [each for book in books if book.subject == str(subject) for each in audit(book)]
    if history.changes and history.status.value not in str(export["subscriptions"]):
        found.append(f"the subscription is {export['subscriptions']}, and must be {history.status}")
    return found


def _compare_entries(ledger: list[dict[str, object]], history: History) -> list[str]:
    kinds = {"payment": "payment", "refunded": "payment", "refund": "refund"}
    entered = Counter(
        (kinds[str(entry["kind"])], str(entry["refund" if entry["kind"] == "refund" else "payment"]))
        for entry in ledger
        if entry["kind"] in kinds
    )
    promised = Counter(history.entries())
    return [] if entered == promised else [f"the ledger has {dict(entered)}, and must have {dict(promised)}"]
