"""Starting and stopping the measured programs: pinned, in a folder of their own, none left over."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from bench.cpu import ProcessStat, process_stat, process_tree

LOG_NAME = "output.log"

_STOP_SECONDS = 5.0
_UNPRIVILEGED_USER = "nobody"


class Unavailable(Exception):
    """A program cannot take part; the text is one sentence for a person, with the mend where there is one."""


@dataclass(frozen=True)
class Command:
    """What to run. The environment is these variables and a PATH, nothing of the caller's."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


def find_program(name: str) -> str | None:
    """The program beside this Python, else on the PATH, else in the folders only root's PATH has."""
    own_folder = str(Path(sys.executable).parent)
    return shutil.which(name, path=os.pathsep.join([own_folder, os.environ.get("PATH", ""), "/usr/sbin", "/sbin"]))


def free_ports(count: int) -> list[int]:
    """Distinct TCP ports of 127.0.0.1 on which nothing listens now."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]


def pinned(cores: set[int], arguments: tuple[str, ...], *, drop_privileges: bool = False) -> list[str]:
    """The command line that runs `arguments` on `cores`, and ends them when this program dies in any way."""
    wrapper = ["setpriv", "--pdeathsig", "TERM"]
    if drop_privileges and os.geteuid() == 0:
        wrapper += ["--reuid", _UNPRIVILEGED_USER, "--regid", str(_unprivileged().pw_gid), "--clear-groups"]
    return [*wrapper, "taskset", "--cpu-list", ",".join(map(str, sorted(cores))), *arguments]


@contextmanager
def running(command: Command, folder: Path, cores: set[int], *, drop_privileges: bool = False) -> Iterator[int]:
    """Runs `command` in `folder` and gives its process id; leaving ends it and all it has started.

    What it prints goes to `output.log` in the folder. Raises Unavailable when it cannot be started.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if drop_privileges and os.geteuid() == 0:
        _give_away(folder)
    environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(folder), **command.environment}
    line = pinned(cores, command.arguments, drop_privileges=drop_privileges)
    with (folder / LOG_NAME).open("wb") as log:
        try:
            # In a session of its own: Ctrl-C then reaches this program alone, which ends the others in order.
            process = subprocess.Popen(
                line,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        except FileNotFoundError as missing:
            raise Unavailable(f"{missing.filename} is missing: install the Debian package util-linux.") from missing
    try:
        yield process.pid
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ends the process, its descendants and its group: asked first, killed after five seconds."""
    tree = process_tree(process.pid)
    if process.returncode is None:
        os.kill(process.pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    while any(_still_runs(stat) for stat in tree) and time.monotonic() < deadline:
        time.sleep(0.02)
    for stat in tree:
        if _still_runs(stat):
            with suppress(ProcessLookupError):
                os.kill(stat.pid, signal.SIGKILL)
    # The group holds what was started since the tree was looked at. It comes before the wait, which frees the
    # number: after that it may belong to strangers.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def last_words(folder: Path) -> str:
    """The last line a program printed, for an error message."""
    lines = (folder / LOG_NAME).read_text(errors="replace").strip().splitlines()
    return lines[-1].strip() if lines else "it printed nothing"


def _still_runs(stat: ProcessStat) -> bool:
    # Numbers are given out again: the same number with another start is a stranger, not to be killed.
    now = process_stat(stat.pid)
    return now is not None and now.started_ticks == stat.started_ticks and not now.has_ended


def _unprivileged() -> pwd.struct_passwd:
    return pwd.getpwnam(_UNPRIVILEGED_USER)


def _give_away(folder: Path) -> None:
    account = _unprivileged()
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, account.pw_uid, account.pw_gid)
