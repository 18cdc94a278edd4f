"""The process that gateways are forked from: `python -m tests.faults.kills.forking`, started by `nursery`."""

from __future__ import annotations

import ctypes
import functools
import gc
import json
import os
import signal
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from .countdown import Countdown, watch_tasks
from .twins import TWINS

_PR_SET_PDEATHSIG = 1


def _serve() -> None:
    _import_all()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that were killed
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            _become(json.loads(line))
        print(pid, flush=True)


def _import_all() -> None:
    """What a gateway would import while it starts: it is what its start takes longest for."""
    import gateway.cli.run  # noqa: F401
    from gateway.extend import catalogue

    # What is installed stays so; to look it up is two thirds of what is left of a start.
    setattr(catalogue, "entry_points", functools.cache(entry_points))  # noqa: B010
    for kind in catalogue.KINDS:
        catalogue.settings_models(kind)
    gc.collect()
    gc.freeze()  # what nobody touches any more stays one copy for all


def _become(order: dict[str, Any]) -> None:
    """Be a gateway, and end as one."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDWR)
    for number, file in enumerate((nothing, nothing, log)):
        os.dup2(file, number)
    code = 1
    try:
        code = _run(order)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stderr.flush()
        os._exit(code)


def _run(order: dict[str, Any]) -> int:
    import gateway.cli.main
    import gateway.cli.run
    from gateway.cli.serving import serve_until_stopped

    countdown = Countdown(Path(order["countdown"]))

    async def counted(*arguments: Any) -> None:
        watch_tasks(countdown)
        await serve_until_stopped(*arguments)

    setattr(gateway.cli.run, "serve_until_stopped", counted)  # noqa: B010
    if order["twin"]:
        TWINS[order["twin"]]()
    sys.argv = ["paywall", *order["arguments"]]
    try:
        gateway.cli.main.main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    return 0


if __name__ == "__main__":
    _serve()
