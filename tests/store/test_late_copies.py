"""What comes twice, and long after it is settled: of a connection that was given up."""

from __future__ import annotations

import pytest

from gateway.core.decision import Purse
from gateway.core.quantity import HOUR, MINUTE, Allowance
from gateway.core.subject import Subject
from gateway.ports.state import (
    GiveBackOutcome,
    GraceAsked,
    HoldBeginOutcome,
    TakeOutcome,
)
from gateway.store.connection import Store
from tests.store.test_holds import begin

T0 = 1_800_000_000_000


@pytest.mark.parametrize("purse", [Purse.GRACE, Purse.CREDIT])
async def test_what_was_given_back_is_not_taken_by_a_copy_that_comes_late(
    store: Store, subject: Subject, purse: Purse
) -> None:
    """The taking was repeated over another connection, and its first copy arrives when all is over."""
    await store.operations.grant(subject, "gift", results=1)
    one = GraceAsked("exports", Allowance(1, 0))
    assert (await store.subjects.take(subject, purse, "op", one)).outcome is TakeOutcome.TAKEN
    assert await store.subjects.give_back(subject, purse, "op", one) is GiveBackOutcome.GIVEN_BACK
    assert (await store.subjects.take(subject, purse, "op", one)).outcome is TakeOutcome.EXHAUSTED
    assert await store.subjects.give_back(subject, purse, "op", one) is GiveBackOutcome.NOT_TAKEN
    assert (await store.subjects.take(subject, purse, "another", one)).outcome is TakeOutcome.TAKEN


async def test_room_that_is_asked_for_again_when_its_reservation_is_forgotten_is_counted_again(
    store: Store, subject: Subject
) -> None:
    for hold, minutes in (("a", 0), ("b", 30), ("c", 60)):
        assert await begin(store, subject, hold, 2, T0 + minutes * MINUTE) is HoldBeginOutcome.RESERVED
    assert await begin(store, subject, "a", 2, T0 + HOUR) is HoldBeginOutcome.LIMIT_REACHED


async def test_a_forgotten_reservation_is_not_found_again(store: Store, subject: Subject) -> None:
    for hold, minutes in (("a", 0), ("b", 30), ("a", 60)):
        assert await begin(store, subject, hold, 2, T0 + minutes * MINUTE) is HoldBeginOutcome.RESERVED
    assert await begin(store, subject, "c", 2, T0 + HOUR) is HoldBeginOutcome.LIMIT_REACHED
