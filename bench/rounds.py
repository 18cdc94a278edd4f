"""The measuring: rounds in which every proxy has its turn, so that drift of the machine hits all alike."""

from __future__ import annotations

import resource
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.candidate import BODY, Candidate, Running, started
from bench.cpu import TreeUse, busy_us, tree_use
from bench.load import run_load
from bench.machine import Cores
from bench.peers import NGINX_UPSTREAM
from bench.processes import Unavailable

_WARM_UP_SECONDS = 1.0

Say = Callable[[str], None]


@dataclass(frozen=True)
class Sample:
    """One proxy in one round, times per request.

    `store_cpu_us` is None where no embedded store runs. `others` is what strangers took of the cores in
    use here, as a share of one core.
    """

    round: int
    requests: int
    seconds: float
    cpu_us: float
    store_cpu_us: float | None
    others: float
    trouble: str


@dataclass
class Row:
    """All that is known of one proxy; `absent` is empty or says why it could not take part."""

    candidate: Candidate
    version: str = ""
    absent: str = ""
    samples: list[Sample] = field(default_factory=list)

    @property
    def good(self) -> list[Sample]:
        """The samples that count: without a wrong answer or a broken connection."""
        return [sample for sample in self.samples if not sample.trouble]


@dataclass(frozen=True)
class _Reading:
    proxy: TreeUse
    known_us: int
    busy_us: int


@contextmanager
def workshop() -> Iterator[Path]:
    """A folder for configs and logs, which programs without privileges may enter; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="paywall-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o711)
        yield folder


def measure(rows: Sequence[Row], rounds: int, seconds: float, cores: Cores, say: Say) -> None:
    """Fills `rows` with `rounds` samples of `seconds` each; an interruption leaves in them what was measured.

    Raises Unavailable when the upstream or the load generator is missing: nothing can be measured then.
    """
    with workshop() as folder, ExitStack() as stack:
        upstream = stack.enter_context(started(NGINX_UPSTREAM, folder / "upstream", 0, cores.load))
        turns: list[tuple[Row, Running]] = []
        for row in rows:
            say(f"starting {row.candidate.title}")
            try:
                proxy = started(row.candidate, folder / row.candidate.name, upstream.target.port, cores.proxy)
                turns.append((row, stack.enter_context(proxy)))
            except Unavailable as reason:
                row.absent = str(reason)
                say(f"  not available: {reason}")
        for _, running in turns:
            run_load(running.target, min(seconds, _WARM_UP_SECONDS), cores.load, folder, len(BODY))
        for number in range(1, rounds + 1):
            for row, running in turns:
                sample = _sample(number, running, upstream, seconds, cores, folder)
                row.samples.append(sample)
                outcome = sample.trouble or f"{sample.cpu_us:.1f} us of CPU per request"
                say(f"round {number} of {rounds}: {row.candidate.title}: {outcome}")


def _read(running: Running, upstream: Running, cores: Cores) -> _Reading:
    proxy = tree_use(running.pid)
    generator = resource.getrusage(resource.RUSAGE_CHILDREN)
    generator_us = int((generator.ru_utime + generator.ru_stime) * 1e6)
    known_us = proxy.cpu_us + proxy.store_cpu_us + tree_use(upstream.pid).cpu_us + generator_us
    return _Reading(proxy, known_us, busy_us(cores.proxy | cores.load))


def _sample(number: int, running: Running, upstream: Running, seconds: float, cores: Cores, folder: Path) -> Sample:
    try:
        before = _read(running, upstream, cores)
        load = run_load(running.target, seconds, cores.load, folder, len(BODY))
        after = _read(running, upstream, cores)
    except ProcessLookupError as ended:
        return Sample(number, 0, 0.0, 0.0, None, 0.0, str(ended))
    others_us = (after.busy_us - before.busy_us) - (after.known_us - before.known_us)
    requests = max(load.requests, 1)
    store_us = (after.proxy.store_cpu_us - before.proxy.store_cpu_us) / requests
    return Sample(
        round=number,
        requests=load.requests,
        seconds=load.seconds,
        cpu_us=(after.proxy.cpu_us - before.proxy.cpu_us) / requests,
        store_cpu_us=store_us if after.proxy.store_resident_bytes else None,
        others=max(others_us, 0) / (load.seconds * 1e6) if load.seconds else 0.0,
        trouble=load.trouble,
    )
