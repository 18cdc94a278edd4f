"""Autobahn's verdicts on one server, without the gateway and through it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

DIRECT, THROUGH = "direct", "through"
_ORDER = ("OK", "INFORMATIONAL", "UNIMPLEMENTED", "NON-STRICT", "UNCLEAN", "WRONG CODE", "FAILED BY CLIENT", "FAILED")
"""From good to bad; what is not listed is the worst."""

Verdict = tuple[str, str]
"""Of the behaviour, and of the closing."""


@dataclass
class Outcomes:
    """By case and way, every verdict that was ever given."""

    cases: dict[str, dict[str, set[Verdict]]] = field(default_factory=dict)

    @classmethod
    def read(cls, index: Mapping[str, Mapping[str, Mapping[str, object]]]) -> Outcomes:
        """From the `index.json` of one run."""
        outcomes = cls()
        for way in (DIRECT, THROUGH):
            for case, report in index[way].items():
                verdict = (str(report["behavior"]), str(report["behaviorClose"]))
                outcomes.cases.setdefault(case, {DIRECT: set(), THROUGH: set()})[way].add(verdict)
        return outcomes

    def add(self, other: Outcomes) -> None:
        """Another run of some of the cases."""
        for case, ways in other.cases.items():
            for way, verdicts in ways.items():
                self.cases[case][way] |= verdicts

    def said(self, case: str) -> str:
        """In words."""
        ways = self.cases[case]
        return "; ".join(
            f"{way} {', '.join(sorted('/'.join(each) for each in ways[way]))}" for way in (DIRECT, THROUGH)
        )


def worse(outcomes: Outcomes) -> list[str]:
    """The cases with a verdict through the gateway that is worse than every one without it, or without any."""
    return [case for case, ways in outcomes.cases.items() if _worst(ways[THROUGH]) > _worst(ways[DIRECT])]


def _worst(verdicts: set[Verdict]) -> int:
    ranks = [_ORDER.index(each) if each in _ORDER else len(_ORDER) for verdict in verdicts for each in verdict]
    return max(ranks, default=len(_ORDER) + 1)
