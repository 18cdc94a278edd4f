"""What a page says of a held result - pay, or take it - is what the store does when it is asked for."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

import pytest

from gateway.access.cover import Cover, cover_of
from gateway.core.money import Money
from gateway.core.quantity import DAY
from gateway.core.rule import RouteClass, Rule
from gateway.core.subject import Subject
from gateway.ports.cashbook import CheckoutRecord, Settlement
from gateway.ports.state import HoldRecord, ReleaseOutcome
from gateway.store.connection import Store
from tests.store.test_holds import keep

PLAIN = Rule("plain", RouteClass.RESULT)
PRICED = Rule("priced", RouteClass.RESULT, price=Money(450, "USD"))
CHECKOUT = CheckoutRecord("c", "o", "p", Money(300, "USD"), "sandbox", "h", results=1)
Step = Callable[[Store, Subject], Awaitable[object]]


async def nothing(store: Store, subject: Subject) -> None: ...


async def a_period(store: Store, subject: Subject) -> None:
    await store.operations.grant(subject, "gift", period_ms=DAY)


async def results(store: Store, subject: Subject) -> None:
    await store.operations.grant(subject, "gift", results=2)


async def more_trial(store: Store, subject: Subject) -> None:
    await store.operations.extend(subject, "extended", DAY)


async def a_payment(store: Store, subject: Subject) -> None:
    await store.payments.open_checkout(subject, CHECKOUT, settled=0)
    await store.payments.settle(subject, Settlement("e", f"p-{subject.key}", "c", CHECKOUT.price, "sandbox"))


async def taken_in_the_trial(store: Store, subject: Subject) -> None:
    await more_trial(store, subject)
    assert await store.holds.release(subject, "h") is ReleaseOutcome.RELEASED
    await store.operations.expire(subject)


@pytest.mark.parametrize(
    ("step", "on_plain", "on_priced"),
    [
        (nothing, None, None),
        (a_period, Cover.PERIOD, Cover.PERIOD),
        (results, Cover.CREDIT, None),
        (more_trial, Cover.TRIAL, Cover.TRIAL),
        (a_payment, Cover.PAID, Cover.PAID),
        (taken_in_the_trial, Cover.TAKEN, Cover.TAKEN),
    ],
)
@pytest.mark.parametrize("rule", [PLAIN, PRICED], ids=["plain", "priced"])
async def test_it_is_told_as_it_is_given(
    store: Store, subject: Subject, rule: Rule, step: Step, on_plain: Cover | None, on_priced: Cover | None
) -> None:
    await keep(store, subject, "h")
    await store.operations.expire(subject)
    await step(store, subject)
    record, state = await store.holds.get(subject, "h"), await store.subjects.visit(subject)
    assert isinstance(record, HoldRecord)
    cover = cover_of(record, rule, state, int(time.time() * 1000))
    assert cover is (on_plain if rule is PLAIN else on_priced)
    released = await store.holds.release(subject, "h", credits=rule.price is None)
    assert (cover is not None) == (released is ReleaseOutcome.RELEASED)


async def test_of_a_preview_nothing_can_be_taken(store: Store, subject: Subject) -> None:
    await a_period(store, subject)
    preview = HoldRecord("", "r", 0, 0, 5, 0, 200, "text/csv", "a.csv", b"{}", "", b"")
    assert cover_of(preview, PLAIN, await store.subjects.visit(subject), 1) is None
