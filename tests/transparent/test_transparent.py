"""See the package's docstring for what this proves and how to read a failure."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hostile.conftest import skip_absent
from tests.hostile.rig import Absent

from .rig import APPLICATIONS, EXACT
from .runs import TRIALS, compare, mingle, race
from .users import USERS

pytestmark = pytest.mark.hostile

SEED = 1
EXCHANGES = 220
_REQUESTS = 3000
_RACES = 300


@pytest.mark.parametrize("application", APPLICATIONS)
async def test_nothing_undocumented_differs(application: str, tmp_path: Path) -> None:
    try:
        done = await compare(application, tmp_path, range(EXCHANGES), SEED)
    except Absent as reason:
        skip_absent(reason)
    assert not done.differences, "\n".join(map(str, done.differences[:20]))
    assert done.short_way["short"] > EXCHANGES / 10, "the short way was used"
    assert done.short_way["long"] < done.short_way["short"], "and so was the long one"


async def test_nobody_gets_anything_of_another(tmp_path: Path) -> None:
    report = await mingle(tmp_path, _REQUESTS, SEED)
    assert not report.leaks, "\n".join(report.leaks[:20])
    assert not report.failures, "\n".join(report.failures[:20])
    assert report.recognised == USERS, "everybody has a cookie of the gateway's own"


@pytest.mark.parametrize("trial", TRIALS)
async def test_nothing_is_done_twice_or_mixed_up_where_connections_end_at_the_worst_moment(
    trial: str, tmp_path: Path
) -> None:
    report = await race(tmp_path, _RACES, SEED, trial)
    assert not report.faults, "\n".join(report.faults[:20])
    assert min(report.answered, report.failed) > _RACES / 10, "connections did end, and requests were answered"


# The known-bad twin


async def test_a_naive_gateway_changes_what_passes(tmp_path: Path) -> None:
    done = await compare(EXACT, tmp_path, range(EXCHANGES), SEED, twin=True)
    said = "\n".join(map(str, done.differences))
    for change in ("request: header is missing", "answer: header is missing", "body", "request: second word"):
        assert change in said


async def test_a_naive_gateway_gives_cookies_of_one_user_to_another(tmp_path: Path) -> None:
    report = await mingle(tmp_path, 500, SEED, twin=True)
    assert any("came with the cookie" in leak for leak in report.leaks)


async def test_a_naive_gateway_does_things_twice(tmp_path: Path) -> None:
    report = await race(tmp_path, _RACES, SEED, TRIALS[0], twin=True)
    assert any("it was acted on 2 times" in fault for fault in report.faults)
