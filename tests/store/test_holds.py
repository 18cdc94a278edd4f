"""Results that are kept back, on every server."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

from gateway.core.money import Money
from gateway.core.quantity import DAY, HOUR
from gateway.core.subject import Subject
from gateway.ports.cashbook import CheckoutRecord, Settlement
from gateway.ports.state import (
    NEVER,
    HoldBeginOutcome,
    HoldRecord,
    ReleaseOutcome,
    TrialBegin,
)
from gateway.store.connection import Store
from gateway.store.keys import subject_key

MAX_TOTAL = 10_000


def record(hold: str, chunks: int = 1, size: int = 100, created: int = 0, life: int = DAY) -> HoldRecord:
    now = created or int(time.time() * 1000)
    return HoldRecord(
        id=hold,
        route="exports",
        created=now,
        expires=now + life,
        size=size,
        chunks=chunks,
        status=200,
        media_type="application/pdf",
        filename="report.pdf",
        teaser=b'{"pages":3}',
        fingerprint="f-" + hold,
        sealed_head=b"sealed \x00\xff",
    )


async def keep(
    store: Store, subject: Subject, hold: str, chunks: int = 1, size: int = 100, life: int = DAY
) -> HoldRecord:
    """Keep one result back, all the way."""
    kept = record(hold, chunks, size, life=life)
    assert await begin(store, subject, hold) is HoldBeginOutcome.RESERVED
    for number in range(chunks):
        await store.holds.append(subject, hold, number, f"{hold} chunk {number}".encode())
    assert await store.holds.commit(subject, kept, MAX_TOTAL) is HoldBeginOutcome.RESERVED
    return kept


async def begin(store: Store, subject: Subject, hold: str, max_count: int = 5, now: int = 0) -> HoldBeginOutcome:
    return await store.holds.begin(subject, hold, max_count, MAX_TOTAL, now)


async def pay(store: Store, subject: Subject, hold: str, results: int = 1, period_ms: int = 0) -> None:
    price = Money(300, "USD")
    checkout = CheckoutRecord("c-" + hold, "o-" + hold, "p", price, "sandbox", hold, "", results, period_ms)
    settled = (await store.subjects.visit(subject)).settled
    await store.payments.open_checkout(subject, checkout, settled)
    await store.payments.settle(subject, Settlement("e-" + hold, "p-" + hold, checkout.id, price, "sandbox"))


async def lifetimes(store: Store, subject: Subject, hold: str, chunks: int) -> list[int]:
    """Milliseconds left of the hold and of each chunk; -2 for none."""
    key = f"{subject_key(subject)}:hold:{hold}"
    return await store.link.ask(("PTTL", key), *(("PTTL", f"{key}:{number}") for number in range(chunks)))


async def test_a_hold_comes_back_as_it_was_kept(store: Store, subject: Subject) -> None:
    kept = await keep(store, subject, "h", chunks=3)
    assert await store.holds.get(subject, "h") == kept
    assert await store.holds.all(subject) == [kept]
    chunks = [await store.holds.chunk(subject, "h", number) for number in range(4)]
    assert chunks == [b"h chunk 0", b"h chunk 1", b"h chunk 2", None]
    state = await store.subjects.visit(subject)
    assert (state.holds, state.held_bytes) == (1, 100)
    assert all(DAY - HOUR < left <= DAY for left in await lifetimes(store, subject, "h", 3))


async def test_nobody_elses_hold_is_seen(store: Store, subject: Subject) -> None:
    await keep(store, subject, "h")
    other = Subject.parse(str(subject) + "x")
    assert await store.holds.get(other, "h") is None
    assert await store.holds.chunk(other, "h", 0) is None
    assert await store.holds.release(other, "h") is ReleaseOutcome.GONE


async def test_nothing_is_seen_before_it_is_committed(store: Store, subject: Subject) -> None:
    await begin(store, subject, "h")
    await store.holds.append(subject, "h", 0, b"chunk")
    assert await store.holds.get(subject, "h") is None
    assert await store.holds.chunk(subject, "h", 0) is None
    assert await store.holds.all(subject) == []
    assert 0 < (await lifetimes(store, subject, "h", 1))[1] <= HOUR


async def test_reservations_and_holds_share_one_limit(store: Store, subject: Subject) -> None:
    await keep(store, subject, "a")
    assert await begin(store, subject, "b", max_count=2) is HoldBeginOutcome.RESERVED
    assert await begin(store, subject, "b", max_count=2) is HoldBeginOutcome.RESERVED
    assert await begin(store, subject, "c", max_count=2) is HoldBeginOutcome.LIMIT_REACHED
    await store.holds.discard(subject, "b")
    assert await begin(store, subject, "c", max_count=2) is HoldBeginOutcome.RESERVED


async def test_a_reservation_is_forgotten_after_an_hour(store: Store, subject: Subject) -> None:
    start = 1_800_000_000_000
    assert await begin(store, subject, "a", max_count=1, now=start) is HoldBeginOutcome.RESERVED
    assert await begin(store, subject, "b", max_count=1, now=start + HOUR - 1) is HoldBeginOutcome.LIMIT_REACHED
    assert await begin(store, subject, "b", max_count=1, now=start + HOUR) is HoldBeginOutcome.RESERVED


class TestRoomInBytes:
    """Is reserved before the bytes are anywhere, as they are announced or as they come."""

    async def reserve(self, store: Store, subject: Subject, hold: str, size: int) -> HoldBeginOutcome:
        return await store.holds.begin(subject, hold, 9, MAX_TOTAL, size=size)

    async def test_reservations_and_holds_share_it(self, store: Store, subject: Subject) -> None:
        await keep(store, subject, "kept", size=4_000)
        assert await self.reserve(store, subject, "a", 4_000) is HoldBeginOutcome.RESERVED
        assert await self.reserve(store, subject, "b", 2_001) is HoldBeginOutcome.LIMIT_REACHED
        assert await self.reserve(store, subject, "b", 2_000) is HoldBeginOutcome.RESERVED
        assert await self.reserve(store, subject, "c", 0) is HoldBeginOutcome.LIMIT_REACHED
        await store.holds.discard(subject, "a")
        assert await self.reserve(store, subject, "c", 4_000) is HoldBeginOutcome.RESERVED

    async def test_it_grows_and_never_shrinks(self, store: Store, subject: Subject) -> None:
        assert await self.reserve(store, subject, "a", 0) is HoldBeginOutcome.RESERVED
        assert await self.reserve(store, subject, "b", 3_000) is HoldBeginOutcome.RESERVED
        assert await self.reserve(store, subject, "a", 7_000) is HoldBeginOutcome.RESERVED
        assert await self.reserve(store, subject, "a", 7_001) is HoldBeginOutcome.LIMIT_REACHED
        assert await self.reserve(store, subject, "a", 100) is HoldBeginOutcome.RESERVED
        assert await self.reserve(store, subject, "c", 0) is HoldBeginOutcome.LIMIT_REACHED, "a has 7,000 still"

    async def test_what_is_kept_needs_none_any_more(self, store: Store, subject: Subject) -> None:
        assert await self.reserve(store, subject, "a", 6_000) is HoldBeginOutcome.RESERVED
        await store.holds.append(subject, "a", 0, b"x")
        assert await store.holds.commit(subject, record("a", size=6_000), MAX_TOTAL) is HoldBeginOutcome.RESERVED
        assert await self.reserve(store, subject, "b", 4_000) is HoldBeginOutcome.RESERVED
        assert await store.link.ask(("EXISTS", f"{subject_key(subject)}:hold:a:room")) == [0]

    async def test_many_at_once_get_exactly_what_there_is(self, store: Store, subject: Subject) -> None:
        begun = await asyncio.gather(*(self.reserve(store, subject, f"h{n}", 3_000) for n in range(8)))
        assert sum(each is HoldBeginOutcome.RESERVED for each in begun) == 3


class TestChunksOutside:
    """The store has none of the bytes, and says when they may be seen."""

    def outside(self, hold: str) -> HoldRecord:
        return replace(record(hold, chunks=3), outside=2, outside_at="directory/a/b/c")

    async def test_it_is_kept_with_those_that_are_in_the_store(self, store: Store, subject: Subject) -> None:
        await begin(store, subject, "h")
        await store.holds.append(subject, "h", 0, b"chunk")
        kept = self.outside("h")
        assert await store.holds.commit(subject, kept, MAX_TOTAL) is HoldBeginOutcome.RESERVED
        assert await store.holds.get(subject, "h") == kept
        assert await store.holds.sizes(subject, "h", 2) == [5, 0]

    async def test_one_in_the_store_is_missing(self, store: Store, subject: Subject) -> None:
        await begin(store, subject, "h")
        assert await store.holds.commit(subject, self.outside("h"), MAX_TOTAL) is HoldBeginOutcome.LIMIT_REACHED

    async def test_nothing_is_seen_once_it_was_discarded(self, store: Store, subject: Subject) -> None:
        """Its chunks outside are removed then; what comes late must not show it."""
        kept = replace(self.outside("h"), chunks=2)
        await begin(store, subject, "h")
        assert await store.holds.discard(subject, "h")
        assert await store.holds.commit(subject, kept, MAX_TOTAL) is HoldBeginOutcome.LIMIT_REACHED
        assert await store.holds.get(subject, "h") is None

    async def test_nor_once_its_reservation_is_forgotten(self, store: Store, subject: Subject) -> None:
        start = 1_800_000_000_000
        kept = replace(self.outside("h"), chunks=2, created=start, expires=start + DAY)
        for after, outcome in ((HOUR, HoldBeginOutcome.LIMIT_REACHED), (HOUR - 1, HoldBeginOutcome.RESERVED)):
            await begin(store, subject, "h", now=start)
            assert await store.holds.commit(subject, kept, MAX_TOTAL, now=start + after) is outcome

    async def test_nor_after_its_subject_was_erased(self, store: Store, subject: Subject) -> None:
        await begin(store, subject, "h")
        assert await store.operations.erase(subject)
        kept = replace(self.outside("h"), chunks=2)
        assert await store.holds.commit(subject, kept, MAX_TOTAL) is HoldBeginOutcome.LIMIT_REACHED

    async def test_a_paid_one_is_not_discarded(self, store: Store, subject: Subject) -> None:
        await keep(store, subject, "h")
        await pay(store, subject, "h")
        assert not await store.holds.discard(subject, "h")


async def test_many_at_once_get_exactly_the_room_there_is(store: Store, subject: Subject) -> None:
    begun = await asyncio.gather(*(begin(store, subject, f"h{n}", max_count=3) for n in range(30)))
    assert sum(each is HoldBeginOutcome.RESERVED for each in begun) == 3


async def test_too_many_bytes_drop_the_new_hold(store: Store, subject: Subject) -> None:
    await keep(store, subject, "a", size=9_000)
    await begin(store, subject, "b")
    await store.holds.append(subject, "b", 0, b"chunk")
    assert await store.holds.commit(subject, record("b", size=1_001), MAX_TOTAL) is HoldBeginOutcome.LIMIT_REACHED
    assert await lifetimes(store, subject, "b", 1) == [-2, -2]
    assert [hold.id for hold in await store.holds.all(subject)] == ["a"]


async def test_a_hold_that_lost_a_chunk_is_dropped(store: Store, subject: Subject) -> None:
    await begin(store, subject, "h")
    await store.holds.append(subject, "h", 0, b"chunk")
    assert await store.holds.commit(subject, record("h", chunks=2), MAX_TOTAL) is HoldBeginOutcome.LIMIT_REACHED
    assert await store.holds.get(subject, "h") is None


async def test_commit_and_append_may_be_repeated(store: Store, subject: Subject) -> None:
    kept = await keep(store, subject, "h")
    await store.holds.append(subject, "h", 0, b"h chunk 0")
    assert await store.holds.commit(subject, kept, MAX_TOTAL) is HoldBeginOutcome.RESERVED
    assert min(await lifetimes(store, subject, "h", 1)) > HOUR
    assert (await store.subjects.visit(subject)).holds == 1


async def test_all_are_newest_first_and_found_by_fingerprint(store: Store, subject: Subject) -> None:
    now = int(time.time() * 1000)
    for place, name in enumerate(("a", "b", "c")):
        kept = replace(record(name, created=now - HOUR + place), fingerprint="same" if name != "c" else "other")
        await begin(store, subject, name)
        await store.holds.append(subject, name, 0, b"x")
        await store.holds.commit(subject, kept, MAX_TOTAL)
    assert [hold.id for hold in await store.holds.all(subject)] == ["c", "b", "a"]
    found = await store.holds.find(subject, "same", not_before=now - HOUR)
    assert found is not None and found.id == "b"
    assert await store.holds.find(subject, "same", not_before=now) is None
    assert await store.holds.find(subject, "none", not_before=0) is None


async def test_an_expired_hold_is_gone_and_makes_room(store: Store, subject: Subject) -> None:
    kept = await keep(store, subject, "h")
    assert await store.holds.release(subject, "h", now=kept.expires) is ReleaseOutcome.GONE
    assert (await store.subjects.visit(subject, now=kept.expires)).holds == 0
    assert await begin(store, subject, "i", max_count=1, now=kept.expires) is HoldBeginOutcome.RESERVED


async def test_a_short_hold_does_not_take_a_long_one_along(store: Store, subject: Subject) -> None:
    await keep(store, subject, "long", life=9 * DAY)
    await keep(store, subject, "short", life=HOUR)
    (left,) = await store.link.ask(("PTTL", f"{subject_key(subject)}:holds"))
    assert left > 8 * DAY


async def test_discard_forgets_all_but_what_is_paid(store: Store, subject: Subject) -> None:
    for name in ("a", "b"):
        await keep(store, subject, name, chunks=2)
    await pay(store, subject, "b")
    for name in ("a", "b", "a"):
        await store.holds.discard(subject, name)
    assert await lifetimes(store, subject, "a", 2) == [-2, -2, -2]
    assert [hold.id for hold in await store.holds.all(subject)] == ["b"]


class TestRelease:
    async def test_is_refused_until_something_is_paid(self, store: Store, subject: Subject) -> None:
        await keep(store, subject, "h")
        assert await store.holds.release(subject, "h") is ReleaseOutcome.UNPAID
        hold = await store.holds.get(subject, "h")
        assert hold is not None and (hold.paid, hold.released) == (False, 0)

    async def test_a_payment_for_the_hold_takes_one_of_its_credits(self, store: Store, subject: Subject) -> None:
        await keep(store, subject, "h", chunks=2)
        await pay(store, subject, "h", results=3)
        hold, state = await store.holds.get(subject, "h"), await store.subjects.visit(subject)
        assert hold is not None and hold.paid
        assert (state.credits, state.holds, state.held_bytes) == (2, 0, 0)
        for _ in range(2):
            assert await store.holds.release(subject, "h") is ReleaseOutcome.RELEASED
        assert (await store.subjects.visit(subject)).credits == 2
        assert (await store.payments.ledger(subject))[0]["hold"] == "h"

    async def test_a_paid_hold_stays_until_somebody_comes_for_it(self, store: Store, subject: Subject) -> None:
        await keep(store, subject, "h", chunks=2, life=HOUR)
        await keep(store, subject, "unpaid", life=DAY)
        await pay(store, subject, "h")
        assert await lifetimes(store, subject, "h", 2) == [-1, -1, -1]
        assert await store.link.ask(("PTTL", f"{subject_key(subject)}:holds")) == [-1]
        hold = await store.holds.get(subject, "h")
        assert hold is not None and hold.expires == NEVER
        assert await store.holds.release(subject, "h", now=hold.created + 5000 * DAY) is ReleaseOutcome.RELEASED

    async def test_the_list_of_holds_ends_with_the_last_of_them(self, store: Store, subject: Subject) -> None:
        await keep(store, subject, "h", life=HOUR)
        await keep(store, subject, "unpaid", life=60 * DAY)
        await pay(store, subject, "h")
        await store.holds.release(subject, "h")
        (left,) = await store.link.ask(("PTTL", f"{subject_key(subject)}:holds"))
        assert 59 * DAY < left <= 60 * DAY
        await store.holds.discard(subject, "unpaid")
        await store.holds.release(subject, "h")
        (left,) = await store.link.ask(("PTTL", f"{subject_key(subject)}:holds"))
        assert 29 * DAY < left <= 30 * DAY

    async def test_a_delivered_hold_stays_thirty_days_more(self, store: Store, subject: Subject) -> None:
        await keep(store, subject, "h", chunks=2, life=HOUR)
        await pay(store, subject, "h")
        await store.holds.release(subject, "h")
        left = await lifetimes(store, subject, "h", 2)
        assert all(29 * DAY < each <= 30 * DAY for each in left)

    async def test_what_is_being_paid_for_does_not_expire(self, store: Store, subject: Subject) -> None:
        kept = await keep(store, subject, "h", chunks=2, life=HOUR)
        checkout = CheckoutRecord("c", "o", "p", Money(300, "USD"), "sandbox", hold="h", results=1)
        await store.payments.open_checkout(subject, checkout, settled=0)
        assert min(await lifetimes(store, subject, "h", 2)) > DAY
        hold = await store.holds.get(subject, "h")
        assert hold is not None and hold.expires > kept.expires + DAY

    async def test_a_payment_whose_hold_is_gone_leaves_the_credit(self, store: Store, subject: Subject) -> None:
        await pay(store, subject, "never-kept", results=1)
        assert (await store.subjects.visit(subject)).credits == 1

    async def test_a_period_releases_and_what_went_out_stays_out(self, store: Store, subject: Subject) -> None:
        await keep(store, subject, "h", life=9 * DAY)
        state = await store.operations.grant(subject, "gift", period_ms=DAY)
        assert await store.holds.release(subject, "h") is ReleaseOutcome.RELEASED
        assert await store.holds.release(subject, "h", now=state.entitled_until + 1) is ReleaseOutcome.RELEASED

    async def test_a_trial_that_goes_on_releases(self, store: Store, subject: Subject) -> None:
        await keep(store, subject, "h", life=9 * DAY)
        await store.subjects.visit(subject, TrialBegin(DAY))
        ends = (await store.subjects.visit(subject)).trial_ends
        assert await store.holds.release(subject, "h", now=ends) is ReleaseOutcome.UNPAID
        assert await store.holds.release(subject, "h", now=ends - 1) is ReleaseOutcome.RELEASED
        assert await store.holds.release(subject, "h", now=ends) is ReleaseOutcome.RELEASED

    async def test_credits_that_do_not_count_are_not_spent(self, store: Store, subject: Subject) -> None:
        await keep(store, subject, "h")
        await store.operations.grant(subject, "gift", results=2)
        assert await store.holds.release(subject, "h", credits=False) is ReleaseOutcome.UNPAID
        assert (await store.subjects.visit(subject)).credits == 2
        await pay(store, subject, "h")
        assert await store.holds.release(subject, "h", credits=False) is ReleaseOutcome.RELEASED
        assert (await store.subjects.visit(subject)).credits == 2

    async def test_a_credit_is_spent_once_by_many_at_once(self, store: Store, subject: Subject) -> None:
        await keep(store, subject, "h")
        await store.operations.grant(subject, "gift", results=2)
        released = await asyncio.gather(*(store.holds.release(subject, "h") for _ in range(20)))
        assert set(released) == {ReleaseOutcome.RELEASED}
        assert (await store.subjects.visit(subject)).credits == 1
        hold = await store.holds.get(subject, "h")
        assert hold is not None and hold.paid
        assert min(await lifetimes(store, subject, "h", 1)) > 29 * DAY

    async def test_paid_holds_count_for_no_limit(self, store: Store, subject: Subject) -> None:
        for name in ("a", "b"):
            await keep(store, subject, name, size=9_000)
            await pay(store, subject, name)
        assert await begin(store, subject, "c", max_count=1) is HoldBeginOutcome.RESERVED
