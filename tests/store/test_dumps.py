"""What any version of the gateway left in the store, this one goes on with."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from gateway.core.decision import Purse
from gateway.core.quantity import DAY
from gateway.payments.audit import audit
from gateway.ports.cashbook import CheckoutOutcome, SettleOutcome
from gateway.ports.state import ReleaseOutcome, TakeOutcome, TrialBegin
from gateway.store.connection import Store
from gateway.store.schema import SCHEMA
from tests.store.dump import FOLDER, load, made, stored
from tests.store.lives import FOR_EVER, GRACE, LATER, MONTH, NAMES, ONE, PACK, report, who
from tests.store.test_books import books

SCHEMAS = sorted(int(file.stem) for file in FOLDER.glob("*.json"))


async def test_data_has_the_form_that_its_schema_says(embedded_url: str) -> None:
    """When this fails, the data has another form than before. What a released version would misread needs another
    schema, and a dump of its own; what only adds needs `python -m tests.store.dump`, and a look at the difference."""
    there, now = stored(SCHEMA), json.loads(json.dumps(await made(embedded_url)))
    for name in there["keys"] | now["keys"]:
        assert _settled(now["keys"].get(name)) == _settled(there["keys"].get(name)), name
    assert _still_there(now["exports"], there["exports"])


def _still_there(now: dict[str, Any], before: dict[str, Any]) -> bool:
    """Whether all is told that was told before; more may be told of it today."""
    return {name: {**now[name], **before[name]} for name in before} == {name: now[name] for name in before}


def _settled(key: Any) -> Any:
    """Without the minutes that a slow machine may take."""
    return key and {**key, "minutes": round(key["minutes"], -1)}


@pytest.fixture(params=SCHEMAS)
async def old(request: pytest.FixtureRequest, store: Store) -> dict[str, Any]:
    """Data of some schema, in a store of today."""
    dumped = stored(request.param)
    await load(store.link, dumped["keys"])
    return dumped


async def test_all_of_it_is_read(store: Store, old: dict[str, Any]) -> None:
    exports = {name: json.loads(json.dumps(await store.operations.export(who(name)))) for name in old["exports"]}
    assert _still_there(exports, old["exports"])
    read = await books(store)
    assert len(read) >= len(old["exports"])
    assert [fault for book in read.values() for fault in audit(book)] == []


@pytest.mark.usefixtures("old")
async def test_nobody_has_a_second_trial(store: Store) -> None:
    for name in NAMES:
        assert not (await store.subjects.visit(who(name), TrialBegin(14 * DAY), now=LATER)).trial_began


@pytest.mark.usefixtures("old")
async def test_what_was_taken_stays_taken(store: Store) -> None:
    subject = who("grace")
    again = await store.subjects.take(subject, Purse.GRACE, "o1-exports", GRACE, LATER)
    assert (again.outcome, again.left) == (TakeOutcome.REPLAYED, 1)
    assert (await store.subjects.take(subject, Purse.GRACE, "o3", FOR_EVER, LATER)).outcome is TakeOutcome.EXHAUSTED
    late_copy = await store.subjects.take(subject, Purse.GRACE, "o2-exports", GRACE, LATER)
    assert late_copy.outcome is TakeOutcome.EXHAUSTED


@pytest.mark.usefixtures("old")
async def test_what_was_paid_counts_once_and_what_was_not_can_be(store: Store) -> None:
    for name, record in {"entitled": MONTH, "with-credits": PACK, "paid-for-a-hold": ONE, "paid-in-vain": ONE}.items():
        assert await store.payments.settle(who(name), report(who(name), record), LATER) is SettleOutcome.REPLAYED
    assert (
        await store.payments.open_checkout(who("entitled"), MONTH, 1, LATER)
    ).outcome is CheckoutOutcome.ALREADY_PAID
    assert (await store.payments.open_checkout(who("opened"), MONTH, 0, LATER)).outcome is CheckoutOutcome.REOPENED
    assert await store.payments.settle(who("opened"), report(who("opened"), MONTH), LATER) is SettleOutcome.SETTLED
    right = replace(report(who("mismatched"), MONTH), event="another", payment="the right one")
    assert await store.payments.settle(who("mismatched"), right, LATER) is SettleOutcome.SETTLED
    assert await store.payments.settle(who("trial"), report(who("entitled"), MONTH), LATER) is SettleOutcome.ANOTHERS


@pytest.mark.usefixtures("old")
async def test_what_was_held_is_given_to_whom_it_belongs(store: Store) -> None:
    assert await store.holds.release(who("holding"), "h", now=LATER) is ReleaseOutcome.UNPAID
    for name in ("paid-for-a-hold", "took-it"):
        assert await store.holds.release(who(name), "h", now=LATER) is ReleaseOutcome.RELEASED
        chunks = [await store.holds.chunk(who(name), "h", number) for number in range(2)]
        assert chunks == [b"\x00" * 100, b"\x01" * 100]
