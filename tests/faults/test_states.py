"""Every bad state of a store, for a moment: nothing leaks, nobody with a right is refused, payments are right, and it
goes on afterwards. How fast all that is, is told by `python -m tests.faults states`, and not here."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults.states import Lengths, main, run, table
from tests.faults.states_record import EXPIRED, KNOWN, OPEN, PROOF, Moments, Outcome, Record, judge
from tests.faults.states_site import Crowd
from tests.faults.states_strikes import STATES
from tests.store.fleet import require

SHORT = Lengths(warm=0.2, healthy=0.2, struck=0.9, recovering=0.3, rest=0.3)
FEW = Crowd(expired=9, proofs=120, known=6, paying=12)

TOGETHER = (
    ("down", "hung", "readonly", "noscript", "memory", "loading"), ("slow",), ("embedded",), ("sentinel-killed",),
    ("sentinel-hung",), ("moved", "cluster-killed", "cluster-hung"),
)  # fmt: skip
"""Those that befall one kind of store, one after the other; of sentinels, each needs both servers."""


def test_every_state_is_there() -> None:
    assert [name for names in TOGETHER for name in names] == list(STATES)


@pytest.mark.parametrize("names", TOGETHER, ids="-and-".join)
def test_nobody_gains_or_loses_by_it(names: tuple[str, ...], tmp_path: Path) -> None:
    require()
    outcomes = run([STATES[name] for name in names], tmp_path, SHORT, FEW)
    assert all(outcome.is_safe for outcome in outcomes), table(outcomes)


def test_a_gateway_that_lets_everybody_through_without_its_store_is_found_out(tmp_path: Path) -> None:
    require()
    [outcome] = run([STATES["down"]], tmp_path, SHORT, FEW, more=", on_store_failure: allow")
    assert outcome.leaks and not outcome.refused and not outcome.is_safe


def test_a_gateway_that_believes_no_proof_is_found_out(tmp_path: Path) -> None:
    require()
    blind = "from gateway.access.proof import Proofs\nProofs.good_until = lambda *each: 0"
    [outcome] = run([STATES["down"]], tmp_path, SHORT, FEW, beforehand=blind)
    assert outcome.refused and not outcome.leaks and not outcome.is_safe


def test_a_gateway_that_tells_of_payments_before_they_are_written_is_found_out(tmp_path: Path) -> None:
    require()
    [outcome] = run([STATES["memory"]], tmp_path, SHORT, FEW, beforehand=HASTY)
    assert outcome.told_paid and len(outcome.payments_wrong) == outcome.told_paid and not outcome.is_safe
    assert all("is lost" in wrong for wrong in outcome.payments_wrong)


HASTY = """
from gateway.ports.cashbook import SettleOutcome
from gateway.store.payments import StoredPayments

async def settle(self, *each):
    return SettleOutcome.SETTLED

StoredPayments.settle = settle
"""

MOMENTS = Moments(healthy=0, struck=10, over=20, end=30)


def seen(kind: str, due: float, ms: float = 1, status: int = 200, by_gateway: bool = False) -> Record:
    return Record(kind, "ann", due, ms, status, by_gateway)


def decided(due: float, status: int = 402, ms: float = 1) -> Record:
    return seen(EXPIRED, due, ms, status, by_gateway=True)


GOOD = [
    *(seen(OPEN, second, 1) for second in range(10)),
    *(seen(OPEN, second, 4) for second in range(10, 20)),
    decided(1), decided(10.1, 503, ms=500), decided(15, 503, ms=60), decided(20.5, 503), decided(21),
    seen(PROOF, 12), seen(KNOWN, 12),
]  # fmt: skip


def test_what_meets_every_goal() -> None:
    outcome = judge("down", GOOD, MOMENTS, waits_for_store=False)
    assert (outcome.open_healthy, outcome.open_during, outcome.decided, outcome.decided_longest) == (1, 4, 60, 500)
    assert 0.5 < outcome.recovery < 0.6
    assert (outcome.missed, outcome.is_safe) == ([], True)


@pytest.mark.parametrize(
    ("more", "missed", "is_safe"),
    [
        (seen(EXPIRED, 12), "1 leaks", False),
        (seen(PROOF, 12, status=503, by_gateway=True), "1 with a right were refused", False),
        (seen(KNOWN, 25, status=402, by_gateway=True), "1 with a right were refused", False),
        (seen(OPEN, 25, status=0, by_gateway=True), "1 open requests failed", False),
        (seen(OPEN, 12, ms=7), "open routes", True),
        (decided(15, 503, ms=101), "decisions", True),
        (decided(21.5, 503), "recovery", False),
        (decided(20.9, 503, ms=150), "recovery", False),
    ],
)
def test_what_misses_a_goal(more: Record, missed: str, is_safe: bool) -> None:
    outcome = judge("down", [*GOOD, more], MOMENTS, waits_for_store=False)
    assert outcome.missed == [missed] and missed in table([outcome])
    assert outcome.is_safe is is_safe


def test_late_recoveries_and_payments() -> None:
    outcome = judge("down", [*GOOD, decided(22.5, 503), decided(25)], MOMENTS, waits_for_store=False)
    assert (outcome.missed, outcome.is_safe) == (["recovery"], True)
    assert math.isfinite(outcome.recovery)
    wrong: Outcome = replace(outcome, recovery=0.0, payments_wrong=("the payment of ann is lost",))
    assert (wrong.missed, wrong.is_safe) == (["the payment of ann is lost"], False)


def test_what_there_is_not_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--states", "down,drunk"])
    assert end.value.code == 2 and "there is no state drunk" in capsys.readouterr().err
