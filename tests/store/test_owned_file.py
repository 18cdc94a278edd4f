"""Files that outlive their process: whose they are, which store they are for, and what happens without room."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.store.files import owned_file
from gateway.store.files.owned_file import assign, inherit, is_for, locked, make_owned

A, B = "a" * 16, "b" * 16


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_a_name_tells_for_which_store_a_file_is(tmp_path: Path) -> None:
    path = tmp_path / "0123456789ab.log"
    file = make_owned(path)
    assert is_for(path, A) and is_for(path, B), "nobody has said for which"
    assigned = assign(path, A)
    assert is_for(assigned, A) and not is_for(assigned, B)
    assert [each.name for each in tmp_path.iterdir()] == [f"0123456789ab.{A}.log"]
    assert inherit(assigned) is None, "it is still locked"
    os.close(file)
    heir = inherit(assigned)
    assert heir is not None
    os.close(heir)


def test_one_that_is_assigned_while_somebody_looks_is_not_inherited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "0123456789ab.log"
    os.close(make_owned(path))

    def slowly(path: Path, flags: int) -> int:
        file = locked(path, flags)
        assign(path, A)
        return file

    monkeypatch.setattr(owned_file, "locked", slowly)
    before = open_files()
    assert inherit(path) is None
    assert open_files() == before
    assert (tmp_path / f"0123456789ab.{A}.log").exists()


def test_what_its_process_had_not_finished_goes_with_the_inheritance(tmp_path: Path) -> None:
    path = tmp_path / f"0123456789ab.{A}.log"
    os.close(make_owned(path))
    path.with_suffix(".new").write_bytes(b"half of a rewritten file")
    heir = inherit(path)
    assert heir is not None
    os.close(heir)
    assert list(tmp_path.iterdir()) == [path]


def test_a_name_that_can_not_be_given_leaves_no_file_open(tmp_path: Path) -> None:
    path = tmp_path / "0123456789ab.log"
    path.mkdir()
    before = open_files()
    with pytest.raises(OSError, match="directory"):
        make_owned(path)
    assert open_files() == before


def test_a_journal_that_finds_no_room_leaves_nothing_and_nobody_is_ended(tmp_path: Path) -> None:
    """A limit of the system's on the size of files takes the place of a full disk: the kernel refuses the same call."""
    program = f"""
import os, resource
from pathlib import Path
from gateway.store.files.journal import FileJournal
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
before = os.listdir("/proc/self/fd")
try:
    FileJournal(Path({str(tmp_path)!r}))
except OSError as error:
    print("refused:", error.strerror)
assert os.listdir("/proc/self/fd") == before
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr, done.returncode) == ("refused: File too large\n", "", 0)
    assert list(tmp_path.iterdir()) == []
