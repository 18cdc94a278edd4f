"""Runs a program that dies with its parent: `python -I -S pdeathsig_exec.py PARENT_PID PROGRAM ARGUMENT...`

A script of its own, started by a plain fork and exec, because code that runs between fork and exec in a process with
threads (`preexec_fn`) can deadlock. Imports nothing of the gateway.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def dying_with_us(program: str, *arguments: str) -> list[str]:
    """The command that runs a program which dies with the thread that starts it."""
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), program, *arguments]


def main() -> None:
    """Ask the kernel for SIGKILL when the parent's thread ends (Linux only), then become the program."""
    parent, program = int(sys.argv[1]), sys.argv[2]
    if sys.platform == "linux":
        # SIGKILL, so that not even a stopped server stays. An append-only file loses nothing by it.
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        return  # the parent was gone before the kernel was asked
    os.execv(program, sys.argv[2:])  # noqa: S606 - there is no shell here on purpose


if __name__ == "__main__":
    main()
