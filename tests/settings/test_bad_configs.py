"""Every file in `bad/` and the exact lines that people see of it. A new case is a new `.yaml` with its `.txt`."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.settings.load import load_settings
from gateway.settings.problem import ConfigProblems, Problem, Severity

BAD = Path(__file__).parent / "bad"
CASES = sorted(BAD.glob("*.yaml"), key=lambda path: path.stem)


def environment_of(case: Path) -> dict[str, str]:
    """The variables of a case: `NAME=value` lines in a `.env` beside it."""
    file = case.with_suffix(".env")
    lines = file.read_text().splitlines() if file.exists() else []
    return dict(line.split("=", 1) for line in lines)


@pytest.fixture(autouse=True)
def _in_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(BAD)
    monkeypatch.setenv("SET_SECRET", "0123456789abcdef0123456789abcdef")
    monkeypatch.setenv("SHORT_SECRET", "hunter2")


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_exact_lines(case: Path) -> None:
    with pytest.raises(ConfigProblems) as caught:
        load_settings(case.name, environ=environment_of(case))
    assert [str(problem) for problem in caught.value.problems] == case.with_suffix(".txt").read_text().splitlines()


def test_the_table_is_whole() -> None:
    assert len(CASES) >= 60
    assert {path.stem for path in BAD.glob("*.txt")} == {case.stem for case in CASES}
    assert {path.stem for path in BAD.glob("*.env")} <= {case.stem for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_lines_are_for_people(case: Path) -> None:
    for line in case.with_suffix(".txt").read_text().splitlines():
        assert line.isprintable()
        for foreign in (
            "Input should",
            "pydantic",
            "http://errors",
            "Value error",
            "hunter2",
            "type=",
            "ruamel",
            "<class",
        ):
            assert foreign not in line


def test_missing_file(tmp_path: Path) -> None:
    assert only_problem(tmp_path / "none.yaml").message.startswith("there is no such file")


def test_folder(tmp_path: Path) -> None:
    assert only_problem(tmp_path).message.startswith("is a folder")


def test_file_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert only_problem(tmp_path / "file" / "paywall.yaml").message == "can't be read: Not a directory"


def test_impossible_path() -> None:
    assert only_problem("a\0b").message == "is not a path"


def test_too_large(tmp_path: Path) -> None:
    file = tmp_path / "paywall.yaml"
    file.write_text("upstream: http://localhost:3000\n" + "# much text\n" * 100_000)
    assert "larger than 1 MiB" in only_problem(file).message


def test_endless_file() -> None:
    assert "larger than 1 MiB" in only_problem("/dev/zero").message


def only_problem(path: Path | str) -> Problem:
    with pytest.raises(ConfigProblems) as caught:
        load_settings(path, environ={})
    [problem] = caught.value.problems
    assert str(problem) == str(caught.value)
    assert problem.severity is Severity.ERROR
    assert problem.line == 0
    return problem
