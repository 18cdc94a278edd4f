"""A few rounds: nobody gets more than was allowed, and nothing is spent that was not delivered. `make races` does it at
length."""

from __future__ import annotations

from pathlib import Path

import pytest

from .rounds import GRACE, Plan, run

_PLAN = Plan(rounds=8, clients=40, workers=2, kill_every=4)
_NOTHING_COMES_BACK = """
from gateway.web.ticket import Ticket

Ticket.give_back_unless_closed = lambda self, why: self.close()
"""


async def test_never_more_than_allowed_and_none_spent_for_nothing(tmp_path: Path) -> None:
    report = await run(tmp_path, _PLAN, lambda _: None)
    assert report.wrong == []
    assert (report.rounds, report.kills) == (8, 2) and report.left and report.most == GRACE


@pytest.mark.parametrize(
    ("fault", "free", "words"),
    [(_NOTHING_COMES_BACK, GRACE, "are spent"), ("", GRACE + 1, f"{GRACE + 1} were delivered")],
    ids=["what nobody had is spent", "one more is given"],
)
async def test_what_is_wrong_is_found(tmp_path: Path, fault: str, free: int, words: str) -> None:
    plan = Plan(rounds=6, clients=40, workers=2, leaving=0.9, kill_every=0, settle_seconds=2.0, free=free)
    report = await run(tmp_path, plan, lambda _: None, fault)
    assert any(words in line for line in report.wrong), report.wrong
