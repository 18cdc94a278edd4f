"""The file in which events wait: whole batches in their order, whatever was cut off, spoilt or taken over."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest

from gateway.store.events import spool as module
from gateway.store.events.backlog import Backlog
from gateway.store.events.spool import Batch, Spool
from gateway.store.files import owned_file

W = "0123456789ab"


def batch(first: int, count: int = 1) -> Batch:
    body = "\n".join(f'trial-began\n1\n{{"at":{place}}}' for place in range(first, first + count))
    return Batch(first, count, body.encode())


def left_behind(folder: Path, *batches: Batch) -> Path:
    """The spool of a process that has ended."""
    spool = Spool.make(folder, W)
    spool.append(batches)
    path, copy = folder / f"{W}.log", folder / "copy"
    shutil.copy(path, copy)
    spool.drop(spool.oldest(10**9))
    spool.close()
    return copy.rename(path)


def adopted(path: Path) -> Spool:
    spool = Spool.adopt(path)
    assert spool is not None
    return spool


def emptied(spool: Spool) -> list[int]:
    """The places of all events that can still be had from it."""
    places: list[int] = []
    while batches := spool.oldest(3):
        assert sum(each.count for each in batches) <= max(3, batches[0].count)
        places += [place for each in batches for place in range(each.first, each.end)]
        spool.drop(batches)
    return places


def test_what_was_left_behind_is_had_in_its_order(tmp_path: Path) -> None:
    path = left_behind(tmp_path, batch(1), batch(2, 5), batch(7), batch(8), batch(12))
    spool = adopted(path)
    assert [each.first for each in spool.oldest(100)] == [1, 2, 7, 8], "a gap ends what is sent together"
    assert emptied(spool) == [1, 2, 3, 4, 5, 6, 7, 8, 12]
    assert path.stat().st_size == 0
    spool.close()
    assert not list(tmp_path.iterdir())


def test_a_last_batch_that_was_cut_off_is_passed_over(tmp_path: Path) -> None:
    for cut in range(batch(3).size):
        path = left_behind(tmp_path, batch(1), batch(2), batch(3))
        os.truncate(path, path.stat().st_size - cut)
        spool = adopted(path)
        assert emptied(spool) == ([1, 2] if cut else [1, 2, 3])
        assert spool.unreadable == (batch(3).size - cut if cut else 0)
        spool.close()


def test_damage_in_the_middle_costs_the_batch_that_it_is_in(tmp_path: Path) -> None:
    first, second = batch(1), batch(2, 2)
    for place in range(second.size):
        path = left_behind(tmp_path, first, second, batch(4))
        data = bytearray(path.read_bytes())
        data[first.size + place] ^= 0x81
        path.write_bytes(data)
        spool = adopted(path)
        assert emptied(spool) == [1, 4], f"byte {place} is another"
        assert spool.unreadable == second.size
        spool.close()


def test_one_at_a_time_has_a_spool(tmp_path: Path) -> None:
    path = left_behind(tmp_path, batch(1))
    first = adopted(path)
    assert Spool.adopt(path) is None
    first.close()
    second = adopted(path)
    assert emptied(second) == [1]
    second.close()
    assert Spool.adopt(path) is None, "it was sent, and is gone"


def test_one_that_is_in_use_is_not_taken_over(tmp_path: Path) -> None:
    spool = Spool.make(tmp_path, W)
    assert Spool.adopt(tmp_path / f"{W}.log") is None
    spool.close()


def test_one_that_was_sent_between_opening_and_locking_is_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, locked = left_behind(tmp_path, batch(1)), owned_file.locked

    def slowly(path: Path, flags: int) -> int:
        file = locked(path, flags)
        path.unlink()
        path.write_bytes(b"of another process")
        return file

    monkeypatch.setattr(owned_file, "locked", slowly)
    assert Spool.adopt(path) is None
    assert path.read_bytes() == b"of another process"


@pytest.mark.parametrize("few", [1_000, 50_000], ids=["much waits", "little waits"])
def test_a_spool_that_is_never_empty_does_not_grow_for_ever(
    few: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_WORTH_REWRITING", few)
    monkeypatch.setattr(module, "SPOOL_LIMIT", 100_000)
    spool, path = Spool.make(tmp_path, W), tmp_path / f"{W}.log"
    seen, size = [], 0
    for first in range(1, 4_001):
        spool.append([batch(first)])
        if first % 6:  # it falls behind, and more and more so
            sent = spool.oldest(1)
            seen += [each.first for each in sent]
            spool.drop(sent)
        size = max(size, path.stat().st_size)
    assert size <= module.SPOOL_LIMIT < 4_000 * batch(1).size, "what was sent has been left out"
    copy = tmp_path / "ffffffffffff.log"
    shutil.copy(path, copy)
    found = emptied(adopted(copy))
    assert found == list(range(found[0], 4_001)) and found[0] <= len(seen) + 1, "so it would be found after a kill"
    assert seen + emptied(spool) == list(range(1, 4_001))
    assert Spool.adopt(path) is None, "it is still this process's"
    spool.close()
    assert list(tmp_path.glob(f"{W}*")) == []


class TestBacklog:
    def test_what_is_under_way_may_move_to_the_disk_meanwhile(self, tmp_path: Path) -> None:
        backlog = Backlog(tmp_path, W, 100)
        backlog.open()
        assert all([backlog.add(batch(first)) for first in (1, 2, 3)])
        under_way = backlog.oldest(2)
        backlog.secure()
        assert backlog.in_memory == 0
        assert backlog.add(batch(4))
        backlog.drop(under_way)
        assert [each.first for each in backlog.oldest(100)] == [3]
        backlog.drop(backlog.oldest(100))
        assert [each.first for each in backlog.oldest(100)] == [4]
        assert backlog.in_memory == 1
        backlog.drop(backlog.oldest(100))
        assert not backlog and not backlog.in_memory
        backlog.close()
        assert not list(tmp_path.iterdir())

    def test_what_waits_has_a_bound_and_what_was_there_first_stays(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "SPOOL_LIMIT", 10 * batch(1).size)
        backlog = Backlog(tmp_path, W, 1_000)
        backlog.open()
        assert [backlog.add(batch(first)) for first in range(1, 8)] == [True] * 7
        backlog.secure()
        assert [backlog.add(batch(first)) for first in range(8, 12)] == [True] * 2 + [False] * 2, "places of two digits"
        backlog.secure()
        assert (tmp_path / f"{W}.log").stat().st_size <= module.SPOOL_LIMIT
        assert [each.first for each in backlog.oldest(100)] == list(range(1, 10))
        backlog.drop(backlog.oldest(100))
        assert backlog.add(batch(10))

    @pytest.mark.parametrize("written", [0, 7])
    def test_a_full_disk_leaves_what_is_new_in_memory_and_is_told(
        self, written: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        backlog = Backlog(tmp_path, W, memory_limit=3)
        backlog.open()
        assert backlog.add(batch(1))
        backlog.secure()
        pwrite = os.pwrite

        def fails(file: int, data: bytes, place: int) -> int:
            if written:
                return pwrite(file, data[:written], place)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(os, "pwrite", fails)
        assert backlog.add(batch(2))
        backlog.secure()
        assert "No space left" in backlog.trouble and str(tmp_path) in backlog.trouble
        assert [backlog.add(batch(first)) for first in (3, 4, 5)] == [True, True, False], "in memory there is less room"
        monkeypatch.undo()
        backlog.close()
        assert not backlog.trouble
        assert emptied(adopted(tmp_path / f"{W}.log")) == [1, 2, 3, 4]
