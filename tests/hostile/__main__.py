"""The command `python -m tests.hostile`: the whole battery at length, with progress, and an orderly end by Ctrl-C.

The hand-made variants go to every application. So do the composed ones that the gateway sends on at all: which these
are, an application tells that takes every request for the result's. With `--every` all of them go to every application.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

from . import gateways
from .applications import APPLICATIONS, SIEVE, SPECIAL, upstream
from .battery import Tally, sent_on
from .collector import Collector
from .grammar import composed
from .judge import Judge
from .message import Variant
from .rig import Absent
from .variants import VARIANTS

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""
_UPSTREAMS = (*APPLICATIONS, *SPECIAL)
_MODES = ("block", "hold")
_SHOWN = 20
_CHUNK = 5_000
_ROW = "{:<18} {:<6} {:<8} {:>9} {:>10} {:>9} {:>9} {:>11}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for; the exit code, 1 when anything leaked or an innocent was hurt."""
    options = _parser().parse_args(arguments)
    print(_ROW.format("upstream", "mode", "front", "variants", "delivered", "executed", "canaries", "status 500"))
    with tempfile.TemporaryDirectory(prefix="hostile-") as folder:
        try:
            return 1 if sum(_on_front(front, options, Path(folder)) for front in options.fronts) else 0
        except KeyboardInterrupt:
            print("ended before its time", file=sys.stderr)
            return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make hostile", description=__doc__)
    parser.add_argument("--variants", type=int, default=100_000, help="to compose, besides the hand-made; 0 for none")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", action="store_true", help="send every composed variant to every application")
    parser.add_argument("--fronts", nargs="+", choices=gateways.FRONTS, default=gateways.FRONTS, metavar="NAME")
    parser.add_argument("--upstreams", nargs="+", choices=_UPSTREAMS, default=_UPSTREAMS, metavar="NAME")
    parser.add_argument("--modes", nargs="+", choices=_MODES, default=_MODES, metavar="MODE")
    return parser


def _on_front(front: str, options: argparse.Namespace, folder: Path) -> int:
    """The leaks of the gateway on this front."""
    with contextlib.ExitStack() as resources:
        collector = Collector()
        resources.callback(collector.close)
        try:
            gateway = resources.enter_context(gateways.real(folder, front))
        except Absent as reason:
            print(f"{front}: left out. {reason}")
            return 0
        battery = _Battery(gateway, front, collector, folder, options)
        return sum(battery.run(mode) for mode in options.modes)


class _Battery:
    """All variants in one mode, before one application after the other."""

    def __init__(
        self,
        gateway: gateways.RealGateway,
        front: str,
        collector: Collector,
        folder: Path,
        options: argparse.Namespace,
    ) -> None:
        self._gateway, self._front, self._options = gateway, front, options
        self._collector, self._judge, self._folder = collector, Judge(collector), folder

    def run(self, mode: str) -> int:
        """The leaks in this mode."""
        options = self._options
        made = composed(options.variants, options.seed)
        more, hurt = (list(made), 0) if options.every else self._sieved(made, mode)
        return hurt + sum(self._before(name, mode, (*VARIANTS, *more)) for name in options.upstreams)

    def _sieved(self, made: Iterable[Variant], mode: str) -> tuple[list[Variant], int]:
        """What is sent on, and how many canaries were hurt by it or by the rest."""
        found: list[Variant] = []
        seen, began = Tally(), time.monotonic()
        folder = _made(self._folder / f"{SIEVE}-{mode}-{self._front}")
        with upstream(SIEVE, self._collector, folder) as sieve:
            gateway = self._gateway.stand_before(sieve, mode)
            made = iter(made)
            while chunk := list(islice(made, _CHUNK)):
                passed, run = sent_on(self._judge, chunk, gateway, sieve)
                found += passed
                seen.variants += len(chunk)
                seen.canaries_wrong += len(run.canaries)
                seen.failed += sum(one.received.startswith(b"HTTP/1.1 500") for one in run.sightings)
                _tell(f"{mode}, sieved", seen.variants, self._options.variants, began)
        print(_ROW.format(SIEVE, mode, self._front, f"{seen.variants:,}", "-", "-", seen.canaries_wrong, seen.failed))
        print(f"    {len(found):,} of them are sent on, and go to every application", flush=True)
        return found, seen.canaries_wrong

    def _before(self, name: str, mode: str, variants: Sequence[Variant]) -> int:
        tally, began = Tally(), time.monotonic()
        try:
            with upstream(name, self._collector, _made(self._folder / f"{name}-{mode}-{self._front}")) as application:
                gateway = self._gateway.stand_before(application, mode)
                for start in range(0, len(variants), _CHUNK):
                    chunk = variants[start : start + _CHUNK]
                    tally.add(self._judge.run(chunk, gateway, application, canaries=True), name, mode == "hold")
                    _tell(f"{name}, {mode}", tally.variants, len(variants), began)
        except Absent as reason:
            print(f"{name}: left out. {reason}")
            return 0
        counts = (tally.delivered, tally.executed_wrongly, tally.canaries_wrong, tally.failed)
        print(_ROW.format(name, mode, self._front, f"{tally.variants:,}", *counts), flush=True)
        if tally.unanswered:
            print(f"    {tally.unanswered:,} prove nothing: refused because the store did not answer", flush=True)
        for line in tally.complaints[:_SHOWN]:
            print(f"    {line[:1200]}", flush=True)
        return tally.leaks


def _tell(what: str, done: int, total: int, began: float) -> None:
    """How far it is, to whoever watches."""
    line = f"{what}: {done:,} of {total:,}, {done / (time.monotonic() - began):,.0f} a second"
    print(f"\r{line:<70}" if sys.stderr.isatty() else line, end="\r" if sys.stderr.isatty() else "\n", file=sys.stderr)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


if __name__ == "__main__":
    sys.exit(main())
