"""What every storage promises, with a real directory and with a real server of buckets."""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
import sys
import threading
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from gateway.access.sweep import probe
from gateway.ports.storage import Storage, StorageUnavailable, Stored
from gateway_storage_directory import plugin as directory
from gateway_storage_s3 import plugin as s3
from tests.access.buckets import KEYS, make_bucket, server_of_buckets
from tests.plugins.host import FakeHost

NAME = "0123456789abcdef/20261231/some-result_1"
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def buckets() -> Iterator[str]:
    with server_of_buckets() as address:
        yield address


def in_bucket(address: str, bucket: str, **more: Any) -> Any:
    keys = {"access_key_id": {"env": "HOLDS_KEY_ID"}, "secret_access_key": {"env": "HOLDS_KEY"}}
    return s3.settings.model_validate({"bucket": bucket, "endpoint": address, **keys, **more})


@pytest.fixture(params=["directory", "s3"])
async def storage(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Storage]:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    if request.param == "directory":
        settings = directory.settings.model_validate({"path": str(tmp_path / "holds")})
        made: Storage = directory.create(settings, FakeHost())
    else:
        address, bucket = request.getfixturevalue("buckets"), uuid.uuid4().hex
        make_bucket(address, bucket)
        made = s3.create(in_bucket(address, bucket, prefix="its/own"), FakeHost())
    await made.start()
    yield made
    await made.stop()


async def all_under(storage: Storage, under: str) -> list[Stored]:
    return sorted([stored async for stored in storage.walk(under)], key=lambda stored: stored.name)


async def test_chunks_come_back_as_they_were(storage: Storage) -> None:
    chunks = [b"", b"\x00\xff", os.urandom(600_000)]
    for number, chunk in enumerate(chunks):
        await storage.write(NAME, number, chunk)
    assert [await storage.read(NAME, number) for number in range(4)] == [*chunks, None]
    assert await storage.read("another/name", 0) is None
    (stored,) = await all_under(storage, NAME)
    assert (stored.name, stored.sizes, stored.size) == (NAME, {0: 0, 1: 2, 2: 600_000}, 600_002)


async def test_what_goes_on_when_its_config_is_replaced_can_be_ended(storage: Storage) -> None:
    """A large download takes longer than the plugins of an old config are left alone."""
    await storage.write(NAME, 0, b"before")
    await storage.stop()
    await storage.write(NAME, 1, b"after")
    assert [await storage.read(NAME, number) for number in (0, 1)] == [b"before", b"after"]


async def test_a_chunk_takes_the_place_of_another(storage: Storage) -> None:
    for content in (b"the first one", b"another"):
        await storage.write(NAME, 7, content)
        await storage.write(NAME, 7, content)
    assert await storage.read(NAME, 7) == b"another"


async def test_a_name_is_removed_with_all_it_has_and_with_nothing_else(storage: Storage) -> None:
    others = ["a/b/cc", "a/b/c-1", "a/bb/c", "b/b/c"]
    for name in ["a/b/c", *others]:
        for number in range(12):
            await storage.write(name, number, b"x")
    for _ in range(2):
        await storage.remove("a/b/c")
    assert [stored.name for stored in await all_under(storage, "a")] == sorted(others[:3])
    assert [len(stored.sizes) for stored in await all_under(storage, "a/b")] == [12, 12]
    await storage.write("a/b/c", 0, b"again")
    assert await storage.read("a/b/c", 0) == b"again"


async def test_more_than_a_page_is_found_and_removed(storage: Storage) -> None:
    await asyncio.gather(*(storage.write(NAME, number, b"x") for number in range(1_100)))
    (stored,) = await all_under(storage, "0123456789abcdef")
    assert stored.size == 1_100
    await storage.remove(NAME)
    assert await all_under(storage, "0123456789abcdef") == []


@pytest.mark.parametrize("name", ["", "/", "a/../b", "../b", "a//b", ".", "a/.hidden", "a\x00", "a" * 101, "a/b/c/d/e"])
async def test_a_name_that_leads_anywhere_else_is_none(storage: Storage, name: str) -> None:
    for attempt in (
        storage.write(name, 0, b"x"),
        storage.read(name, 0),
        storage.remove(name),
        all_under(storage, name),
    ):
        with pytest.raises(ValueError, match="can't name"):
            await attempt


async def test_the_probe_leaves_nothing(storage: Storage) -> None:
    await probe(storage, "a/probe")
    assert await all_under(storage, "a") == []


class TestDirectory:
    def made(self, path: Path) -> Storage:
        made: Storage = directory.create(directory.settings.model_validate({"path": str(path)}), FakeHost())
        return made

    async def test_nobody_else_can_read_it(self, tmp_path: Path) -> None:
        storage = self.made(tmp_path / "holds")
        await storage.start()
        await storage.write(NAME, 0, b"x")
        modes = {
            path: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "holds", *(tmp_path / "holds").rglob("*"))
        }
        assert len(modes) == 5
        assert all(mode == (0o700 if path.is_dir() else 0o600) for path, mode in modes.items())

    async def test_a_folder_that_is_swept_while_it_is_written_to_is_made_again(self, tmp_path: Path) -> None:
        storage = self.made(tmp_path)
        names = [f"a/b/c{number}" for number in range(40)]

        async def go_on(name: str) -> None:
            for number in range(5):
                await storage.write(name, number, b"x")
                await storage.remove(name)
            await storage.write(name, 0, name.encode())

        await asyncio.gather(*map(go_on, names))
        assert [await storage.read(name, 0) for name in names] == [name.encode() for name in names]

    async def test_a_folder_above_that_is_removed_meanwhile_is_made_again(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """By whoever removes the last other name of that day."""
        storage, make = self.made(tmp_path), Path.mkdir
        removed: list[Path] = []

        def remove_what_is_above(self: Path, *args: Any, **more: Any) -> None:
            if self.name == "c" and not removed:
                removed.append(self.parent)
                self.parent.rmdir()
            make(self, *args, **more)

        monkeypatch.setattr(Path, "mkdir", remove_what_is_above)
        await storage.write("a/b/c", 0, b"x")
        assert removed and await storage.read("a/b/c", 0) == b"x"

    async def test_a_disk_that_hangs_is_not_waited_for_for_ever_and_holds_up_nothing_else(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("gateway_storage_directory.provider.CALL_SECONDS", 0.2)
        storage = self.made(tmp_path)
        (tmp_path / "a").mkdir()
        chunk = tmp_path / "a/0"
        os.mkfifo(chunk)  # nobody writes into it: whoever opens it to read waits
        reading = [asyncio.create_task(storage.read("a", 0)) for _ in range(100)]
        await asyncio.sleep(0)
        try:
            # As the names of hosts are found, on the threads that all of a process share.
            async with asyncio.timeout(20):
                await asyncio.to_thread(str)
                found = await asyncio.gather(*reading, return_exceptions=True)
        finally:
            await _until_nobody_waits(chunk)
        assert {str(each) for each in found} == {f"the storage {tmp_path} did not answer within 0.2 s"}
        assert all(isinstance(each, StorageUnavailable) for each in found)

    async def test_a_disk_that_hangs_at_the_start_is_said_and_holds_up_nothing_else(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As when a config is read again while the gateway serves."""
        monkeypatch.setattr("gateway_storage_directory.provider.CALL_SECONDS", 0.2)
        hangs, real = threading.Event(), os.access
        monkeypatch.setattr(os, "access", lambda path, mode: hangs.wait(20) and real(path, mode))
        try:
            with pytest.raises(RuntimeError, match=r"did not answer within 0\.2 s"):
                await self.made(tmp_path).start()
        finally:
            hangs.set()

    async def test_where_it_can_not_be_is_said_at_the_start(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(RuntimeError, match="can't be made"):
            await self.made(tmp_path / "file/holds").start()

    async def test_a_full_disk_leaves_no_part_of_a_chunk(self, tmp_path: Path) -> None:
        program = f"""
import asyncio, resource, signal
from gateway_storage_directory import plugin
from gateway.ports.storage import StorageUnavailable
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
storage = plugin.create(plugin.settings(path={str(tmp_path)!r}), None)
async def main():
    await storage.start()
    await storage.write("a/b", 0, bytes(100_000))
    try:
        await storage.write("a/b", 1, bytes(100_001))
    except StorageUnavailable as error:
        print(error)
asyncio.run(main())
"""
        told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
        assert told.stdout == f"the storage {tmp_path}: File too large\n"
        assert [path.name for path in (tmp_path / "a/b").iterdir()] == ["0"]

    async def test_what_a_killed_process_began_is_no_chunk_and_can_be_removed(self, tmp_path: Path) -> None:
        storage = self.made(tmp_path)
        (tmp_path / "a/b").mkdir(parents=True)
        (tmp_path / "a/b/.new-0-abcd").write_bytes(b"half a ch")
        assert await storage.read("a/b", 0) is None
        (stored,) = await all_under(storage, "a")
        assert stored.sizes == {} and stored.changed > 0
        await storage.remove("a/b")
        assert list(tmp_path.iterdir()) == []

    async def test_every_chunk_is_handed_to_the_disk_before_it_has_its_name(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        done: list[str] = []
        real_sync, real_rename = os.fsync, Path.rename

        def sync(file: int) -> None:
            done.append(f"sync {Path(os.readlink(f'/proc/self/fd/{file}')).name.partition('-')[0]}")
            real_sync(file)

        def rename(self: Path, target: Path) -> Path:
            done.append(f"rename to {target.name}")
            return real_rename(self, target)

        monkeypatch.setattr(os, "fsync", sync)
        monkeypatch.setattr(Path, "rename", rename)
        storage = self.made(tmp_path / "holds")
        await storage.start()
        await storage.write("a/b", 3, b"x")
        assert done == ["sync holds", "sync a", "sync .new", "rename to 3", "sync b"]


async def _until_nobody_waits(fifo: Path) -> None:
    """Let go of those who wait to read from it, a few of whom come only now."""
    for _ in range(20):
        os.close(os.open(fifo, os.O_RDWR))
        await asyncio.sleep(0.01)
    fifo.unlink()


class TestBucket:
    @pytest.fixture(autouse=True)
    def keys(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in KEYS.items():
            monkeypatch.setenv(name, value)

    async def test_a_bucket_that_is_not_there_loses_no_result(self, buckets: str) -> None:
        storage: Storage = s3.create(in_bucket(buckets, "nobody-made-it"), FakeHost())
        await storage.start()
        attempts: list[Callable[[], Any]] = [
            lambda: storage.read(NAME, 0), lambda: storage.write(NAME, 0, b"x"), lambda: storage.remove(NAME),
            lambda: all_under(storage, NAME),
        ]  # fmt: skip
        for attempt in attempts:
            with pytest.raises(StorageUnavailable, match=r"the bucket nobody-made-it: .*\(NoSuchBucket\)"):
                await attempt()

    async def test_a_server_that_is_away_is_said(self) -> None:
        storage: Storage = s3.create(in_bucket("http://127.0.0.1:9", "holds"), FakeHost())
        await storage.start()
        with pytest.raises(StorageUnavailable, match="the bucket holds"):
            await storage.read(NAME, 0)

    async def test_a_key_that_is_missing_is_said_at_the_start(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("HOLDS_KEY")
        storage = s3.create(in_bucket("http://127.0.0.1:9", "holds"), FakeHost())
        with pytest.raises(ValueError, match="HOLDS_KEY is not set"):
            await storage.start()

    @pytest.mark.parametrize(
        ("wrong", "said"),
        [
            ({"bucket": "s3://holds"}, "no name of a bucket"),
            ({"bucket": "holds", "endpoint": "minio:9000"}, "no address of a server"),
            ({"bucket": "holds", "prefix": "../x"}, "no prefix"),
            ({"bucket": "holds", "access_key_id": {"env": "A"}}, "half a key"),
            ({"bucket": "holds", "secret_access_key": "in the file"}, "secret_access_key"),
        ],
    )
    def test_settings_that_can_not_work_are_refused(self, wrong: dict[str, Any], said: str) -> None:
        with pytest.raises(ValidationError, match=said):
            s3.settings.model_validate(wrong)

    def test_a_missing_library_is_said_at_the_start_with_the_mend(self) -> None:
        program = """
import asyncio, sys
sys.modules["obstore"] = None
from gateway_storage_s3 import plugin
try:
    asyncio.run(plugin.create(plugin.settings(bucket="b"), None).start())
except RuntimeError as error:
    print(error)
"""
        told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
        assert "pip install 'paywall-gateway[s3]'" in told.stdout
