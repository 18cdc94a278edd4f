"""Checkouts, payments and what an operator gives, on every server."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from gateway.core.money import Money
from gateway.core.quantity import DAY
from gateway.core.rule import PeriodUnit, Renewal
from gateway.core.subject import Subject
from gateway.ports.cashbook import (
    CheckoutOutcome,
    CheckoutRecord,
    CheckoutStatus,
    Settlement,
    SettleOutcome,
)
from gateway.ports.state import StoreUnavailable
from gateway.store import durability
from gateway.store.connection import Store, open_store
from gateway.store.keys import subject_key
from tests.store.conftest import new_subject, patient

T0 = 1_800_000_000_000
PRICE = Money(1900, "USD")
PRO = CheckoutRecord("c1", "offer1", "pro", PRICE, "sandbox", route="exports", period_ms=30 * DAY)
SINGLE = CheckoutRecord("c2", "offer2", "single", Money(300, "USD"), "sandbox", results=5)


def paid(record: CheckoutRecord, event: str = "evt1", payment: str = "pay1") -> Settlement:
    return Settlement(event, payment, record.id, record.price, "sandbox")


class TestCheckout:
    async def test_is_opened_once_and_found_again(self, store: Store, subject: Subject) -> None:
        opened = await store.payments.open_checkout(subject, PRO, settled=0, now=T0)
        again = await store.payments.open_checkout(subject, PRO, settled=0, now=T0 + DAY)
        assert opened.outcome is CheckoutOutcome.OPENED
        assert again.outcome is CheckoutOutcome.REOPENED
        assert opened.record == again.record == replace(PRO, created=T0)
        assert await store.payments.checkout(subject, "c1") == opened.record
        assert await store.payments.checkout(subject, "other") is None

    async def test_its_subject_is_known_by_the_key_until_it_is_erased(self, store: Store) -> None:
        for subject in (Subject.parse("account:7\udcff"), new_subject()):
            assert await store.payments.subject(subject.key) is None
            await store.payments.open_checkout(subject, PRO, settled=0)
            assert await store.payments.subject(subject.key) == subject
            await store.operations.erase(subject)
            assert await store.payments.subject(subject.key) is None

    async def test_an_offer_is_paid_once_whatever_the_plan(self, store: Store, subject: Subject) -> None:
        await store.payments.open_checkout(subject, PRO, settled=0, now=T0)
        await store.payments.settle(subject, paid(PRO), now=T0)
        for record in (PRO, replace(PRO, id="other-plan", price=Money(300, "USD"))):
            opened = await store.payments.open_checkout(subject, record, settled=0, now=T0)
            assert opened.outcome is CheckoutOutcome.ALREADY_PAID
            assert (opened.record.id, opened.record.status) == ("c1", CheckoutStatus.PAID)
            assert opened.record.payment == "pay1"

    async def test_an_offer_from_before_a_payment_is_outdated(self, store: Store, subject: Subject) -> None:
        await store.payments.open_checkout(subject, PRO, settled=0)
        await store.payments.open_checkout(subject, SINGLE, settled=0)
        await store.payments.settle(subject, paid(PRO))
        opened = [await store.payments.open_checkout(subject, SINGLE, settled) for settled in (0, 1)]
        assert [each.outcome.value for each in opened] == ["outdated", "reopened"]
        new = await store.payments.open_checkout(subject, replace(SINGLE, id="c3", offer="o3"), settled=0)
        assert (new.outcome, new.record.id) == (CheckoutOutcome.OUTDATED, "c3")
        assert await store.payments.checkout(subject, "c3") is None

    async def test_a_subscription_is_waited_for_beyond_a_year(self, store: Store, subject: Subject) -> None:
        """Whoever goes over to a cheaper plan pays for it after the period that is paid."""
        yearly = replace(PRO, renews=Renewal(PeriodUnit.YEAR, 1, 0))
        await store.payments.open_checkout(subject, yearly, settled=0)
        await store.payments.open_checkout(subject, replace(PRO, id="c2", offer="o2"), settled=0)
        for name in ("checkout:c1", "checkouts"):
            (left,) = await store.link.ask(("PTTL", f"{subject_key(subject)}:{name}"))
            assert 399 * DAY < left <= 400 * DAY

    async def test_an_unpaid_one_is_forgotten_some_day_and_a_paid_one_never(
        self, store: Store, subject: Subject
    ) -> None:
        key = f"{subject_key(subject)}:checkout:c1"
        await store.payments.open_checkout(subject, PRO, settled=0)
        (left,) = await store.link.ask(("PTTL", key))
        assert 179 * DAY < left <= 180 * DAY
        await store.payments.settle(subject, paid(PRO))
        assert await store.link.ask(("EXISTS", key)) == [0]
        found = await store.payments.checkout(subject, "c1")
        assert found is not None and found.status is CheckoutStatus.PAID
        names = [f"{subject_key(subject)}:{name}" for name in ("ledger", "marks")]
        assert await store.link.ask(*(("PTTL", name) for name in names)) == [-1, -1]

    async def test_many_at_once_open_one(self, store: Store, subject: Subject) -> None:
        opened = await asyncio.gather(*(store.payments.open_checkout(subject, PRO, 0) for _ in range(20)))
        assert sum(each.outcome is CheckoutOutcome.OPENED for each in opened) == 1


class TestSettle:
    async def test_a_period_runs_from_the_current_end(self, store: Store, subject: Subject) -> None:
        for place, now in enumerate((T0, T0 + DAY)):
            record = replace(PRO, id=f"c{place}", offer=f"o{place}")
            await store.payments.open_checkout(subject, record, settled=place, now=now)
            outcome = await store.payments.settle(subject, paid(record, f"e{place}", f"p{place}"), now=now)
            assert outcome is SettleOutcome.SETTLED
        state = await store.subjects.visit(subject, now=T0 + DAY)
        assert (state.entitled_until, state.settled) == (T0 + 60 * DAY, 2)

    async def test_a_period_after_a_gap_runs_from_now(self, store: Store, subject: Subject) -> None:
        await store.operations.grant(subject, "gift", period_ms=DAY, now=T0)
        await store.payments.open_checkout(subject, PRO, settled=0, now=T0 + 9 * DAY)
        await store.payments.settle(subject, paid(PRO), now=T0 + 9 * DAY)
        assert (await store.subjects.visit(subject)).entitled_until == T0 + 39 * DAY

    async def test_results_become_credits_and_a_refusal_is_lifted(self, store: Store, subject: Subject) -> None:
        await store.subjects.decline(subject, "price", "too much")
        await store.payments.open_checkout(subject, SINGLE, settled=0)
        assert await store.payments.settle(subject, paid(SINGLE)) is SettleOutcome.SETTLED
        state = await store.subjects.visit(subject)
        assert (state.credits, state.declined_at, state.decline_reason) == (5, 0, "")
        assert (await store.operations.export(subject))["decline_note"] == ""

    async def test_ten_deliveries_by_two_clients_are_one_credit(self, store: Store, url: str, subject: Subject) -> None:
        await store.payments.open_checkout(subject, SINGLE, settled=0)
        reports = [paid(SINGLE, event, "pay1") for event in ("created", "succeeded")] * 5
        random.Random(7).shuffle(reports)
        other = open_store(url)
        clients = [store.payments, other.payments] * 5
        outcomes = await asyncio.gather(*(c.settle(subject, r) for c, r in zip(clients, reports, strict=True)))
        await other.stop()
        assert sorted(outcomes) == [SettleOutcome.REPLAYED] * 9 + [SettleOutcome.SETTLED]
        assert (await store.subjects.visit(subject)).credits == 5
        assert [entry["kind"] for entry in await store.payments.ledger(subject)] == ["payment"]

    async def test_an_event_of_another_payment_gives_nothing_and_is_not_hushed_up(
        self, store: Store, subject: Subject
    ) -> None:
        """Two payments are two sums of money, whatever a provider calls its events."""
        await store.payments.open_checkout(subject, PRO, settled=0)
        first, second = paid(PRO), paid(PRO, payment="pay2")
        assert await store.payments.settle(subject, first) is SettleOutcome.SETTLED
        for _ in range(2):
            assert await store.payments.settle(subject, second) is SettleOutcome.MISMATCH
            assert await store.payments.settle(subject, first) is SettleOutcome.REPLAYED
            assert await store.payments.settle(subject, paid(PRO, payment="")) is SettleOutcome.REPLAYED
        entries = await store.payments.ledger(subject)
        assert [(entry["kind"], entry["payment"]) for entry in entries] == [("payment", "pay1"), ("mismatch", "pay2")]
        assert (await store.subjects.visit(subject)).settled == 1
        assert await store.payments.settle(subject, paid(PRO, "evt2", "pay2")) is SettleOutcome.SETTLED, "once mended"

    async def test_ids_of_two_providers_are_apart(self, store: Store, subject: Subject) -> None:
        for record in (PRO, SINGLE):
            await store.payments.open_checkout(subject, record, settled=0)
        await store.payments.settle(subject, paid(PRO))
        assert await store.payments.settle(subject, replace(paid(SINGLE), provider="other")) is SettleOutcome.SETTLED

    @pytest.mark.parametrize("amount", [Money(1899, "USD"), Money(1900, "EUR"), Money(0, "USD"), Money(19000, "USD")])
    async def test_another_amount_credits_nothing_and_can_be_mended(
        self, store: Store, subject: Subject, amount: Money
    ) -> None:
        await store.payments.open_checkout(subject, PRO, settled=0)
        for _ in range(2):
            outcome = await store.payments.settle(subject, replace(paid(PRO), amount=amount))
            assert outcome is SettleOutcome.MISMATCH
        assert (await store.subjects.visit(subject)).entitled_until == 0
        (entry,) = await store.payments.ledger(subject)
        assert (entry["kind"], entry["amount"], entry["currency"]) == ("mismatch", amount.minor, amount.currency)
        assert await store.payments.settle(subject, paid(PRO)) is SettleOutcome.SETTLED

    async def test_an_unknown_checkout_is_entered_once(self, store: Store, subject: Subject) -> None:
        for _ in range(2):
            assert await store.payments.settle(subject, paid(PRO)) is SettleOutcome.UNKNOWN_CHECKOUT
        assert [entry["kind"] for entry in await store.payments.ledger(subject)] == ["unknown-checkout"]

    async def test_the_ledger_says_what_was_paid_for_what(self, store: Store, subject: Subject) -> None:
        large = replace(PRO, price=Money(999_999_999_999_999, "BHD"))
        await store.payments.open_checkout(subject, large, settled=0, now=T0)
        await store.payments.settle(subject, paid(large), now=T0)
        (entry,) = await store.payments.ledger(subject)
        assert entry == {
            "kind": "payment",
            "at": T0,
            "provider": "sandbox",
            "event": "evt1",
            "payment": "pay1",
            "checkout": "c1",
            "offer": "offer1",
            "plan": "pro",
            "amount": 999_999_999_999_999,
            "currency": "BHD",
            "route": "exports",
            "created": T0,
            "period_ms": 30 * DAY,
            "entitled_until": T0 + 30 * DAY,
        }

    async def test_a_report_without_any_id_is_refused(self, store: Store, subject: Subject) -> None:
        with pytest.raises(ValueError, match="repetition"):
            await store.payments.settle(subject, paid(PRO, "", ""))


class TestDisk:
    async def test_with_the_embedded_settings_a_payment_waits_for_the_disk(self, embedded_url: str) -> None:
        store, subject = open_store(patient(embedded_url)), Subject.parse("person:disk")
        await store.link.ask(("CONFIG", "SET", "appendfsync", "everysec"))
        await store.payments.open_checkout(subject, PRO, settled=0)
        assert await store.payments.settle(subject, paid(PRO)) is SettleOutcome.SETTLED
        assert store.warnings() == []
        await store.stop()

    async def test_a_disk_that_is_late_is_never_called_paid_also_when_another_repeats(
        self, embedded_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(durability, "DISK_DEADLINE", 0.5)
        subject, report = Subject.parse("person:late-disk"), replace(paid(PRO), payment="late", event="late")
        verbs: list[Callable[[Store], Awaitable[object]]] = [
            lambda store: store.payments.open_checkout(subject, PRO, settled=0),
            lambda store: store.payments.settle(subject, report),
            lambda store: store.operations.grant(subject, "gift", results=1),
        ]
        operator = open_store(patient(embedded_url))
        try:
            for verb in verbs:
                await operator.link.ask(("CONFIG", "SET", "appendfsync", "no"))
                for _ in range(2):  # the second comes over a connection that has written nothing so far
                    store = open_store(patient(embedded_url))
                    with pytest.raises(StoreUnavailable, match="disk"):
                        await verb(store)
                    await store.stop()
                await operator.link.ask(("CONFIG", "SET", "appendfsync", "everysec"))
                monkeypatch.setattr(durability, "DISK_DEADLINE", 10)
                await verb(operator)
                monkeypatch.setattr(durability, "DISK_DEADLINE", 0.5)
            assert (await operator.subjects.visit(subject)).settled == 1
        finally:
            await operator.link.ask(("CONFIG", "SET", "appendfsync", "everysec"))
            await operator.stop()
