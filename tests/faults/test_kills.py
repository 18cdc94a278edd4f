"""A hundred kills: nothing is lost, nothing doubled, nobody told what is not so. And what is broken is noticed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from .__main__ import main
from .kills.command import Run, complaints_of, table
from .kills.journey import STEPS
from .kills.lane import Outcome
from .kills.plan import Moment, Trial, Victim, plan_trials
from .kills.stores import REDIS

pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="processes are watched as Linux lets them be")
needs_redis = pytest.mark.skipif(not shutil.which(str(REDIS)), reason="redis-server is not installed")


@needs_redis
@pytest.mark.timeout(400)
def test_after_a_hundred_kills_the_books_are_right(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.run(plan_trials(100, seed=1))
    assert [line for outcome in run.outcomes for line in complaints_of(outcome)] == []
    assert len(run.outcomes) == 100
    assert run.sweeps.places, "something was killed at a place that was chosen"


def with_twin(
    folder: Path, twin: str, victim: Victim, moment: Moment, step: str, at: str = "", count: int = 1
) -> list[Outcome]:
    """What comes of it with something broken on purpose: of one trial, or of the first of a series."""
    run = Run(folder)
    trials = [Trial(number, victim, moment, step, "five", 0.5, at) for number in range(count)]
    run.run(trials, lanes=1, twin=twin, patience=2.0)
    assert len(run.outcomes) == count
    return run.outcomes


def test_a_store_that_does_not_know_a_payment_again_is_noticed(tmp_path: Path) -> None:
    (outcome,) = with_twin(tmp_path, "settle_without_marks", Victim.STORE, Moment.AFTER, "settle", "settle")
    assert outcome.findings.double


def test_an_answer_before_the_payment_is_in_the_store_is_noticed(tmp_path: Path) -> None:
    (outcome,) = with_twin(tmp_path, "answer_before_the_store", Victim.STORE, Moment.BEFORE, "settle", "settle")
    assert outcome.findings.untrue and outcome.findings.lost
    assert table([outcome])[-1].split() == ["all", "1", "1", "0", "1", "1", "0"]


def test_a_store_that_keeps_nothing_on_disk_is_noticed(tmp_path: Path) -> None:
    (outcome,) = with_twin(tmp_path, "keep_nothing_on_disk", Victim.STORE, Moment.BEFORE, "fetch", "visit")
    assert outcome.findings.lost


def test_a_result_that_does_not_come_back_is_noticed(tmp_path: Path) -> None:
    outcomes = with_twin(tmp_path, "take_without_journal", Victim.GATEWAY, Moment.AWAIT, "take", count=4)
    assert any(outcome.findings.lost for outcome in outcomes)


def test_an_event_that_is_not_recorded_again_is_noticed(tmp_path: Path) -> None:
    (outcome,) = with_twin(tmp_path, "record_no_repetition", Victim.STORE, Moment.AFTER, "settle", "settle")
    assert outcome.events["payment-settled"] == 0 and not outcome.findings


def test_a_plan_is_the_same_for_the_same_seed_and_has_every_kind() -> None:
    trials = plan_trials(300, seed=7)
    assert trials == plan_trials(300, seed=7) != plan_trials(300, seed=8)
    assert {trial.victim for trial in trials} == set(Victim)
    assert {trial.moment for trial in trials} == set(Moment)
    assert {trial.step for trial in trials} <= set(STEPS)


def test_a_part_that_does_not_exist_is_a_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["thrills"]) == 2
    assert "kills" in capsys.readouterr().err
