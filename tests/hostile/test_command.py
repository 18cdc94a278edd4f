"""The long form, in short: what it composes, that it sees leaks, and that it comes to an end."""

from __future__ import annotations

import pytest

from . import gateways
from .__main__ import main
from .battery import Tally
from .conftest import Bench, skip_absent
from .grammar import composed
from .rig import Absent

pytestmark = pytest.mark.hostile


def test_a_seed_makes_the_same_variants_each_time_and_no_two_alike() -> None:
    made = list(composed(5000, seed=1))

    assert made == list(composed(5000, seed=1))
    assert len({variant.template for variant in made}) == len({variant.name for variant in made}) == 5000
    assert {variant.template for variant in made} != {variant.template for variant in composed(5000, seed=2)}


def test_composed_variants_leak_through_the_naive_gateway_by_the_hundred(bench: Bench) -> None:
    try:
        application = bench.application("express5-trusting")
    except Absent as reason:
        skip_absent(reason)
    tally = Tally()
    with gateways.naive(application, bench.folder) as naive:
        tally.add(bench.judge.run(list(composed(1500, seed=1)), naive, application, canaries=True), "naive", False)

    assert tally.variants == 1500
    assert tally.delivered >= 100
    assert tally.executed_wrongly >= tally.delivered // 2
    assert tally.leaks >= tally.delivered


def test_the_command_runs_what_it_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--variants", "300", "--upstreams", "nginx", "--modes", "block", "--fronts", "uvicorn"]
    try:
        gateways.paywall()
    except Absent as reason:
        skip_absent(reason)

    assert main(asked) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["sieve", "block", "uvicorn", "300", "-", "-", "0", "0"] in rows
    assert [row[:3] + row[4:] for row in rows if row[0] == "nginx"] in (
        [["nginx", "block", "uvicorn", "0", "0", "0", "0"]],
        [],  # it is not installed
    )
