"""Gateways with one thing broken on purpose: what the books must show of each."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from gateway.payments.desk import ProviderDesk
from gateway.ports.cashbook import SettleOutcome
from gateway.ports.journal import NOWHERE
from gateway.store.payments import StoredPayments
from gateway.wiring.withdrawals import Withdrawals


def settle_without_marks() -> None:
    """A payment is not known again when it is reported again."""
    settle = StoredPayments.settle

    async def unmarked(self: StoredPayments, subject: Any, settlement: Any, now: int = 0) -> SettleOutcome:
        fresh = uuid.uuid4().hex
        return await settle(self, subject, replace(settlement, event=fresh, payment=fresh), now)

    StoredPayments.settle = unmarked  # type: ignore[method-assign]


def answer_before_the_store() -> None:
    """The provider is told that a payment is credited before it is."""
    settle = ProviderDesk.settle
    under_way: set[asyncio.Task[SettleOutcome]] = set()

    async def hasty(self: ProviderDesk, report: Any) -> SettleOutcome:
        task = asyncio.create_task(settle(self, report))
        under_way.add(task)
        return SettleOutcome.SETTLED

    ProviderDesk.settle = hasty  # type: ignore[method-assign]


def take_without_journal() -> None:
    """What is taken is not written down."""
    Withdrawals.note = lambda self, withdrawal: NOWHERE  # type: ignore[method-assign]


def record_no_repetition() -> None:
    """A report that is heard again is taken for one that was recorded."""

    async def nothing(self: ProviderDesk, subject: Any, repeated: Any) -> None:
        return

    ProviderDesk._record_again = nothing  # type: ignore[method-assign]


def keep_nothing_on_disk() -> None:
    """It is the store that is broken, not the gateway: see `Lane`."""


TWINS: dict[str, Callable[[], None]] = {
    each.__name__: each
    for each in (
        settle_without_marks,
        answer_before_the_store,
        take_without_journal,
        record_no_repetition,
        keep_nothing_on_disk,
    )
}
