"""A sweep removes what no hold needs any more, and never what somebody has paid for, whatever became of the store."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.access.frames import FRAME_BYTES
from gateway.access.hold_id import HoldIds
from gateway.access.keep import Keeper, KeepOutcome, OpenedHold
from gateway.access.outside import Outside
from gateway.access.parcel import PATIENCE_MS, Parcel, name_of, read_name
from gateway.access.seal import SealKeys
from gateway.access.sweep import NotSwept, StoreIsOlder, Sweeper, Swept
from gateway.access.teasers import Teasers
from gateway.core.quantity import DAY, HOUR
from gateway.core.rule import HoldLimits
from gateway.core.subject import Subject
from gateway.ports.state import HoldRecord, StoreUnavailable
from gateway.ports.storage import StockIdentity
from gateway.store.connection import Store, open_store
from gateway.store.embedded.server import EmbeddedStore
from gateway.store.keys import STOCK, subject_key
from gateway.wiring.sweeping import Sweeping
from gateway_storage_directory.provider import DirectorySettings, DirectoryStorage
from tests.plugins.host import FakeHost
from tests.store.conftest import new_subject, patient
from tests.store.test_holds import pay

from .test_keep import ScriptedAnswer, body_of

LIMITS = HoldLimits(2 * DAY, 4 * 2**20, 9, 8 * 2**20, 60_000, 0)
SIZE = 2 * FRAME_BYTES
STORED = SIZE + 2 * 16


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """A store of its own for each test, since it is about all that it knows."""
    with EmbeddedStore(tmp_path / "store", report=print) as url:
        opened = open_store(patient(url))
        await opened.start()
        yield opened
        await opened.stop()


@pytest.fixture
async def storage(tmp_path: Path) -> DirectoryStorage:
    made = DirectoryStorage(DirectorySettings(path=tmp_path / "holds"), FakeHost())
    await made.start()
    return made


class House:
    """A gateway's storage and store, on any day."""

    def __init__(self, store: Store, storage: DirectoryStorage, folder: Path) -> None:
        self.store, self.storage, self.folder = store, storage, folder

    async def keep(self, subject: Subject) -> HoldRecord:
        answer = ScriptedAnswer(bytes(SIZE), length=SIZE)
        kept = await self.keeper().keep(subject, "exports", "/may.csv", "", answer)
        assert kept.outcome is KeepOutcome.KEPT and kept.record is not None
        return kept.record

    def keeper(self) -> Keeper:
        outside = Outside("directory", self.storage, self.store.stock, 1024)
        keys = SealKeys(b"k" * 32)
        return Keeper(self.store.holds, HoldIds(b"i" * 32), keys, Teasers((), print), LIMITS, self.now, outside)

    @staticmethod
    def now() -> int:
        return int(time.time() * 1000)

    async def there(self) -> set[str]:
        """The holds that the storage has."""
        return {path.parent.name[22:] for path in self.folder.rglob("0") if path.parent.name != "sweeps"}

    async def sweep_after(
        self, later: int, store: Store | None = None, remove: bool = True, trust_store: bool = False
    ) -> Swept:
        """Sweep on a later day. The files are as old as if that day had come."""
        for path in self.folder.rglob("*"):
            if path.is_file():
                at = path.stat().st_mtime_ns - 2 * DAY * 1_000_000
                os.utime(path, ns=(at, at))
        sweeper = Sweeper(self.storage, (store or self.store).stock, lambda: self.now() + later)
        return await sweeper.sweep(remove=remove, trust_store=trust_store)


LONG_AFTER = LIMITS.ttl_ms + PATIENCE_MS + DAY


@pytest.fixture
def house(store: Store, storage: DirectoryStorage, tmp_path: Path) -> House:
    return House(store, storage, tmp_path / "holds")


async def forget(store: Store, subject: Subject, record: HoldRecord) -> None:
    """As if its time had come."""
    await store.link.ask(("DEL", f"{subject_key(subject)}:hold:{record.id}"))


class TestWhatGoes:
    async def test_the_expired_the_discarded_and_the_erased(self, house: House, subject: Subject) -> None:
        another = new_subject()
        expired, discarded, kept = [await house.keep(subject) for _ in range(3)]
        erased = await house.keep(another)
        await forget(house.store, subject, expired)
        assert await house.store.holds.discard(subject, discarded.id)
        assert await house.store.operations.erase(another)
        swept = await house.sweep_after(LONG_AFTER)
        assert (swept.looked_at, swept.removed) == (4, 3)
        assert await house.there() == {kept.id}
        assert erased.id != kept.id

    async def test_what_was_never_committed(self, house: House, subject: Subject) -> None:
        outside = Outside("directory", house.storage, house.store.stock, 1024)
        hold = HoldIds(b"i" * 32).make(subject.key)
        place = await outside.place(subject, hold, house.now() + LIMITS.ttl_ms)
        await outside.write(place, 0, b"sealed")
        assert (await house.sweep_after(LONG_AFTER - 2 * DAY)).removed == 0
        assert (await house.sweep_after(LONG_AFTER)).removed == 1
        assert await house.there() == set()

    async def test_bytes_are_counted_anew(self, house: House, subject: Subject) -> None:
        records = [await house.keep(subject) for _ in range(2)]
        assert await house.store.stock.add(0) == 2 * STORED
        await house.store.stock.add(12_345)  # a process was killed before it could write what it had counted
        await forget(house.store, subject, records[0])
        swept = await house.sweep_after(LONG_AFTER)
        assert (swept.bytes_removed, swept.bytes_left) == (STORED, STORED)
        assert await house.store.stock.add(0) == STORED


class TestWhatStays:
    async def test_the_paid_that_nobody_came_for_whenever_they_come(self, house: House, subject: Subject) -> None:
        record = await house.keep(subject)
        await pay(house.store, subject, record.id)
        for later in (LONG_AFTER, 400 * DAY, 4000 * DAY):
            assert (await house.sweep_after(later)).removed == 0
        opened = await house.keeper().open(subject, record.id)
        assert isinstance(opened, OpenedHold) and await body_of(opened) == bytes(SIZE)

    async def test_what_is_being_written(self, house: House, subject: Subject) -> None:
        """However late it is: its reservation is asked for, too."""
        hold = HoldIds(b"i" * 32).make(subject.key)
        outside = Outside("directory", house.storage, house.store.stock, 1024)
        assert await house.store.holds.begin(subject, hold, 9, LIMITS.max_total)
        await outside.write(await outside.place(subject, hold, house.now()), 0, b"sealed")
        assert (await house.sweep_after(LONG_AFTER)).removed == 0
        await house.store.holds.discard(subject, hold)
        assert (await house.sweep_after(LONG_AFTER)).removed == 1

    async def test_what_was_written_within_a_day_whatever_its_name_says(self, house: House, subject: Subject) -> None:
        await forget(house.store, subject, await house.keep(subject))
        sweeper = Sweeper(house.storage, house.store.stock, lambda: house.now() + LONG_AFTER)
        assert (await sweeper.sweep()).removed == 1, "by this clock it is days old"
        record = await house.keep(subject)
        await forget(house.store, subject, record)
        ahead = house.now() + LONG_AFTER
        for path in house.folder.rglob("*"):
            os.utime(path, ns=(ahead * 1_000_000, ahead * 1_000_000))
        assert (await Sweeper(house.storage, house.store.stock, lambda: ahead + HOUR).sweep()).removed == 0

    async def test_until_its_day_what_the_store_lost(self, house: House, subject: Subject) -> None:
        """It was put back from a backup, and a better one may be found yet."""
        record = await house.keep(subject)
        await forget(house.store, subject, record)
        assert (await house.sweep_after(LIMITS.ttl_ms + PATIENCE_MS - DAY)).removed == 0
        assert (await house.sweep_after(LONG_AFTER)).removed == 1

    async def test_everything_where_only_looking_was_asked_for(self, house: House, subject: Subject) -> None:
        await forget(house.store, subject, await house.keep(subject))
        for _ in range(2):
            assert (await house.sweep_after(LONG_AFTER, remove=False)).removed == 1
        assert len(await house.there()) == 1
        assert await house.store.stock.sweeps() == 0

    async def test_what_nobody_knows(self, house: House, subject: Subject) -> None:
        identity = await house.store.stock.identity()
        for name in ("lost+found/x", f"{identity.id}/20200101/notes", f"{identity.id}/notes", "f" * 16 + "/20200101/x"):
            (house.folder / name).mkdir(parents=True)
            (house.folder / name / "0").write_text("by hand")
        assert (await house.sweep_after(LONG_AFTER)).looked_at == 0
        assert len(list(house.folder.rglob("0"))) == 5, "these, and the count of sweeps"


class TestAStoreThatIsNotWhatItWas:
    async def test_an_empty_one_removes_nothing(self, house: House, subject: Subject) -> None:
        record = await house.keep(subject)
        await house.sweep_after(0)
        await house.store.link.ask(("FLUSHALL",))
        for _ in range(3):
            assert (await house.sweep_after(LONG_AFTER)).looked_at == 0
        assert await house.there() == {record.id}

    async def test_another_one_removes_nothing(self, house: House, subject: Subject, embedded_url: str) -> None:
        record = await house.keep(subject)
        other = open_store(patient(embedded_url))
        assert (await house.sweep_after(LONG_AFTER, store=other)).looked_at == 0
        await other.stop()
        assert await house.there() == {record.id}

    async def test_one_that_is_away_removes_nothing(self, house: House, subject: Subject, tmp_path: Path) -> None:
        record = await house.keep(subject)
        away = open_store(f"unix://{tmp_path}/nobody")
        with pytest.raises(StoreUnavailable):
            await house.sweep_after(LONG_AFTER, store=away)
        await away.stop()
        assert await house.there() == {record.id}

    async def test_one_that_goes_away_in_the_midst_of_it(self, house: House, subject: Subject) -> None:
        records = [await house.keep(subject) for _ in range(3)]
        await forget(house.store, subject, records[0])

        def tell(swept: Swept) -> None:
            raise StoreUnavailable("it went away")

        sweeper = Sweeper(house.storage, house.store.stock, lambda: house.now() + LONG_AFTER)
        with pytest.raises(StoreUnavailable):
            await sweeper.sweep(tell=tell)
        assert {each.id for each in records[1:]} <= await house.there()
        assert (await house.sweep_after(LONG_AFTER)).looked_at >= 2
        assert await house.there() == {each.id for each in records[1:]}

    async def test_one_that_was_put_back_from_an_old_backup_is_noticed(self, house: House, subject: Subject) -> None:
        record = await house.keep(subject)
        await house.sweep_after(0)
        (backup,) = await house.store.link.ask(("DUMP", STOCK))
        await pay(house.store, subject, record.id)
        await house.sweep_after(DAY)
        await house.store.link.ask(("RESTORE", STOCK, 0, backup, "REPLACE"))
        await forget(house.store, subject, record)
        for remove in (True, False):
            with pytest.raises(StoreIsOlder, match="remembers 1 sweeps of this storage, and there were 2"):
                await house.sweep_after(LONG_AFTER, remove=remove)
        assert await house.there() == {record.id}
        assert (await house.sweep_after(LONG_AFTER, trust_store=True)).removed == 1
        assert (await house.sweep_after(LONG_AFTER)).removed == 0

    @pytest.mark.parametrize("found", [b"many", b"-3", b"1\n", b"\xff", b"9" * 5_000])
    async def test_a_count_that_is_none_is_told_and_can_be_written_anew(
        self, house: House, subject: Subject, found: bytes
    ) -> None:
        record = await house.keep(subject)
        await house.sweep_after(0)
        name = f"{(await house.store.stock.identity()).id}/sweeps"
        await house.storage.write(name, 0, found)
        await forget(house.store, subject, record)
        with pytest.raises(NotSwept, match="should say how often it was swept"):
            await house.sweep_after(LONG_AFTER)
        assert await house.there() == {record.id}
        assert (await house.sweep_after(LONG_AFTER, trust_store=True)).removed == 1
        assert await house.storage.read(name, 0) == b"2"

    async def test_a_storage_that_is_another_one_is_written_anew(self, house: House, subject: Subject) -> None:
        await house.sweep_after(0)
        await house.storage.remove(f"{(await house.store.stock.identity()).id}/sweeps")
        assert (await house.sweep_after(0)).removed == 0
        assert await house.store.stock.sweeps() == 2


class TestTwins:
    """Without any one of its guards, a sweep removes what must stay: each is needed, and looked at above."""

    async def test_that_does_not_ask_the_store(
        self, house: House, subject: Subject, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def never(owner: str, hold: str) -> bool:
            return False

        await pay(house.store, subject, (await house.keep(subject)).id)
        monkeypatch.setattr(house.store.stock, "is_kept", never)
        assert (await house.sweep_after(LONG_AFTER)).removed == 1

    async def test_that_does_not_wait_for_the_day(
        self, house: House, subject: Subject, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await forget(house.store, subject, await house.keep(subject))
        monkeypatch.setattr(Parcel, "may_go", lambda parcel, now: True)
        assert (await house.sweep_after(DAY)).removed == 1

    async def test_that_takes_every_name_for_its_own(
        self, house: House, subject: Subject, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await house.keep(subject)
        identity = await house.store.stock.identity()

        async def as_before() -> StockIdentity:
            return identity

        await house.store.link.ask(("FLUSHALL",))
        monkeypatch.setattr(house.store.stock, "identity", as_before)
        assert (await house.sweep_after(LONG_AFTER)).removed == 1

    async def test_that_does_not_look_when_it_was_written(
        self, house: House, subject: Subject, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await forget(house.store, subject, await house.keep(subject))
        ahead = house.now() + LONG_AFTER
        for path in house.folder.rglob("*"):
            os.utime(path, ns=(ahead * 1_000_000, ahead * 1_000_000))
        monkeypatch.setattr("gateway.access.sweep._FRESH_MS", 0)
        assert (await Sweeper(house.storage, house.store.stock, lambda: ahead + HOUR).sweep()).removed == 1


class TestTurns:
    async def test_one_process_sweeps_at_a_time(self, house: House, subject: Subject) -> None:
        await forget(house.store, subject, await house.keep(subject))
        said: list[str] = []
        makes: Callable[[], Sweeping] = lambda: Sweeping(  # noqa: E731
            house.store.stock, lambda: house.now() + LONG_AFTER, said.append
        )
        await asyncio.gather(*(makes().sweep_in_turn(house.storage) for _ in range(5)))
        assert said == [f"swept the storage of held results: 1 of 1 removed, {STORED} bytes"]
        assert await house.store.stock.sweeps() == 1

    async def test_what_is_wrong_is_said(self, house: House, tmp_path: Path) -> None:
        said: list[str] = []
        away = open_store(f"unix://{tmp_path}/nobody")
        await Sweeping(away.stock, house.now, said.append).sweep_in_turn(house.storage)
        await away.stop()
        await house.sweep_after(0)
        await house.store.link.ask(("HDEL", STOCK, "sweeps"))
        await Sweeping(house.store.stock, house.now, said.append).sweep_in_turn(house.storage)
        assert "could not be swept" in said[0]
        assert "nothing is swept" in said[1] and "paywall holds sweep" in said[1]


class TestNames:
    identity = StockIdentity("0123456789abcdef", b"k" * 32)

    @given(st.binary(min_size=1, max_size=40), st.integers(0, 4 * 10**12))
    def test_say_whose_and_when(self, user: bytes, expires: int) -> None:
        subject = Subject.parse("person:" + user.hex())
        hold = HoldIds(b"i" * 32).make(subject.key)
        name = name_of(self.identity, subject.key, hold, expires)
        parcel = read_name(self.identity, name)
        assert parcel is not None and (parcel.owner, parcel.hold) == (subject.key, hold)
        assert not parcel.may_go(expires) and not parcel.may_go(expires + PATIENCE_MS - DAY)
        assert parcel.may_go(expires + PATIENCE_MS)
        assert subject.key not in name

    @pytest.mark.parametrize(
        "name", ["", "0123456789abcdef", "0123456789abcdef/sweeps", "0123456789abcdef/20261231/x", "a/b/c"]
    )
    def test_others_say_nothing(self, name: str) -> None:
        assert read_name(self.identity, name) is None

    def test_of_another_store_say_nothing(self) -> None:
        name = name_of(self.identity, Subject.parse("a").key, "h" * 32, 0)
        assert isinstance(read_name(self.identity, name), Parcel)
        assert read_name(StockIdentity("f" * 16, b"k" * 32), name) is None
