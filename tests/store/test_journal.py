"""The journal of withdrawals: what stands in it when its process is killed, and who finds it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.core.decision import Purse
from gateway.core.subject import Subject
from gateway.ports.journal import NOWHERE, Withdrawal
from gateway.store.files.journal import PLACE_BYTES, PLACES, FileJournal, estates, strange_estates

ANN = Withdrawal(Subject.parse("person:ann"), Purse.CREDIT, "op-1", "exports", "reports")
ODD = Withdrawal(Subject.parse("account:line\nbreak \ud800 ü"), Purse.GRACE, "op-2", "", "")


def found(folder: Path) -> list[Withdrawal]:
    """What is left by processes that have ended; it is left where it is."""
    withdrawals: list[Withdrawal] = []
    for estate in estates(folder):
        withdrawals += [withdrawal for _, withdrawal in estate.withdrawals()]
        estate.close(settled=False)
    return withdrawals


def test_what_is_left_is_found_and_what_was_crossed_out_is_not(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path)
    places = [journal.note(each) for each in (ANN, ODD, ANN)]
    journal.cross_out(places[2])
    assert found(tmp_path) == [], "its process lives"
    journal.close()
    assert found(tmp_path) == [ANN, ODD] == found(tmp_path)


def test_a_settled_estate_is_gone(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path)
    for each in (ANN, ODD):
        journal.note(each)
    journal.close()
    (estate,) = estates(tmp_path)
    (place, _), _ = estate.withdrawals()
    estate.cross_out(place)
    estate.close(settled=False)
    assert found(tmp_path) == [ODD], "what is settled of it is not settled again"
    (estate,) = estates(tmp_path)
    estate.close(settled=True)
    assert list(tmp_path.iterdir()) == []


def test_one_finds_it_and_no_other_at_the_same_time(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path)
    journal.note(ANN)
    journal.close()
    (estate,) = estates(tmp_path)
    assert list(estates(tmp_path)) == []
    estate.close(settled=True)
    assert list(estates(tmp_path)) == []


def test_nothing_is_left_where_all_was_crossed_out(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path)
    for _ in range(3 * PLACES):
        journal.cross_out(journal.note(ANN))
    journal.close()
    assert list(tmp_path.iterdir()) == []


def test_what_does_not_fit_is_taken_without(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path)
    long = Withdrawal(ANN.subject, Purse.GRACE, "op", "s" * PLACE_BYTES, "r")
    assert journal.note(long) == NOWHERE
    assert NOWHERE not in [journal.note(ANN) for _ in range(PLACES)]
    assert journal.note(ANN) == NOWHERE
    journal.cross_out(NOWHERE)
    journal.close()
    assert len(found(tmp_path)) == PLACES


@pytest.mark.parametrize("text", [b"", b"\x00", b"\xff" * 100, b"\x00\x05abcde", b"\xff\xff" + b"a\n" * 600])
def test_what_can_not_be_read_hurts_nobody(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "damaged.journal").write_bytes(text)
    assert found(tmp_path) == []


@pytest.mark.parametrize("damage", [b"\xff" * 20, b"\xff\xff", b"\x00\x00", b"\x00\x09no-purse\n"])
def test_a_damaged_record_takes_no_other_along(tmp_path: Path, damage: bytes) -> None:
    journal = FileJournal(tmp_path)
    places = [journal.note(each) for each in (ANN, ODD, ANN)]
    journal.close()
    (path,) = tmp_path.iterdir()
    with path.open("r+b") as file:
        file.seek(places[1] * PLACE_BYTES)
        file.write(damage)
    assert found(tmp_path) == [ANN, ANN]


def test_one_for_another_store_is_told_of_and_stays_and_an_empty_one_goes(tmp_path: Path) -> None:
    journal, idle = FileJournal(tmp_path), FileJournal(tmp_path)
    journal.note(ANN)
    crossed_out = idle.note(ODD)
    for each in (journal, idle):
        each.assign("a" * 16)
    assert strange_estates(tmp_path, "b" * 16) == [], "their processes live"
    journal.close()
    idle.cross_out(crossed_out)
    idle._map.close()
    os.close(idle._file)  # as a kill would: it has said nothing, and is there
    assert len(list(tmp_path.iterdir())) == 2
    assert list(estates(tmp_path, "b" * 16)) == []
    (name,) = strange_estates(tmp_path, "b" * 16)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    (estate,) = estates(tmp_path, "a" * 16)
    assert [withdrawal for _, withdrawal in estate.withdrawals()] == [ANN]
    estate.close(settled=True)


def test_a_killed_process_leaves_what_it_had_written(tmp_path: Path) -> None:
    program = f"""
import os, signal
from pathlib import Path
from gateway.core.decision import Purse
from gateway.core.subject import Subject
from gateway.ports.journal import Withdrawal
from gateway.store.files.journal import FileJournal
journal = FileJournal(Path({str(tmp_path)!r}))
ann = Subject.parse("person:ann")
for number in range(100):
    place = journal.note(Withdrawal(ann, Purse.GRACE, f"op-{{number}}", "exports", "reports"))
    if number % 2:
        journal.cross_out(place)
os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", program], check=False, timeout=60)
    assert sorted(each.operation for each in found(tmp_path)) == sorted(f"op-{number}" for number in range(0, 100, 2))
