"""From samples to the table people read and the file programs read."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.load import CONNECTIONS
from bench.rounds import Row

BASELINES = ("nginx", "caddy")

_HEADINGS = (
    "proxy",
    "CPU us/request",
    "min-max",
    "store us/request",
    "requests/s",
    "core busy",
    "x nginx",
    "x Caddy",
)
_NOTHING = "-"
# With more than this share of a core in other hands a number is not fit to be quoted.
_QUIET = 0.1


@dataclass(frozen=True)
class Conditions:
    """What the numbers were taken under; `finished` is false when the run was interrupted."""

    date: str
    machine: dict[str, str | int]
    rounds: int
    seconds: float
    shared_core: bool
    finished: bool


def ratio(row: Row, baseline: Row | None) -> float | None:
    """How many times the baseline's CPU a request costs: the median of the rounds both finished well.

    Each round is compared with itself, because the machine may be slower in one than in another.
    """
    if baseline is None:
        return None
    against = {sample.round: sample.cpu_us for sample in baseline.good if sample.cpu_us > 0}
    ratios = [sample.cpu_us / against[sample.round] for sample in row.good if sample.round in against]
    return statistics.median(ratios) if ratios else None


def notes(row: Row) -> list[str]:
    """What a reader must know of a row beside its numbers, one sentence each."""
    if row.absent:
        return [f"Not available: {row.absent}"]
    troubled = [sample for sample in row.samples if sample.trouble]
    if not troubled:
        return []
    found = "; ".join(dict.fromkeys(sample.trouble for sample in troubled))
    return [f"{row.candidate.title}: {len(troubled)} of {len(row.samples)} rounds do not count: {found}."]


def table(rows: Sequence[Row], *, markdown: bool) -> str:
    """The rows as a table, in plain text or in Markdown."""
    return text_table([_HEADINGS, *(_cells(row, _baselines(rows)) for row in rows)], markdown=markdown)


def text_table(lines: Sequence[tuple[str, ...]], *, markdown: bool) -> str:
    """Lines of cells, the headings first; the first column stands to the left, all others to the right."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = [
        [
            line[0].ljust(widths[0]),
            *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)),
        ]
        for line in lines
    ]
    if markdown:
        rule = "|".join(["", "-" * (widths[0] + 2), *("-" * (width + 1) + ":" for width in widths[1:]), ""])
        rendered = ["| " + " | ".join(cells) + " |" for cells in padded]
        return "\n".join([rendered[0], rule, *rendered[1:]])
    rendered = ["  ".join(cells) for cells in padded]
    return "\n".join([rendered[0], "-" * len(rendered[0]), *rendered[1:]])


def page(rows: Sequence[Row], conditions: Conditions, *, markdown: bool) -> str:
    """The whole report: the table, what is to be known of single rows, and the conditions."""
    machine = conditions.machine
    versions = dict.fromkeys(row.version for row in rows if row.version)
    about = [
        f"Measured on {conditions.date}: {machine['cpu']}, {machine['cores']} cores, {machine['kernel']}, "
        f"Python {machine['python']}.",
        f"{conditions.rounds} rounds of {conditions.seconds:g} s, median and range; "
        f"{CONNECTIONS} connections, GET, 1 KB JSON, keep-alive on both sides; each proxy on one core.",
        f"Versions: {', '.join(versions) or 'unknown'}.",
    ]
    if conditions.shared_core:
        about.append("There is only one core here: proxy, load and upstream shared it, so trust the ratios less.")
    others = [sample.others for row in rows for sample in row.good]
    if others and max(others) > _QUIET:
        about.append(
            f"This machine was not quiet: other programs took up to {max(others):.0%} of a core "
            f"(median {statistics.median(others):.0%}). Measure again before you quote these numbers."
        )
    if not conditions.finished:
        about.append("The run was interrupted: the table holds the rounds finished before.")
    # The gateway's rows share one program and so, often, one reason.
    remarks = dict.fromkeys(note for row in rows for note in notes(row))
    bullet = "- " if markdown else ""
    return "\n".join([table(rows, markdown=markdown), "", *(bullet + line for line in [*remarks, *about])])


def write_results(path: Path, rows: Sequence[Row], conditions: Conditions) -> None:
    """Writes everything measured to `path` as JSON; an older file is replaced whole or not at all."""
    baselines = _baselines(rows)
    results = {
        **asdict(conditions),
        "connections": CONNECTIONS,
        "rows": [
            {
                "name": row.candidate.name,
                "title": row.candidate.title,
                "version": row.version,
                "cpu_us": _spread([sample.cpu_us for sample in row.good]),
                "store_cpu_us": _spread(_store_times(row)),
                "ratio": {name: ratio(row, baselines.get(name)) for name in BASELINES},
                "notes": notes(row),
                "samples": [asdict(sample) for sample in row.samples],
            }
            for row in rows
        ],
    }
    replace_file(path, json.dumps(results, indent=2) + "\n")


def replace_file(path: Path, text: str) -> None:
    """Writes `text` to `path` so that no reader ever sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.write_text(text)
    unfinished.replace(path)


def _cells(row: Row, baselines: dict[str, Row]) -> tuple[str, ...]:
    if row.absent:
        return (row.candidate.title, "not available", *[_NOTHING] * (len(_HEADINGS) - 2))
    good = row.good
    if not good:
        return (
            row.candidate.title,
            "no good round" if row.samples else _NOTHING,
            *[_NOTHING] * (len(_HEADINGS) - 2),
        )
    times = [sample.cpu_us for sample in good]
    store_times = _store_times(row)
    rates = [sample.requests / sample.seconds for sample in good]
    busy = [sample.requests * sample.cpu_us / (sample.seconds * 1e6) for sample in good]
    ratios = [ratio(row, baselines.get(name)) for name in BASELINES]
    return (
        row.candidate.title,
        f"{statistics.median(times):.1f}",
        f"{min(times):.1f}-{max(times):.1f}",
        f"{statistics.median(store_times):.1f}" if store_times else _NOTHING,
        f"{statistics.median(rates):,.0f}",
        f"{statistics.median(busy):.0%}",
        *(_NOTHING if value is None else f"{value:.2f}" for value in ratios),
    )


def _baselines(rows: Sequence[Row]) -> dict[str, Row]:
    return {row.candidate.name: row for row in rows if row.candidate.name in BASELINES}


def _store_times(row: Row) -> list[float]:
    return [sample.store_cpu_us for sample in row.good if sample.store_cpu_us is not None]


def _spread(values: list[float]) -> dict[str, float] | None:
    if not values:
        return None
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}
