"""For all tests: which `gateway` is being tested."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import gateway

# Asserts of the contract suites tell what they compare. Here, because it must be said before anyone imports them.
pytest.register_assert_rewrite("gateway.testing")

ROOT = Path(__file__).resolve().parent.parent

MOST_WORKERS = 12
"""Each has servers and a browser of its own, which take memory: more would win little."""

RECURSION_LIMIT = sys.getrecursionlimit()

# `bench` is in the tree alone. The tree goes last, so that whatever is installed wins over it.
if str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))


@pytest.fixture(scope="module", autouse=True)
def nothing_is_left_in_the_working_folder() -> Iterator[None]:
    """A gateway without a setting for its data keeps them where it is started: here, by mistake."""
    left = Path.cwd() / "paywall-data"
    before = left.exists()
    yield
    assert before or not left.exists(), f"{left} is left: give the gateway of these tests a data folder of their own"


def pytest_report_header() -> str:
    """Say what is being tested, in the head of every run."""
    return f"gateway: {Path(gateway.__file__).parent}"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """How many run the tests at a time: three for two cores, since they wait for servers half of their time. With more,
    tests that give a server so many seconds begin to fail."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(3 * cores // 2, MOST_WORKERS)


def pytest_sessionstart() -> None:
    """Refuse a run that claims to test the wheel and would test the tree: it would pass with files left out."""
    problem = tree_instead_of_wheel(Path(gateway.__file__), os.environ)
    if problem:
        pytest.exit(problem, returncode=pytest.ExitCode.USAGE_ERROR)


def tree_instead_of_wheel(imported: Path, environment: os._Environ[str] | dict[str, str]) -> str | None:
    """What is wrong when PAYWALL_TEST_WHEEL=1 and `gateway` was `imported` from anywhere but site-packages."""
    if environment.get("PAYWALL_TEST_WHEEL") != "1" or "site-packages" in imported.parts:
        return None
    return (
        f"PAYWALL_TEST_WHEEL=1, but gateway comes from {imported.parent}, not from an installed wheel. "
        "Run the tests by 'make test', or leave the variable out to test the tree."
    )


def pytest_runtest_call() -> None:
    """Tests run under the recursion limit that a gateway has: some of what they compare with raises it as it is
    imported, so far that deep JSON would overflow the stack."""
    sys.setrecursionlimit(RECURSION_LIMIT)
