"""The command `python -m tests.slow`: slowhttptest in its four modes, and what somebody else notices of it.

The bystander is another address than the attacker, so that what one client may have is not what all of them have.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.conformance import fronts
from tests.hostile.rig import Absent, nginx, program, running

from .bystander import Waits, wait_for_answers

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""
GOAL = 2.0
"""The 99th percentile may be this many times what it is without an attack."""
FLOOR_MS = 5.0
"""What is below it is noise of the machine: twice of next to nothing is nothing."""
_BEFORE_S = 10.0
SMALL_BYTES, LARGE_BYTES = 1024, 64 * 2**20

MODES: dict[str, tuple[str, list[str]]] = {
    "heads": ("-H", ["-i", "5", "-u", "http://127.0.0.1:{port}/small"]),
    "bodies": ("-B", ["-i", "5", "-s", "65536", "-u", "http://127.0.0.1:{port}/upload"]),
    "ranges": ("-R", ["-a", "5", "-b", "3000", "-u", "http://127.0.0.1:{port}/large"]),
    "reading": (
        "-X",
        ["-w", "512", "-y", "1024", "-n", "5", "-z", "32", "-k", "3", "-u", "http://127.0.0.1:{port}/large"],
    ),
}
_CONFIG = """\
upstream: {{url: "http://127.0.0.1:{port}"}}
store: embedded
data: "{data}"
identity:
  - api_key: {{from: "header:x-user-id"}}
routes:
  - {{path: "/never", class: result, name: never}}
"""


@dataclass(frozen=True)
class Outcome:
    """One mode: what the bystander waited before and during it."""

    mode: str
    before: Waits
    during: Waits

    @property
    def is_met(self) -> bool:
        """Whether the bystander has hardly noticed it."""
        limit = max(GOAL * self.before.quantile(0.99), FLOOR_MS)
        return self.during.failures == 0 and self.during.quantile(0.99) <= limit

    def __str__(self) -> str:
        numbers = "  ".join(
            f"{name} p50 {waits.quantile(0.5):7.1f} p99 {waits.quantile(0.99):7.1f} most {waits.quantile(1):7.1f} ms, "
            f"{waits.failures} failed"
            for name, waits in (("before", self.before), ("during", self.during))
        )
        return f"{self.mode:8}  {numbers}  {'met' if self.is_met else 'missed'}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for; the exit code, 1 when somebody else has noticed."""
    parser = argparse.ArgumentParser(prog="make slow", description=__doc__.split("\n")[0])
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES), metavar="MODE")
    parser.add_argument("--connections", type=int, default=1000, help="of the attacker")
    parser.add_argument("--seconds", type=int, default=30, help="of each attack")
    options = parser.parse_args(arguments)
    try:
        outcomes = [_run(mode, options.connections, options.seconds) for mode in options.modes]
    except Absent as absent:
        print(absent, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("ended before its time", file=sys.stderr)
        return INTERRUPTED
    return 0 if all(outcome.is_met for outcome in outcomes) else 1


@contextlib.contextmanager
def gateway(folder: Path) -> Iterator[int]:
    """A gateway before its application; its port."""
    with (folder / "large").open("wb") as large:
        large.truncate(LARGE_BYTES)
    template = Path(__file__).with_name("nginx.conf.template")
    with running("nginx", nginx(template, small="x" * SMALL_BYTES), folder) as server:
        config = folder / "gateway.yaml"
        config.write_text(_CONFIG.format(port=server.port, data=folder / "data"))
        with fronts.running(fronts.RUN, config) as front:
            yield front.port


def _run(mode: str, connections: int, seconds: int) -> Outcome:
    print(f"{mode}: {connections} connections for {seconds} s", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="slow-") as folder, gateway(Path(folder)) as port:
        outcome = asyncio.run(attack(mode, connections, seconds, port))
    print(outcome, flush=True)
    return outcome


async def attack(mode: str, connections: int, seconds: int, port: int, before: float = _BEFORE_S) -> Outcome:
    """Attack the gateway on this port, and watch a bystander before and during it. Raises `Absent`."""
    flag, more = MODES[mode]
    command = [
        program("slowhttptest"), flag, "-c", str(connections), "-r", str(connections), "-l", str(seconds), "-v", "0",
        *(each.format(port=port) for each in more),
    ]  # fmt: skip
    peace = await _bystand(port, asyncio.sleep(before))
    attacker = await asyncio.create_subprocess_exec(*command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        during = await _bystand(port, asyncio.sleep(seconds))
    finally:
        with contextlib.suppress(ProcessLookupError):
            attacker.terminate()
        await attacker.wait()
    return Outcome(mode, peace, during)


async def _bystand(port: int, meanwhile: Awaitable[None]) -> Waits:
    """The waits of two people, one who stays and one who comes anew each time, while something else goes on."""
    over = asyncio.Event()
    asking = [asyncio.create_task(wait_for_answers(port, over, fresh)) for fresh in (False, True)]
    await meanwhile
    over.set()
    stays, comes = await asyncio.gather(*asking)
    return Waits(stays.seconds + comes.seconds, stays.failures + comes.failures)


if __name__ == "__main__":
    sys.exit(main())
