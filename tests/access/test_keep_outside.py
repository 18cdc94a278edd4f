"""Large results go outside of the store, in a real directory and in real buckets, and come out again as they were."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.access.frames import FRAME_BYTES
from gateway.access.hold_id import HoldIds
from gateway.access.keep import Keeper, KeepOutcome, Kept, OpenedHold, OpenRefusal
from gateway.access.outside import Outside
from gateway.access.seal import Damaged, SealKeys
from gateway.access.sweep import Sweeper
from gateway.access.teasers import Teasers
from gateway.core.quantity import DAY
from gateway.core.subject import Subject
from gateway.ports.state import HoldRecord, StoreUnavailable
from gateway.ports.storage import Storage, StorageUnavailable
from gateway.store.connection import Store
from gateway_storage_directory.provider import DirectorySettings, DirectoryStorage
from gateway_storage_s3 import plugin as s3
from tests.access.buckets import KEYS, make_bucket, server_of_buckets
from tests.plugins.host import FakeHost

from .test_keep import LIMITS, NOW, ScriptedAnswer, body_of, nothing_is_left

LARGE = FRAME_BYTES
SIZES = [FRAME_BYTES, FRAME_BYTES + 1, 3 * FRAME_BYTES, 3 * FRAME_BYTES + 7]


@pytest.fixture(scope="module")
def buckets() -> Iterator[str]:
    with server_of_buckets() as address:
        yield address


@pytest.fixture
async def directory(tmp_path: Path) -> DirectoryStorage:
    storage = DirectoryStorage(DirectorySettings(path=tmp_path / "holds"), FakeHost())
    await storage.start()
    return storage


@pytest.fixture(params=["directory", "s3"])
async def storage(
    request: pytest.FixtureRequest, directory: DirectoryStorage, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Storage]:
    if request.param == "directory":
        yield directory
        return
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    address, bucket = request.getfixturevalue("buckets"), os.urandom(8).hex()
    make_bucket(address, bucket)
    keys = {"access_key_id": {"env": "HOLDS_KEY_ID"}, "secret_access_key": {"env": "HOLDS_KEY"}}
    made: Storage = s3.create(s3.settings.model_validate({"bucket": bucket, "endpoint": address, **keys}), FakeHost())
    await made.start()
    yield made
    await made.stop()


Make = Callable[..., Keeper]


@pytest.fixture
def make(store: Store, directory: DirectoryStorage) -> Make:
    """A keeper with other limits, secrets or storages; into a directory if nothing else is said."""

    def made(
        storage: Storage | None = directory,
        secrets: tuple[bytes, ...] = (b"k" * 32,),
        max_stored: int = 0,
        name: str = "test",
        max_size: int = 4 * 2**20,
        max_total: int = 8 * 2**20,
    ) -> Keeper:
        outside = None if storage is None else Outside(name, storage, store.stock, LARGE, max_stored)
        limits = replace(LIMITS, max_size=max_size, max_total=max_total)
        ids, keys = HoldIds(*secrets), SealKeys(*secrets)
        return Keeper(store.holds, ids, keys, Teasers((), print), limits, lambda: NOW, outside)

    return made


def body(size: int) -> bytes:
    return bytes(number % 251 for number in range(size))


async def keep(keeper: Keeper, subject: Subject, size: int, announced: bool = False) -> HoldRecord:
    content = body(size)
    pieces = [content[start : start + 100_003] for start in range(0, size, 100_003)]
    answer = ScriptedAnswer(*pieces, length=size if announced else None)
    kept = await keeper.keep(subject, "exports", "/may.csv", str(size), answer)
    assert kept.outcome is KeepOutcome.KEPT and kept.record is not None
    return kept.record


async def there(storage: Storage, store: Store) -> list[int]:
    """How many chunks each result has in the storage."""
    identity = await store.stock.identity()
    return [len(stored.sizes) async for stored in storage.walk(identity.id) if not stored.name.endswith("sweeps")]


@pytest.mark.parametrize("announced", [True, False], ids=["announced", "as it comes"])
@pytest.mark.parametrize("size", SIZES)
async def test_they_come_out_as_they_were(
    store: Store, storage: Storage, make: Make, subject: Subject, size: int, announced: bool
) -> None:
    keeper = make(storage)
    record = await keep(keeper, subject, size, announced)
    outside = record.chunks if announced and size > LARGE else max(record.chunks - 1, 0)
    assert (record.outside, record.size) == (outside, size)
    assert await there(storage, store) == ([outside] if outside else [])
    assert await keeper.open(subject, record.id) is OpenRefusal.UNPAID
    await store.operations.grant(subject, "gift", results=1)
    for _ in range(2):
        assert await body_of(await keeper.open(subject, record.id)) == body(size)
    assert (await store.subjects.visit(subject)).credits == 0


async def test_neither_bytes_nor_names_tell_anything(
    store: Store, directory: DirectoryStorage, make: Make, subject: Subject, tmp_path: Path
) -> None:
    kept = await make().keep(subject, "r", "/x", "f", ScriptedAnswer(b"a secret of the application, " * 40_000))
    assert kept.record is not None and kept.record.outside
    files = [path for path in (tmp_path / "holds").rglob("*") if path.is_file()]
    assert files and not any(b"secret of the application" in path.read_bytes() for path in files)
    assert not any(subject.key in str(path) for path in files)


class TestWhatIsNotKept:
    """Leaves nothing behind, here or there."""

    @pytest.fixture
    async def count(self, store: Store) -> Callable[[], object]:
        async def counted() -> int:
            return await store.stock.add(0)

        return counted

    async def expect(
        self, store: Store, storage: Storage, keeper: Keeper, subject: Subject, answer: ScriptedAnswer, why: KeepOutcome
    ) -> None:
        before, counted = await there(storage, store), await store.stock.add(0)
        assert await keeper.keep(subject, "r", "/x", "f", answer) == Kept(why)
        assert await nothing_is_left(store, subject)
        assert await there(storage, store) == before
        assert await store.stock.add(0) == counted

    async def test_too_large(self, store: Store, storage: Storage, make: Make, subject: Subject) -> None:
        answer = ScriptedAnswer(*[bytes(2**20)] * 9)
        await self.expect(store, storage, make(storage), subject, answer, KeepOutcome.TOO_LARGE)

    async def test_more_than_there_is_room_for(
        self, store: Store, storage: Storage, make: Make, subject: Subject
    ) -> None:
        """What comes over the cap of the subject is not taken, nor written anywhere."""
        keeper = make(storage, max_size=3 * 2**20, max_total=4 * 2**20)
        await keep(keeper, subject, 2 * 2**20)
        for length in (2 * 2**20 + 1, None):
            answer = ScriptedAnswer(*[bytes(2**20)] * 3, length=length)
            before = await there(storage, store)
            assert await keeper.keep(subject, "r", "/x", "f", answer) == Kept(KeepOutcome.LIMIT_REACHED)
            assert await there(storage, store) == before
            assert answer.read_bytes <= (0 if length else 3 * 2**20)

    async def test_two_at_once_get_no_more_than_there_is(
        self, store: Store, directory: DirectoryStorage, make: Make, subject: Subject
    ) -> None:
        keeper = make(max_size=3 * 2**20, max_total=4 * 2**20)
        answers = [ScriptedAnswer(*[bytes(2**20)] * 3) for _ in range(3)]
        kept = await asyncio.gather(*(keeper.keep(subject, "r", "/x", str(n), a) for n, a in enumerate(answers)))
        outcomes = [each.outcome for each in kept]
        assert outcomes.count(KeepOutcome.KEPT) <= 1 and set(outcomes) <= {KeepOutcome.KEPT, KeepOutcome.LIMIT_REACHED}
        assert len(await there(directory, store)) == outcomes.count(KeepOutcome.KEPT)

    async def test_more_than_the_storage_may_have(
        self, store: Store, storage: Storage, make: Make, subject: Subject
    ) -> None:
        room = await store.stock.add(0) + 2 * (FRAME_BYTES + 16)
        answer = ScriptedAnswer(bytes(4 * FRAME_BYTES))
        await self.expect(store, storage, make(storage, max_stored=room), subject, answer, KeepOutcome.LIMIT_REACHED)
        await keep(make(storage, max_stored=room), subject, 3 * FRAME_BYTES)

    async def test_given_up_by_the_client(self, store: Store, storage: Storage, make: Make, subject: Subject) -> None:
        reached = asyncio.Event()

        async def wait() -> None:
            reached.set()
            await asyncio.Event().wait()

        answer = ScriptedAnswer(bytes(3 * FRAME_BYTES + 1), wait(), length=4 * 2**20)
        task = asyncio.create_task(make(storage).keep(subject, "r", "/x", "f", answer))
        await asyncio.wait_for(reached.wait(), 10)
        assert await there(storage, store) == [3]
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await nothing_is_left(store, subject) and await there(storage, store) == []

    async def test_on_a_disk_that_takes_no_more(
        self, store: Store, directory: DirectoryStorage, make: Make, subject: Subject, tmp_path: Path
    ) -> None:
        (tmp_path / "holds").rmdir()
        (tmp_path / "holds").write_text("in the place of the directory")
        with pytest.raises(StorageUnavailable, match="Not a directory"):
            await make().keep(subject, "r", "/x", "f", ScriptedAnswer(bytes(2 * FRAME_BYTES)))
        assert await nothing_is_left(store, subject)


class TestDamage:
    """Is found before it costs anything."""

    def chunk(self, tmp_path: Path, number: int) -> Path:
        (found,) = (tmp_path / "holds").rglob(str(number))
        return found

    async def refused(self, store: Store, keeper: Keeper, subject: Subject, record: HoldRecord, match: str) -> None:
        await store.operations.grant(subject, "gift", results=1)
        with pytest.raises(Damaged, match=match):
            await keeper.open(subject, record.id)
        assert (await store.subjects.visit(subject)).credits == 1
        hold = await store.holds.get(subject, record.id)
        assert hold is not None and (hold.paid, hold.released) == (False, 0)

    @pytest.mark.parametrize("number", [1, 2, 3])
    async def test_a_chunk_is_missing(
        self, store: Store, make: Make, subject: Subject, tmp_path: Path, number: int
    ) -> None:
        record = await keep(make(), subject, 3 * FRAME_BYTES + 5)
        self.chunk(tmp_path, number).unlink()
        await self.refused(store, make(), subject, record, f"chunk {number} of a held result is missing")

    async def test_a_chunk_is_cut_short(self, store: Store, make: Make, subject: Subject, tmp_path: Path) -> None:
        record = await keep(make(), subject, 3 * FRAME_BYTES)
        os.truncate(self.chunk(tmp_path, 2), 1000)
        await self.refused(store, make(), subject, record, "another length")

    @pytest.mark.parametrize("number", [1, 2, 3])
    async def test_a_byte_is_altered(
        self, store: Store, make: Make, subject: Subject, tmp_path: Path, number: int
    ) -> None:
        record = await keep(make(), subject, 3 * FRAME_BYTES + 5)
        content = bytearray(self.chunk(tmp_path, number).read_bytes())
        content[4] ^= 1
        self.chunk(tmp_path, number).write_bytes(content)
        await self.refused(store, make(), subject, record, f"chunk {number} of a held result does not open")

    async def test_a_storage_that_is_away_is_no_damage(
        self, store: Store, directory: DirectoryStorage, make: Make, subject: Subject, tmp_path: Path
    ) -> None:
        record = await keep(make(), subject, 3 * FRAME_BYTES)
        await store.operations.grant(subject, "gift", results=1)
        for elsewhere in (make(None), make(directory, name="s3")):
            with pytest.raises(StoreUnavailable, match="name it again"):
                await elsewhere.open(subject, record.id)
        assert (await store.subjects.visit(subject)).credits == 1
        assert await body_of(await make().open(subject, record.id)) == body(3 * FRAME_BYTES)


class TestANewSecret:
    OLD, NEW, OTHER = b"o" * 32, b"n" * 32, b"x" * 32

    async def test_what_was_kept_under_the_old_one_opens(self, store: Store, make: Make, subject: Subject) -> None:
        old = await keep(make(secrets=(self.OLD,)), subject, 3 * FRAME_BYTES)
        after = make(secrets=(self.NEW, self.OTHER, self.OLD))
        new = await keep(after, subject, 2 * FRAME_BYTES)
        assert {each.id for each in await after.waiting(subject)} == {old.id, new.id}
        await store.operations.grant(subject, "gift", period_ms=DAY)
        assert await body_of(await after.open(subject, old.id)) == body(3 * FRAME_BYTES)
        assert await body_of(await after.open(subject, new.id)) == body(2 * FRAME_BYTES)
        assert old.sealed_with != new.sealed_with
        assert await make(secrets=(self.OLD,)).open(subject, new.id) is OpenRefusal.UNKNOWN

    async def test_so_does_what_a_version_kept_that_did_not_name_its_secret(
        self, store: Store, make: Make, subject: Subject
    ) -> None:
        before = make(None, secrets=(self.OLD,))
        record = await keep(before, subject, 10)
        key = f"pw:{{{subject.key}}}:hold:{record.id}"
        sealer = SealKeys(self.OLD).sealer(record.id, subject.key, b"")
        _, head = (await before.head(subject, record.id)), await before.head(subject, record.id)
        assert not isinstance(head, OpenRefusal)
        await store.link.ask(
            ("HDEL", key, "salt", "sealed_with", "outside", "outside_at"),
            ("HSET", key, "sealed_head", sealer.seal_head(head[1])),
            ("SET", f"{key}:0", sealer.seal(0, True, body(10))),
        )
        await store.operations.grant(subject, "gift", results=1)
        opened = await make(secrets=(self.NEW, self.OTHER, self.OLD)).open(subject, record.id)
        assert isinstance(opened, OpenedHold) and await body_of(opened) == body(10)

    async def test_where_it_is_not_named_nothing_is_shown_nor_taken(
        self, store: Store, make: Make, subject: Subject
    ) -> None:
        record = await keep(make(secrets=(self.OLD,)), subject, 3 * FRAME_BYTES)
        after = make(secrets=(self.NEW,))
        await store.operations.grant(subject, "gift", results=1)
        assert await after.open(subject, record.id) is OpenRefusal.UNKNOWN
        assert await after.waiting(subject) == []
        keys = SealKeys(self.NEW)
        with pytest.raises(Damaged, match="former_secrets"):
            keys.opener(record, subject.key)
        assert (await store.subjects.visit(subject)).credits == 1


async def test_erased_with_its_subject_it_is_swept(
    store: Store, directory: DirectoryStorage, make: Make, subject: Subject
) -> None:
    await keep(make(), subject, 3 * FRAME_BYTES)
    assert await store.operations.erase(subject)
    swept = await Sweeper(directory, store.stock, lambda: NOW + 365 * DAY).sweep()
    assert swept.removed == 1 and await there(directory, store) == []
