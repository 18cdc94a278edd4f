"""A terminal that types what a page tells to type, and compares what comes back with what the page shows.

`…` stands for anything within a line; alone in a line for any number of lines.
"""

from __future__ import annotations

import os
import re
import secrets
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import IO

DEADLINE = 30.0


def commands(text: str) -> list[tuple[str, list[str]]]:
    """The commands of a block, each with the lines that it shows of their output."""
    found: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
    return found


def matches(shown: list[str], lines: list[str]) -> bool:
    """Whether the lines are what is shown."""
    pattern = "".join(
        r"(?:.*\n)*" if line == "…" else ".*".join(map(re.escape, line.split("…"))) + r"\n" for line in shown
    )
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in lines)) is not None


class Terminal:
    """A shell in a folder, which keeps its variables from command to command, and programs beside it."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._folder = folder
        self._environment = {**os.environ, **environment, "PYTHONUNBUFFERED": "1"}
        self._served: list[subprocess.Popen[str]] = []
        self._readers: list[threading.Thread] = []
        self._shell = self._start(["bash", "--norc"], subprocess.PIPE)

    def type(self, command: str) -> list[str]:
        """Run a command and give the lines of both its outputs; fails when it fails."""
        end = f"end-{secrets.token_hex(8)}"
        assert self._shell.stdin is not None and self._shell.stdout is not None
        self._shell.stdin.write(f"{{ {command}\n}} 2>&1; echo {end} $?\n")
        self._shell.stdin.flush()
        lines: list[str] = []
        for line in self._shell.stdout:
            before, found, status = line.partition(end)
            if not found:
                lines.append(line.rstrip("\n"))
                continue
            lines += [before] if before else []
            assert status.strip() == "0", f"{command}: exit {status.strip()}\n" + "\n".join(lines)
            return lines
        raise AssertionError(f"the shell ended at: {command}")

    def serve(self, command: str, shown: list[str]) -> None:
        """Start a program that goes on, and wait until it has said what is shown."""
        process = self._start(["bash", "--norc", "-c", f"exec {command} 2>&1"], subprocess.DEVNULL)
        self._served.append(process)
        said: list[str] = []
        assert process.stdout is not None
        reader = threading.Thread(target=_collect, args=(process.stdout, said), daemon=True)
        reader.start()
        self._readers.append(reader)
        deadline = time.monotonic() + DEADLINE
        while not matches(shown, list(said)):
            assert process.poll() is None and time.monotonic() < deadline, f"{command} said:\n" + "\n".join(said)
            time.sleep(0.02)

    def close(self) -> None:
        """End everything that was started."""
        assert self._shell.stdin is not None and self._shell.stdout is not None
        self._shell.stdin.close()
        for process in reversed(self._served):
            process.send_signal(signal.SIGTERM)
            process.wait(DEADLINE)
        for reader in self._readers:
            reader.join(DEADLINE)
        self._shell.wait(DEADLINE)
        for process in (self._shell, *self._served):
            assert process.stdout is not None
            process.stdout.close()

    def _start(self, command: list[str], stdin: int) -> subprocess.Popen[str]:
        return subprocess.Popen(
            command, cwd=self._folder, env=self._environment, text=True, stdin=stdin, stdout=subprocess.PIPE
        )


def _collect(stream: IO[str], lines: list[str]) -> None:
    for line in stream:
        lines.append(line.rstrip("\n"))
