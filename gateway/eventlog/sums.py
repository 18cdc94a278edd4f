"""The metrics of several processes as those of one: what counts is added up.

A process that ended leaves what it was last known to have counted, so that no counter ever falls: a fall would look
like a restart of everything, and everything would seem to have happened again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from prometheus_client import Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from gateway.eventlog.metrics import LAST_RELOAD, SET_ASIDE, SPOOL_BYTES

Numbers = list[dict[str, Any]]
"""Metrics as plain values, to be sent from one process to another."""


def numbers_of(families: Iterable[Metric]) -> Numbers:
    """These metrics as plain values."""
    return [
        {
            "name": family.name,
            "help": family.documentation,
            "type": family.type,
            "samples": [[sample.name, dict(sample.labels), sample.value] for sample in family.samples],
        }
        for family in families
    ]


def add_up(parts: Iterable[Numbers]) -> Numbers:
    """One set of metrics out of several."""
    families: dict[str, dict[str, Any]] = {}
    samples: dict[str, dict[Any, list[Any]]] = {}
    for family in (family for part in parts for family in part):
        name = family["name"]
        families.setdefault(name, {**family})
        known = samples.setdefault(name, {})
        for sample, labels, value in family["samples"]:
            key = (sample, tuple(sorted(labels.items())))
            found = known.setdefault(key, [sample, labels, None])
            found[2] = value if found[2] is None else _joined(sample, found[2], value)
    return [{**family, "samples": list(samples[name].values())} for name, family in families.items()]


def what_stays(numbers: Numbers) -> Numbers:
    """What still counts of a process that has ended: not how it was doing."""
    return [family for family in numbers if family["name"] not in (LAST_RELOAD, SET_ASIDE, SPOOL_BYTES)]


def page_of(numbers: Numbers) -> bytes:
    """In Prometheus' text format."""
    return generate_latest(_Given(numbers))


def _joined(sample: str, one: float, other: float) -> float:
    # Not everything is a number of things: some say when a series began, or how a process is doing.
    if sample == LAST_RELOAD or sample.endswith("_created"):
        return min(one, other)
    return max(one, other) if sample == SET_ASIDE else one + other


class _Given(Collector):
    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers

    def collect(self) -> Iterator[Metric]:
        for family in self._numbers:
            metric = Metric(family["name"], family["help"], family["type"])
            for name, labels, value in family["samples"]:
                metric.add_sample(name, labels, value)
            yield metric
