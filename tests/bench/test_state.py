"""What subjects cost in the store is measured with subjects that are what they are said to be."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.rounds import workshop
from bench.standings import GRACE, STANDINGS, CountingLink, Standings, subject_of
from bench.state import Cost, main, server, table
from gateway.core.standing import Standing
from gateway.store.connection import topology
from gateway.store.near import NearMemory
from gateway.store.subjects import StoredSubjects

ROOT = Path(__file__).parents[2]
EXPECTED = {
    "in trial": (Standing.TRIAL, 0, 0),
    "expired, 2 grace taken": (Standing.EXPIRED, 2, 0),
    "declined": (Standing.DECLINED, 0, 0),
    "entitled, 1 payment": (Standing.ENTITLED, 0, 0),
    "expired, 1 small hold": (Standing.GRACE, 0, 1),
}


@pytest.mark.parametrize("name", STANDINGS)
def test_subjects_are_in_the_standing_that_is_measured(name: str) -> None:
    async def found() -> tuple[Standing, int, int]:
        now, link = int(time.time() * 1000), CountingLink(topology(url))
        await Standings(link, now).fill(name, range(3))
        state = await StoredSubjects(link, NearMemory()).visit(subject_of(2), None, GRACE, now)
        await link.close()
        return state.standing(GRACE.allowance.count, now), state.grace_used, state.holds

    with workshop() as folder, server("valkey", folder / "valkey") as url:
        assert asyncio.run(found()) == EXPECTED[name]


def test_a_short_run_measures_all_and_writes_it_down(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = [sys.executable, "-m", "bench.state", "--servers", "valkey", "--json", str(tmp_path / "state.json")]
    subprocess.run([*command, "--sizes", "1000", "2000"], cwd=ROOT, check=True, capture_output=True, timeout=100)
    told = json.loads((tmp_path / "state.json").read_text())
    assert told["finished"] and [row["standing"] for row in told["rows"]] == list(STANDINGS)
    assert all(0 < row["bytes_used"]["1000"] < row["bytes_used"]["2000"] for row in told["rows"])
    assert {row["standing"]: row["trips"] for row in told["rows"]} == {
        name: 2 if "hold" in name else 1 for name in STANDINGS
    }


def test_an_interrupted_run_keeps_what_there_is(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bench.state", "--servers", "valkey", "--json", str(tmp_path / "state.json")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        assert run.stderr is not None and "in trial" in run.stderr.readline()
        run.send_signal(signal.SIGINT)
        said, complained = run.communicate(timeout=60)
    assert run.returncode == 130 and "Traceback" not in complained
    assert "interrupted" in said
    assert json.loads((tmp_path / "state.json").read_text())["finished"] is False


def test_ten_million_follow_from_the_line_through_the_sizes() -> None:
    cost = Cost("valkey", "in trial", {100: 1_030_000, 200: 1_060_000})
    assert cost.far == pytest.approx(300.1)
    assert Cost("valkey", "declined", {100: 100}).far is None
    assert (Cost("valkey", "met", {100: 40_000}).verdict, Cost("valkey", "missed", {100: 50_000}).verdict) == (
        "met",
        "missed by 25%",
    )
    assert "300 B" in table([cost], [100, 200], markdown=True)


def test_a_server_that_does_not_exist_is_refused() -> None:
    with pytest.raises(SystemExit):
        main(["--servers", "memcached"])
