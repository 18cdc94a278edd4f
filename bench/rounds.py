"""The measuring: rounds in which every proxy has its turn, so that drift of the machine hits all alike."""

from __future__ import annotations

import os
import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.candidate import Candidate, Running, started, version_of
from bench.cpu import busy_us, monotonic_us, tree_use
from bench.processes import Unavailable
from bench.setting import Setting


@dataclass(frozen=True)
class Taken:
    """What one turn brought; `trouble` is empty or says why it does not count."""

    values: dict[str, float]
    trouble: str = ""


@dataclass(frozen=True)
class Sample:
    """One proxy in one round. `others` is what strangers took of the cores in use here, as a share of one core."""

    round: int
    values: dict[str, float]
    others: float = 0.0
    trouble: str = ""


@dataclass
class Series:
    """All that is known of one proxy; `absent` is empty or says why it could not take part."""

    name: str
    title: str
    version: str = ""
    absent: str = ""
    samples: list[Sample] = field(default_factory=list)

    @property
    def good(self) -> list[Sample]:
        """The samples that count: without a wrong answer or a broken connection."""
        return [sample for sample in self.samples if not sample.trouble]

    def values(self, key: str) -> list[float]:
        """What the rounds that count brought of it."""
        return [sample.values[key] for sample in self.good if key in sample.values]

    def median(self, key: str) -> float | None:
        """The middle of them, or None."""
        values = self.values(key)
        return statistics.median(values) if values else None


@dataclass(frozen=True)
class Stage:
    """Where a turn takes place: the proxy, the upstream behind it, and a folder for files."""

    candidate: Candidate
    running: Running
    upstream: Running
    folder: Path


Turn = Callable[[Stage], Taken]


def ratios(series: Series, baseline: Series | None, key: str) -> list[float]:
    """How many times the baseline's value, round by round, for the rounds both finished well.

    Each round is compared with itself, because the machine may be slower in one than in another.
    """
    if baseline is None:
        return []
    against = {sample.round: sample.values.get(key, 0.0) for sample in baseline.good}
    return [sample.values[key] / against[sample.round] for sample in series.good if against.get(sample.round, 0.0) > 0]


@contextmanager
def workshop() -> Iterator[Path]:
    """A folder for configs and logs, which programs without privileges may enter; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="paywall-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o711)
        yield folder


def take_turns(
    setting: Setting,
    upstream: Candidate,
    candidates: Sequence[Candidate],
    turn: Turn,
    *,
    rounds: int | None = None,
    warm_up: Turn | None = None,
) -> dict[str, Series]:
    """One series for each candidate; all run during the whole time and have their turn in every round.

    An interruption ends the rounds and keeps what they brought. Raises Unavailable when the upstream is missing.
    """
    series = {candidate.name: Series(candidate.name, candidate.title) for candidate in candidates}
    with workshop() as folder, ExitStack() as stack:
        behind = stack.enter_context(started(upstream, folder / "upstream", 0, setting.cores.load))
        stages: list[Stage] = []
        for candidate in candidates:
            setting.say(f"  starting {candidate.title}")
            try:
                proxy = started(candidate, folder / candidate.name, behind.target.port, setting.cores.proxy)
                stages.append(Stage(candidate, stack.enter_context(proxy), behind, folder))
                series[candidate.name].version = version_of(candidate)
            except Unavailable as reason:
                series[candidate.name].absent = str(reason)
                setting.say(f"  not available: {reason}")
        try:
            for stage in stages:
                if warm_up is not None and (trouble := _sample(0, stage, warm_up, setting).trouble):
                    setting.say(f"  warm-up of {stage.candidate.title}: {trouble}")
            _go_round(setting, stages, turn, rounds or setting.scale.rounds, series)
        except KeyboardInterrupt:
            setting.stopped = True
    return series


def _go_round(setting: Setting, stages: Sequence[Stage], turn: Turn, rounds: int, series: dict[str, Series]) -> None:
    for number in range(1, rounds + 1):
        for stage in stages:
            sample = _sample(number, stage, turn, setting)
            series[stage.candidate.name].samples.append(sample)
            outcome = sample.trouble or ", ".join(f"{key} {value:,.2f}" for key, value in sample.values.items())
            setting.say(f"  round {number} of {rounds}: {stage.candidate.title}: {outcome}")


def _sample(number: int, stage: Stage, turn: Turn, setting: Setting) -> Sample:
    cores = setting.cores.proxy | setting.cores.load
    begun, busy, known = monotonic_us(), busy_us(cores), _known_us()
    try:
        taken = turn(stage)
    except (OSError, EOFError, ValueError, TimeoutError) as problem:
        return Sample(number, {}, 0.0, f"{type(problem).__name__}: {problem}")
    others_us = (busy_us(cores) - busy) - (_known_us() - known)
    return Sample(number, taken.values, max(others_us, 0) / max(monotonic_us() - begun, 1), taken.trouble)


def _known_us() -> int:
    # Everything that was started here is below this process, and so is what it has waited for.
    use = tree_use(os.getpid())
    return use.cpu_us + use.store_cpu_us
