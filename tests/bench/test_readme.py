"""Only an honest run gets into the README."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench import readme, report
from bench.readme import main
from bench.report import Conditions, write_results
from bench.rounds import Sample, Series
from bench.row import Result, Row
from bench.setting import FULL, SHORT

MACHINE: dict[str, str | int] = {"cpu": "A Processor", "cores": 2, "kernel": "Linux 6", "python": "3.11"}
TEXT = "before\n<!-- bench:begin -->\nold\n<!-- bench:end -->\nafter\n"


def write(
    folder: Path, *, others: float = 0.02, values: tuple[float, ...] = (0.5,), **conditions: Any
) -> tuple[Path, list[str]]:
    known: dict[str, Any] = {"scale": FULL, "shared_core": False, "finished": True, "whole": True, **conditions}
    row = Row("cost", "CPU per request", values, "x Caddy", "<= 0.6 x Caddy", 0.6)
    series = Series("paywall", "paywall", "paywall 1.0", samples=[Sample(1, {"cpu_us": 1.0}, others)])
    results = folder / "results.json"
    write_results(
        results, {"cost": Result([row], {"paywall": series})}, Conditions("2030-01-02 03:04 UTC", MACHINE, **known)
    )
    (folder / "README.md").write_text(TEXT)
    return folder / "README.md", ["--json", str(results), "--readme", str(folder / "README.md")]


def test_an_honest_run_is_put_between_the_marks_with_machine_and_date(tmp_path: Path) -> None:
    page, arguments = write(tmp_path)
    assert main(arguments) == 0
    text = page.read_text()
    assert text.startswith("before\n<!-- bench:begin -->\n| what")
    assert text.endswith("\n<!-- bench:end -->\nafter\n")
    assert "| CPU per request | 0.50 x Caddy | <= 0.6 x Caddy |     met |" in text
    assert "Measured on 2030-01-02 03:04 UTC: A Processor, 2 cores, Linux 6, Python 3.11; paywall 1.0." in text
    assert "old" not in text
    assert main(arguments) == 0
    assert page.read_text() == text


@pytest.mark.parametrize(
    ("dishonest", "said"),
    [
        pytest.param({"others": 0.3}, "the machine was not quiet: other programs took up to 30% of a core", id="noise"),
        pytest.param({"scale": SHORT}, "the run was short", id="short"),
        pytest.param({"finished": False}, "the run was interrupted", id="interrupted"),
        pytest.param({"whole": False}, "some measurements were left out", id="only some"),
        pytest.param({"values": ()}, "not measured: CPU per request", id="a peer is missing"),
    ],
)
def test_any_other_run_is_refused_and_changes_nothing(
    tmp_path: Path, dishonest: dict[str, Any], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    page, arguments = write(tmp_path, **dishonest)
    assert main(arguments) == 1
    assert said in capsys.readouterr().err
    assert page.read_text() == TEXT


def test_a_readme_without_the_marks_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page, arguments = write(tmp_path)
    page.write_text("nothing here")
    assert main(arguments) == 1
    assert "the marks" in capsys.readouterr().err
    assert page.read_text() == "nothing here"


def test_results_of_an_older_kind_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page, arguments = write(tmp_path)
    (tmp_path / "results.json").write_text(json.dumps({"finished": True}))
    assert main(arguments) == 1
    assert "results.json" in capsys.readouterr().err
    assert page.read_text() == TEXT


def test_quiet_means_the_same_in_the_report_and_for_the_readme() -> None:
    assert readme.QUIET == report.QUIET
