"""The decision table of tests/golden/decide.txt, whole and without contradiction, and what no decision may ever be."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.access.decide import Facts, decide
from gateway.core.decision import NAMES, Decision, Forward, Hold, Prompt, Refuse, Take
from gateway.core.quantity import DAY, Allowance
from gateway.core.reason import Reason
from gateway.core.rule import DEFAULT_HOLD_LIMITS, Mode, RouteClass, Rule
from gateway.core.standing import Standing, SubjectState

TABLE = Path(__file__).resolve().parent.parent / "golden" / "decide.txt"
NOW = 1_800_000_000_000
LIMITS = DEFAULT_HOLD_LIMITS
ENDED = SubjectState(trial_started=1, trial_ends=NOW)

WHO: dict[str, SubjectState | None] = {
    "nobody": None,
    "trial-new": SubjectState(),
    "trial": SubjectState(trial_started=1, trial_ends=NOW + 1),
    "paid-period": replace(ENDED, entitled_until=NOW + 1),
    "paid-credit": replace(ENDED, credits=1),
    "window": replace(ENDED, window_ends=NOW + 1, window_left=1),
    "grace": ENDED,
    "expired": replace(ENDED, grace_used=1),
    "declined": replace(ENDED, declined_at=1),
}
COLUMNS: dict[str, list[str]] = {
    "class": [each.value for each in RouteClass],
    "mode": [each.value for each in Mode],
    "who": list(WHO),
    "target": ["plain", "ambiguous", "redirectable", "unread"],
    "keepable": ["yes", "no"],
    "partial": ["no", "yes"],
    "body": ["yes", "none"],
    "room": ["yes", "count", "bytes"],
    "proof": ["sound", "unverifiable"],
}
Case = tuple[str, ...]
ROOM: dict[str, dict[str, Any]] = {
    "yes": {},
    "count": {"holds": LIMITS.max_count},
    "bytes": {"held_bytes": LIMITS.max_total},
}


def decided(case: Case) -> Decision:
    """What is decided for one combination of words."""
    words = dict(zip(COLUMNS, case, strict=True))
    rule = Rule("r", RouteClass(words["class"]), mode=Mode(words["mode"]), grace=Allowance(1, DAY))
    state = WHO[words["who"]]
    facts = Facts(
        ambiguous=words["target"] in ("ambiguous", "redirectable"),
        unreadable=words["target"] == "unread",
        canonical=b"/canonical" if words["target"] == "redirectable" else b"",
        keepable=words["keepable"] == "yes",
        partial=words["partial"] == "yes",
        unverifiable=words["proof"] == "unverifiable",
        bodiless=words["body"] == "none",
    )
    return decide(rule, replace(state, **ROOM[words["room"]]) if state else None, facts, LIMITS, NOW)


def told(decision: Decision) -> str:
    """A decision as the table writes it."""
    match decision:
        case Forward():
            return f"forward {decision.reason}" + (" with offer" if decision.prompt else "")
        case Take():
            return f"take {decision.purse} {decision.reason}"
        case Hold():
            return f"{'hold' if decision.keep else 'preview'} {decision.reason}"
        case Refuse():
            assert bool(decision.location) is (decision.status == 308)
            return f"refuse {decision.status} {decision.reason}"
        case Prompt():
            return f"{NAMES[type(decision)]} {decision.reason}"


def rows() -> list[tuple[int, list[list[str]], str]]:
    """Number, words and decision of each row of the table."""
    found = []
    for number, line in enumerate(TABLE.read_text(encoding="utf-8").splitlines(), 1):
        if line and not line.startswith("#"):
            cells, _, decision = line.partition("->")
            words = [
                column if cell.strip() == "*" else cell.strip().split("|")
                for cell, column in zip(cells.split(";"), COLUMNS.values(), strict=True)
            ]
            found.append((number, words, decision.strip()))
    return found


@pytest.mark.parametrize(("number", "words", "decision"), rows(), ids=lambda value: value if type(value) is int else "")
def test_each_row_is_what_is_decided(number: int, words: list[list[str]], decision: str) -> None:
    for word, column in zip(words, COLUMNS.values(), strict=True):
        assert set(word) <= set(column), f"line {number}: unknown word in {word}"
    wrong = {case: told(decided(case)) for case in itertools.product(*words) if told(decided(case)) != decision}
    assert not wrong


def test_no_combination_is_missing() -> None:
    covered = {case for _, words, _ in rows() for case in itertools.product(*words)}
    assert not set(itertools.product(*COLUMNS.values())) - covered


def test_the_table_is_worth_reading() -> None:
    assert len(rows()) >= 80


def every(**chosen: list[str]) -> Iterator[Case]:
    return itertools.product(*(chosen.get(name, words) for name, words in COLUMNS.items()))


def test_an_unpaid_subject_never_gets_a_result() -> None:
    for case in every(**{"class": ["result"]}, who=["expired", "declined", "nobody"]):
        assert not isinstance(decided(case), Forward | Take), case


def test_a_refusal_is_never_worse_than_the_standing_deserves() -> None:
    for case in every(who=["trial-new", "trial", "paid-period", "paid-credit", "window"]):
        assert isinstance(decided(case), Forward | Take), case


def test_browsing_a_plain_address_is_open_to_everybody() -> None:
    for case in every(**{"class": ["open", "exempt", "action"]}, target=["plain"]):
        assert isinstance(decided(case), Forward), case


def test_only_an_open_target_is_redirected_and_only_where_it_has_a_canonical_address() -> None:
    for case in every():
        decision = decided(case)
        if isinstance(decision, Refuse) and decision.status == 308:
            assert (case[0] != "result", case[3], decision.location) == (True, "redirectable", b"/canonical")


STATES = st.builds(
    SubjectState,
    trial_started=st.sampled_from([0, 1]),
    trial_ends=st.sampled_from([0, NOW - 1, NOW, NOW + 1]),
    entitled_until=st.sampled_from([0, NOW - 1, NOW, NOW + 1]),
    credits=st.integers(0, 2),
    window_ends=st.sampled_from([0, NOW, NOW + 1]),
    window_left=st.integers(0, 2),
    declined_at=st.sampled_from([0, 1]),
    grace_used=st.integers(0, 4),
    holds=st.integers(0, 40),
    held_bytes=st.integers(0, 2**27),
)
RESULTS = st.builds(
    Rule,
    name=st.just("r"),
    route_class=st.just(RouteClass.RESULT),
    mode=st.sampled_from(Mode),
    grace=st.integers(0, 3).map(lambda count: Allowance(count, DAY)),
)
FACTS = st.builds(
    Facts,
    ambiguous=st.booleans(),
    unreadable=st.booleans(),
    canonical=st.sampled_from([b"", b"/c"]),
    keepable=st.booleans(),
    partial=st.booleans(),
    unverifiable=st.booleans(),
    bodiless=st.booleans(),
)


@given(RESULTS, STATES, FACTS)
def test_whatever_the_store_knows_the_standing_decides_who_gets_the_result(
    rule: Rule, state: SubjectState, facts: Facts
) -> None:
    decision = decide(rule, state, facts, LIMITS, NOW)
    match state.standing(rule.grace.count, NOW):
        case Standing.EXPIRED | Standing.DECLINED:
            assert isinstance(decision, Hold | Prompt)
        case Standing.GRACE:
            assert not isinstance(decision, Forward | Refuse)
        case Standing.ENTITLED | Standing.TRIAL | Standing.WINDOW:
            assert isinstance(decision, Forward | Take)


@given(RESULTS, STATES, FACTS)
def test_nothing_is_kept_beyond_the_limits(rule: Rule, state: SubjectState, facts: Facts) -> None:
    decision = decide(rule, state, facts, LIMITS, NOW)
    if isinstance(decision, Hold) and decision.keep:
        assert state.holds < LIMITS.max_count and state.held_bytes < LIMITS.max_total
        assert facts.keepable and not facts.partial and decision.reason is Reason.RESULT_HELD
