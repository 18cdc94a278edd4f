"""What of Autobahn's verdicts speaks against the gateway."""

from __future__ import annotations

import pytest

from .compare import DIRECT, THROUGH, Outcomes, worse


def outcomes(direct: str, through: str, close: str = "OK") -> Outcomes:
    index = {
        way: {"1.1": {"behavior": said, "behaviorClose": close}} for way, said in ((DIRECT, direct), (THROUGH, through))
    }
    return Outcomes.read(index)


@pytest.mark.parametrize(
    ("direct", "through", "is_worse"),
    [
        ("OK", "OK", False),
        ("OK", "NON-STRICT", True),
        ("OK", "FAILED", True),
        ("FAILED", "OK", False),
        ("NON-STRICT", "NON-STRICT", False),
        ("UNIMPLEMENTED", "FAILED", True),
        ("OK", "A WORD NOBODY KNOWS", True),
    ],
)
def test_worse_is_what_is_worse_than_without_it(direct: str, through: str, is_worse: bool) -> None:
    assert worse(outcomes(direct, through)) == (["1.1"] if is_worse else [])


def test_what_a_server_does_by_chance_is_not_held_against_the_gateway() -> None:
    seen = outcomes("OK", "NON-STRICT")
    seen.add(outcomes("NON-STRICT", "OK"))
    assert worse(seen) == []
    seen.add(outcomes("OK", "FAILED"))
    assert worse(seen) == ["1.1"]
    assert seen.said("1.1") == "direct NON-STRICT/OK, OK/OK; through FAILED/OK, NON-STRICT/OK, OK/OK"


def test_a_case_that_is_missing_is_worse() -> None:
    report = {"behavior": "OK", "behaviorClose": "OK"}
    assert worse(Outcomes.read({DIRECT: {"1.1": report}, THROUGH: {}})) == ["1.1"]
