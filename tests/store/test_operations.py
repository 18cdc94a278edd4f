"""What an operator does to one subject, on every server."""

from __future__ import annotations

import json

import pytest

from gateway.core.decision import Purse
from gateway.core.money import Money
from gateway.core.quantity import DAY, Allowance
from gateway.core.standing import Standing
from gateway.core.subject import Subject
from gateway.payments.audit import audit
from gateway.ports.cashbook import (
    CheckoutOutcome,
    CheckoutRecord,
    Settlement,
    SettleOutcome,
)
from gateway.ports.operations import EraseOutcome
from gateway.ports.state import GraceAsked, TrialBegin
from gateway.store.connection import Store
from gateway.store.keys import subject_key
from tests.store.test_holds import keep

T0 = 1_800_000_000_000


async def test_expire_ends_the_trial_now(store: Store, subject: Subject) -> None:
    await store.subjects.visit(subject, TrialBegin(14 * DAY), now=T0)
    states = [
        await store.operations.expire(subject, now=T0 + DAY),
        await store.operations.expire(subject, now=T0 + 2 * DAY),
    ]
    assert [(state.trial_started, state.trial_ends) for state in states] == [(T0, T0 + DAY)] * 2


async def test_expire_of_a_subject_that_never_came_begins_and_ends_it(store: Store, subject: Subject) -> None:
    await store.operations.expire(subject, now=T0)
    state = await store.subjects.visit(subject, TrialBegin(14 * DAY), now=T0 + 1)
    assert (state.trial_started, state.trial_ends) == (T0, T0)


async def test_extend_adds_to_the_end_or_to_now(store: Store, subject: Subject) -> None:
    await store.subjects.visit(subject, TrialBegin(DAY), now=T0)
    assert (await store.operations.extend(subject, "first", DAY, now=T0)).trial_ends == T0 + 2 * DAY
    assert (await store.operations.extend(subject, "second", DAY, now=T0 + 9 * DAY)).trial_ends == T0 + 10 * DAY
    entries = await store.payments.ledger(subject)
    assert [(entry["kind"], entry["by_ms"]) for entry in entries] == [("extension", DAY)] * 2


async def test_grant_gives_once_for_one_operation(store: Store, subject: Subject) -> None:
    for _ in range(2):
        state = await store.operations.grant(subject, "support-17", period_ms=DAY, results=3, now=T0)
        assert (state.entitled_until, state.credits) == (T0 + DAY, 3)
    assert (await store.operations.grant(subject, "support-18", results=1, now=T0)).credits == 4
    assert [entry["operation"] for entry in await store.payments.ledger(subject)] == ["support-17", "support-18"]


async def test_export_tells_everything_but_the_results(store: Store, subject: Subject) -> None:
    await live_a_little(store, subject)
    told = await store.operations.export(subject)
    text = json.dumps(told)
    assert told["subject"] == str(subject)
    for part in ("exports", "op1", "credit:op2", "too dear", "hold1", "c1", "evt1", "pay1", "support", "report.pdf"):
        assert part in text
    assert "sealed \\" not in text and "chunk" not in text.replace('"chunks"', "")


class TestErase:
    async def test_leaves_nothing_that_is_personal(self, store: Store, subject: Subject) -> None:
        await live_a_little(store, subject)
        key = subject_key(subject)
        assert len(await keys(store, f"{key}*")) >= 9
        assert await store.operations.erase(subject) is EraseOutcome.ERASED
        assert sorted(await keys(store, f"{key}*")) == [f"{key}{name}".encode() for name in ("", ":ledger", ":marks")]
        (fields,) = await store.link.ask(("HKEYS", key))
        assert sorted(fields) == [b"ea", b"st", b"te", b"ts"]
        left = json.dumps(await store.operations.export(subject) | {"subject": ""})
        assert str(subject) not in left and subject.id not in left and "too dear" not in left

    async def test_ends_what_was_paid_for_and_says_so_on_the_ledger(self, store: Store, subject: Subject) -> None:
        await store.operations.grant(subject, "gift", period_ms=3 * DAY, results=5, now=T0)
        await store.subjects.take(subject, Purse.CREDIT, "op", now=T0)
        await store.operations.erase(subject, now=T0 + DAY)
        state = await store.subjects.visit(subject, now=T0 + DAY)
        assert (state.entitled_until, state.credits) == (0, 0)
        *_, last = await store.payments.ledger(subject)
        assert last == {"kind": "erasure", "at": T0 + DAY, "period_ms": 2 * DAY, "results": 4}
        assert [audit(book) async for books in store.books.read() for book in books if book.subject == subject.key] == [
            []
        ]

    async def test_a_second_time_changes_nothing(self, store: Store, subject: Subject) -> None:
        assert await store.operations.erase(subject, now=T0) is EraseOutcome.UNKNOWN
        assert await keys(store, f"{subject_key(subject)}*") == []
        await live_a_little(store, subject)
        await store.operations.erase(subject, now=T0)
        before = await store.operations.export(subject)
        assert await store.operations.erase(subject, now=T0 + DAY) is EraseOutcome.ALREADY_ERASED
        assert await store.operations.export(subject) == before

    async def test_whoever_comes_back_has_no_second_trial_and_may_pay(self, store: Store, subject: Subject) -> None:
        await store.subjects.visit(subject, TrialBegin(14 * DAY), now=T0)
        await store.operations.erase(subject, now=T0 + DAY)
        state = await store.subjects.visit(subject, TrialBegin(14 * DAY), now=T0 + 2 * DAY)
        assert not state.trial_began and state.trial_ends == T0 + DAY
        assert state.standing(grace_allowed=0, now=T0 + 2 * DAY) is Standing.EXPIRED
        assert await pay(store, subject, "c1", "p1") is SettleOutcome.SETTLED
        assert (await store.subjects.visit(subject)).credits == 2
        assert await store.payments.subject(subject.key) == subject
        assert await store.operations.erase(subject) is EraseOutcome.ERASED

    async def test_whoever_never_had_a_trial_may_still_have_it(self, store: Store, subject: Subject) -> None:
        await store.operations.grant(subject, "gift", results=1)
        await store.operations.erase(subject)
        assert (await store.subjects.visit(subject, TrialBegin(DAY))).trial_began

    async def test_a_payment_that_was_credited_before_is_known_and_a_new_one_credits_nobody(
        self, store: Store, subject: Subject
    ) -> None:
        await pay(store, subject, "c1", "p1")
        await store.operations.erase(subject)
        assert await store.payments.checkout(subject, "c1") is None
        for _ in range(2):
            again = Settlement("e-p1", "p1", "c1", PRICE, "sandbox")
            assert await store.payments.enter(subject.key, again) is SettleOutcome.REPLAYED
            late = Settlement("e-p2", "p2", "c1", PRICE, "sandbox")
            assert await store.payments.enter(subject.key, late) is SettleOutcome.UNKNOWN_CHECKOUT
        ledger = await store.payments.ledger(subject)
        assert [entry["kind"] for entry in ledger] == ["payment", "erasure", "unknown-checkout"]
        assert (ledger[-1]["payment"], ledger[-1]["amount"]) == ("p2", PRICE.minor)
        assert await store.payments.subject(subject.key) is None

    async def test_the_ledger_goes_too_where_it_is_asked_for(self, store: Store, subject: Subject) -> None:
        await live_a_little(store, subject)
        await store.operations.erase(subject)
        assert await store.operations.erase(subject, ledger=True) is EraseOutcome.ERASED
        assert await keys(store, f"{subject_key(subject)}*") == [subject_key(subject).encode()]
        assert not (await store.subjects.visit(subject, TrialBegin(DAY))).trial_began
        assert await store.operations.erase(subject, ledger=True) is EraseOutcome.ALREADY_ERASED


PRICE = Money(300, "USD")


async def pay(store: Store, subject: Subject, checkout: str, payment: str) -> SettleOutcome:
    """Set out to pay for two results, and pay."""
    settled = (await store.subjects.visit(subject)).settled
    record = CheckoutRecord(checkout, f"offer-{checkout}", "two", PRICE, "sandbox", results=2)
    await store.payments.open_checkout(subject, record, settled)
    return await store.payments.settle(subject, Settlement(f"e-{payment}", payment, checkout, PRICE, "sandbox"))


AGAIN_WITH_A_LEDGER = ["replayed", "replayed", "mismatch", "unknown-checkout"]


@pytest.mark.parametrize(("ledger", "outcomes"), [(False, AGAIN_WITH_A_LEDGER), (True, ["another-subject"] * 4)])
async def test_what_was_paid_before_an_erasure_is_never_credited_again(
    store: Store, subject: Subject, ledger: bool, outcomes: list[str]
) -> None:
    """Its report may come late, or once more from whoever compares all payments, when the same person is back with the
    same checkout; and nothing may tell whose it was."""
    checkout = CheckoutRecord("c1", "o1", "single", Money(300, "USD"), "sandbox", results=2)
    reports = [
        Settlement("e1", "p1", "c1", checkout.price, "sandbox"),
        Settlement("only-an-event", "", "c1", checkout.price, "sandbox"),
        Settlement("e2", "of-another-amount", "c1", Money(1, "USD"), "sandbox"),
        Settlement("e3", "of-no-checkout", "c9", checkout.price, "sandbox"),
    ]
    await store.payments.open_checkout(subject, checkout, settled=0)
    for report in reports:
        await store.payments.settle(subject, report)
    await store.operations.erase(subject, ledger)
    for node in store.link.nodes if ledger else ():
        for key in (await node.ask(("KEYS", "pw:payments:*")))[0]:
            assert subject.key.encode() not in (await node.ask(("HVALS", key)))[0]
    settled = (await store.subjects.visit(subject)).settled
    assert (await store.payments.open_checkout(subject, checkout, settled)).outcome is CheckoutOutcome.OPENED
    assert [await store.payments.settle(subject, report) for report in reports] == outcomes
    assert (await store.subjects.visit(subject)).credits == 0
    again = Settlement("e9", "p9", "c1", checkout.price, "sandbox")
    assert await store.payments.settle(subject, again) is SettleOutcome.SETTLED


async def live_a_little(store: Store, subject: Subject) -> None:
    """Leave something behind under every kind of key."""
    purse = GraceAsked("exports", Allowance(3, DAY))
    checkout = CheckoutRecord("c1", "o1", "single", Money(300, "USD"), "sandbox", results=2)
    await store.subjects.visit(subject, TrialBegin(DAY))
    await store.subjects.take(subject, Purse.GRACE, "op1", purse)
    await store.operations.grant(subject, "support", results=1)
    await store.payments.open_checkout(subject, checkout, settled=0)
    await store.payments.settle(subject, Settlement("evt1", "pay1", "c1", checkout.price, "sandbox"))
    await store.subjects.take(subject, Purse.CREDIT, "op2")
    await store.subjects.decline(subject, "price", "too dear")
    await keep(store, subject, "hold1", chunks=2)
    await store.holds.begin(subject, "half", max_count=9, max_total=10**6)
    await store.holds.append(subject, "half", 0, b"chunk")


async def keys(store: Store, pattern: str) -> list[bytes]:
    found: list[bytes] = (await store.link.ask(("KEYS", pattern)))[0]
    return found
