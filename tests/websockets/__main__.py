"""The command `python -m tests.websockets`: Autobahn's cases, per server and with the gateway before it.

Autobahn's `wstest` is a program of Python 2, which no package of ours can bring: `pip install autobahntestsuite` under
Python 2.7, or a script named `wstest` that runs it in a container with the host's network. Where a case goes otherwise
through the gateway it is repeated with both, since a server may lose an answer that is under way when the next frame is
bad, and loses it sooner or later by chance: worse is what never happens without the gateway.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from .compare import DIRECT, THROUGH, Outcomes, worse
from .echo import MAKES
from .rig import Passage, passage

_NO_PROGRAM = (
    "wstest is not on the PATH; `pip install autobahntestsuite` under Python 2.7 brings it, or name it by --wstest"
)
_AT = "Running test case ID "
_PROGRESS_SECONDS = 5.0
INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""
_TRIALS = 12
_EXCLUDED = ["9.*"]
"""They measure how fast messages of megabytes are echoed, which `make bench` does otherwise."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for; the exit code, 1 when any case is worse through the gateway."""
    parser = argparse.ArgumentParser(prog="make autobahn", description=__doc__.split("\n")[0])
    parser.add_argument("--wstest", default=shutil.which("wstest"), help="the program, if it is not on the PATH")
    parser.add_argument("--servers", nargs="+", choices=MAKES, default=MAKES, metavar="NAME")
    parser.add_argument("--cases", nargs="+", default=["*"], help='as Autobahn names them: "7.*", 1.1.1')
    options = parser.parse_args(arguments)
    if options.wstest is None:
        print(_NO_PROGRAM, file=sys.stderr)
        return 2
    try:
        found = _judge_all(options)
    except KeyboardInterrupt:
        print("ended before its time", file=sys.stderr)
        return INTERRUPTED
    return 1 if found else 0


def _judge_all(options: argparse.Namespace) -> int:
    found = 0
    with tempfile.TemporaryDirectory(prefix="autobahn-") as folder:
        for make in options.servers:
            with passage(make, Path(folder)) as started:
                found += _judge(started, options.wstest, options.cases, Path(folder))
    return found


def _judge(started: Passage, program: str, cases: Sequence[str], folder: Path) -> int:
    outcomes = _run(started, program, cases, folder)
    for case in worse(outcomes):
        print(f"{started.make}: case {case} differs, so both get it {_TRIALS} times", file=sys.stderr)
        for _ in range(_TRIALS):
            outcomes.add(_run(started, program, [case], folder))
    found = worse(outcomes)
    for case in found:
        print(f"{started.make}: case {case}: {outcomes.said(case)}")
    print(f"{started.make}: {len(outcomes.cases)} cases, {len(found)} worse through the gateway")
    return len(found)


def _run(started: Passage, program: str, cases: Iterable[str], folder: Path) -> Outcomes:
    reports = Path(tempfile.mkdtemp(dir=folder))
    settings = {
        "outdir": str(reports),
        "servers": [
            {"agent": DIRECT, "url": f"ws://127.0.0.1:{started.direct}"},
            {"agent": THROUGH, "url": f"ws://127.0.0.1:{started.through}"},
        ],
        "cases": list(cases),
        "exclude-cases": _EXCLUDED,
        "exclude-agent-cases": {},
    }
    spec = folder / "fuzzingclient.json"
    spec.write_text(json.dumps(settings))
    with subprocess.Popen(
        [program, "-m", "fuzzingclient", "-s", spec],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        said = _follow(started.make, process.stdout)
    with contextlib.suppress(FileNotFoundError):
        return Outcomes.read(json.loads((reports / "index.json").read_text()))
    raise SystemExit(f"wstest wrote no report; it said: {said[-2000:]}")


def _follow(make: str, words: Iterable[str]) -> str:
    """Say now and then which case it is at; all that was said."""
    said, told = "", time.monotonic()
    for line in words:
        said += line
        if line.startswith(_AT) and time.monotonic() - told > _PROGRESS_SECONDS:
            told = time.monotonic()
            case, _, way = line.removeprefix(_AT).partition(" for agent ")
            print(f"{make}: at case {case}, {way.partition(' ')[0]}", file=sys.stderr)
    return said


if __name__ == "__main__":
    sys.exit(main())
