"""The decision table of docs/request.md is what `decide` does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.access.decide import Facts, decide
from gateway.core.decision import NAMES, Forward
from gateway.core.quantity import Allowance
from gateway.core.rule import DEFAULT_HOLD_LIMITS, Mode, RouteClass, Rule
from gateway.core.standing import Standing, SubjectState

from .page import read, sections

NOW = 1_000_000
GRACE = Allowance(1, 0)
OVER = SubjectState(trial_started=1, trial_ends=2)
STATES = {
    "entitled": replace(OVER, entitled_until=NOW + 1),
    "trial": replace(OVER, trial_ends=NOW + 1),
    "window": replace(OVER, window_ends=NOW + 1, window_left=1),
    "grace": OVER,
    "declined": replace(OVER, declined_at=3),
    "expired": replace(OVER, grace_used=1),
    "unknown": None,
}
OPEN = Rule(name="open", route_class=RouteClass.OPEN, grace=GRACE)
SITUATIONS = {
    "exempt": (Rule(name="exempt", route_class=RouteClass.EXEMPT, grace=GRACE), Facts()),
    "open": (OPEN, Facts()),
    "action": (Rule(name="action", route_class=RouteClass.ACTION, grace=GRACE), Facts()),
    **{
        f"result, mode {mode}": (Rule(name="result", route_class=RouteClass.RESULT, mode=mode, grace=GRACE), Facts())
        for mode in Mode
    },
    "result, ambiguous": (Rule(name="result", route_class=RouteClass.RESULT, grace=GRACE), Facts(ambiguous=True)),
    "result, body unreadable": (
        Rule(name="result", route_class=RouteClass.RESULT, grace=GRACE),
        Facts(unreadable=True),
    ),
    "not a result, ambiguous, with a plain form": (OPEN, Facts(ambiguous=True, canonical=b"/a")),
    "not a result, ambiguous, without one": (OPEN, Facts(ambiguous=True)),
}


def table() -> dict[tuple[str, str], str]:
    """The cells, by situation and standing."""
    lines = [line for line in sections(read("request.md"))["The decision"].splitlines() if line.startswith("|")]
    head, _, *body = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    return {(row[0], standing): cell for row in body for standing, cell in zip(head[1:], row[1:], strict=True)}


TABLE = table()


def test_the_table_has_every_class_mode_and_standing() -> None:
    assert {situation for situation, _ in TABLE} == set(SITUATIONS)
    assert {standing for _, standing in TABLE} == {standing.value for standing in Standing} | {"unknown"}


@pytest.mark.parametrize(("situation", "standing"), TABLE)
def test_a_cell_is_what_is_decided(situation: str, standing: str) -> None:
    rule, facts = SITUATIONS[situation]
    told = TABLE[situation, standing]
    if told == "as above":
        told = TABLE["open", standing]
    decision = decide(rule, STATES[standing], facts, DEFAULT_HOLD_LIMITS, NOW)
    offer = " + offer" if isinstance(decision, Forward) and decision.prompt else ""
    assert told == f"{NAMES[type(decision)]}:{decision.reason}{offer}"


def test_the_order_of_standings_is_the_one_told() -> None:
    state = replace(OVER, trial_ends=NOW + 1, entitled_until=NOW + 1, window_ends=NOW + 1, window_left=1, declined_at=3)
    later = (
        replace(state, entitled_until=0),
        replace(state, entitled_until=0, trial_ends=2),
        replace(state, entitled_until=0, trial_ends=2, window_left=0),
        OVER,
        replace(OVER, grace_used=1),
    )
    order = [each.standing(1, NOW) for each in (state, *later)]
    assert "in this order: " + ", ".join(order) + "." in read("request.md")
