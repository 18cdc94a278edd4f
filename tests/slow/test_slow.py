"""The attacks at a small scale: nobody is kept out. How long it takes is told by `make slow`, and not here."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from .__main__ import MODES, Outcome, attack, gateway
from .bystander import Waits

_CONNECTIONS, _SECONDS = 60, 2


@pytest.mark.hostile
@pytest.mark.skipif(shutil.which("slowhttptest") is None, reason="slowhttptest is not installed")
@pytest.mark.skipif(shutil.which("nginx", path="/usr/sbin:/usr/bin") is None, reason="nginx is not installed")
def test_nobody_is_kept_out(tmp_path: Path) -> None:
    with gateway(tmp_path) as port:
        for mode in MODES:
            outcome = asyncio.run(attack(mode, _CONNECTIONS, _SECONDS, port, before=0.5))
            assert outcome.before.failures == outcome.during.failures == 0
            assert outcome.during.seconds, "somebody has asked meanwhile"


@pytest.mark.parametrize(
    ("during", "is_met"),
    [
        (Waits([0.008] * 100), True),
        (Waits([0.008] * 98 + [5.0]), False),
        (Waits([0.021] * 100), False),
        (Waits([0.008] * 99, failures=1), False),
        (Waits(), False),
    ],
)
def test_what_is_noticed_is_told(during: Waits, is_met: bool) -> None:
    outcome = Outcome("heads", Waits([0.01] * 100), during)
    assert outcome.is_met is is_met
    assert str(outcome).endswith("met" if is_met else "missed")
