"""One line of the table: what was measured, what is wanted, and what others need for the same."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bench.rounds import Series, ratios

PEERS = ("nginx", "haproxy", "caddy")


@dataclass(frozen=True)
class Row:
    """`value` is what `goal` speaks of, and is to be at most `limit`; None is shown and not judged.

    `beside` holds the plain numbers in `beside_unit`: of the gateway (`paywall`), of what it is held against
    (`against`), and of the peers.
    """

    name: str
    title: str
    values: Sequence[float]
    unit: str
    goal: str = ""
    limit: float | None = None
    beside_unit: str = ""
    beside: Mapping[str, float | None] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def value(self) -> float | None:
        """The median of the rounds, or None when none counts."""
        return statistics.median(self.values) if self.values else None

    @property
    def verdict(self) -> str:
        """Met, missed and by how much, or why neither."""
        if self.value is None:
            return "not measured"
        if self.limit is None:
            return "shown"
        return "met" if self.value <= self.limit else f"missed by {self.value / self.limit - 1:.0%}"


@dataclass(frozen=True)
class Result:
    """What one measurement brought: its rows, and every sample they are made of."""

    rows: Sequence[Row]
    series: Mapping[str, Series]


def ratio_row(
    name: str,
    title: str,
    series: Mapping[str, Series],
    own: str,
    baseline: str,
    key: str,
    *,
    unit: str,
    beside_unit: str,
    goal: str = "",
    limit: float | None = None,
    peers: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> Row:
    """A row whose value is how many times the baseline's `key` our own is."""
    beside = {"paywall": series[own].median(key), **{peer: series[peer].median(key) for peer in peers}}
    if baseline not in PEERS:
        beside["against"] = series[baseline].median(key)
    values = ratios(series[own], series[baseline], key)
    concerned = [series[each] for each in dict.fromkeys((own, baseline, *peers))]
    return Row(name, title, values, unit, goal, limit, beside_unit, beside, (*notes, *remarks(concerned)))


def remarks(series: Sequence[Series]) -> list[str]:
    """What a reader must know of these beside their numbers, one sentence each."""
    said = []
    for each in series:
        troubled = [sample for sample in each.samples if sample.trouble]
        found = "; ".join(dict.fromkeys(sample.trouble for sample in troubled))
        if each.absent:
            said.append(f"Not available: {each.absent}")
        elif troubled:
            said.append(f"{each.title}: {len(troubled)} of {len(each.samples)} rounds do not count: {found}.")
    return said
