"""New configs and restarts at a small scale: nobody notices. `make restarts` does it at length."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from .client import Tally
from .rig import Done
from .runs import Outcome, run

_REQUESTS = 1500
_NO_GOODBYE = """
import os, signal
from gateway.wire import server

async def shutdown(self, sockets=None):
    os._exit(0)

server.Server.shutdown = shutdown
"""
_BALANCER = pytest.mark.skipif(shutil.which("haproxy", path="/usr/sbin:/usr/bin") is None, reason="no haproxy here")


@pytest.mark.parametrize("scenario", ["workers", pytest.param("balanced", marks=_BALANCER)])
async def test_nobody_notices(tmp_path: Path, scenario: str) -> None:
    outcome = await run(scenario, tmp_path, _REQUESTS, 1, lambda _: None)
    assert not outcome.tally.failures and not outcome.wrong and outcome.people
    assert outcome.done.accepted and outcome.done.refused and (outcome.done.replaced or outcome.done.stopped)
    assert len(outcome.tally.by_kind) == 9, "everybody was there"


@_BALANCER
async def test_a_gateway_that_just_goes_is_noticed(tmp_path: Path) -> None:
    outcome = await run("balanced", tmp_path, _REQUESTS, 1, lambda _: None, beforehand=_NO_GOODBYE)
    assert outcome.tally.failures and not outcome.is_met


@pytest.mark.parametrize(
    ("tally", "done", "wrong", "is_met"),
    [
        (Tally(asked=9), Done(accepted=1), [], True),
        (Tally(asked=9, retried=1), Done(accepted=1), [], True),
        (Tally(asked=9, failures=["cut"]), Done(accepted=1), [], False),
        (Tally(asked=9), Done(accepted=1), ["charged twice"], False),
        (Tally(asked=9), Done(), [], False),
    ],
)
def test_what_is_noticed_is_told(tally: Tally, done: Done, wrong: list[str], is_met: bool) -> None:
    assert Outcome("workers", tally, done, wrong, 1).is_met is is_met
