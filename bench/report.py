"""From rows to the table people read and the file programs read."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.load import CONNECTIONS
from bench.row import PEERS, Result, Row
from bench.setting import FULL, Scale

HEADINGS = ("what", "measured", "goal", "verdict", "paywall", "against", "nginx", "HAProxy", "Caddy")
QUIET = 0.1
"""With more than this share of a core in other hands a number is not fit to be quoted."""

_COLUMNS = ("paywall", "against", *PEERS)
_NOTHING = "-"


@dataclass(frozen=True)
class Conditions:
    """What the numbers were taken under.

    `finished` is false when the run was interrupted, `whole` when some measurements were left out.
    """

    date: str
    machine: dict[str, str | int]
    scale: Scale
    shared_core: bool
    finished: bool
    whole: bool

    @property
    def short(self) -> bool:
        """Whether anything was done less often, or with less, than in a full run."""
        return any(value < getattr(FULL, name) for name, value in asdict(self.scale).items())


def page(results: Mapping[str, Result], conditions: Conditions, *, markdown: bool) -> str:
    """The whole report: the table, what is to be known of single rows, and the conditions."""
    rows = [row for result in results.values() for row in result.rows]
    bullet = "- " if markdown else ""
    remarks = dict.fromkeys(note for row in rows for note in row.notes)
    lines = [*remarks, *_about(results, conditions)]
    return "\n".join([table(rows, markdown=markdown), "", *(bullet + line for line in lines)])


def table(rows: Sequence[Row], *, markdown: bool) -> str:
    """The rows as a table, in plain text or in Markdown."""
    return text_table([HEADINGS, *map(_cells, rows)], markdown=markdown)


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


def others(results: Mapping[str, Result]) -> float:
    """What strangers took of the cores, as a share of one: the median of the rounds where it was highest."""
    every = [series.samples for result in results.values() for series in result.series.values() if series.samples]
    return max((statistics.median(sample.others for sample in samples) for samples in every), default=0.0)


def write_results(path: Path, results: Mapping[str, Result], conditions: Conditions) -> None:
    """Writes everything measured to `path` as JSON; an older file is replaced whole or not at all."""
    rows = [row for result in results.values() for row in result.rows]
    told = {
        **asdict(conditions),
        "short": conditions.short,
        "others": others(results),
        "versions": _versions(results),
        "rows": [{**asdict(row), "value": row.value, "verdict": row.verdict} for row in rows],
        "markdown": page(results, conditions, markdown=True),
        "samples": {
            name: {each.name: asdict(each) for each in result.series.values()} for name, result in results.items()
        },
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.write_text(json.dumps(told, indent=1) + "\n")
    unfinished.replace(path)


def _about(results: Mapping[str, Result], conditions: Conditions) -> list[str]:
    machine, scale = conditions.machine, conditions.scale
    about = [
        f"Measured on {conditions.date}: {machine['cpu']}, {machine['cores']} cores, {machine['kernel']}, "
        f"Python {machine['python']}; {', '.join(_versions(results)) or 'versions unknown'}.",
        f"{scale.rounds} rounds of {scale.seconds:g} s, median (range); {CONNECTIONS} connections, GET, 1 KB JSON, "
        "keep-alive on both sides; each proxy on one core. *Against* is the gateway without what the row is "
        "about; for times, the application asked directly.",
    ]
    if conditions.short:
        about.append("The run was short: it shows that everything works, and is not to be quoted.")
    if conditions.shared_core:
        about.append("There is only one core here: proxy, load and upstream shared it, so trust the ratios less.")
    if (share := others(results)) > QUIET:
        about.append(
            f"This machine was not quiet: other programs took up to {share:.0%} of a core. "
            "Measure again before you quote these numbers."
        )
    if not conditions.finished:
        about.append("The run was interrupted: the table holds what was measured before.")
    return about


def _versions(results: Mapping[str, Result]) -> list[str]:
    known = (series.version for result in results.values() for series in result.series.values())
    return list(dict.fromkeys(version for version in known if version))


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.title,
        _measured(row),
        row.goal or _NOTHING,
        row.verdict,
        *(_beside(row.beside.get(column), row.beside_unit) for column in _COLUMNS),
    )


def _measured(row: Row) -> str:
    if row.value is None:
        return _NOTHING
    spread = f" ({min(row.values):.2f}-{max(row.values):.2f})" if len(row.values) > 1 else ""
    return f"{row.value:.2f} {row.unit}{spread}"


def _beside(value: float | None, unit: str) -> str:
    return _NOTHING if value is None else f"{value:.3g} {unit}" if abs(value) < 100 else f"{value:,.0f} {unit}"
