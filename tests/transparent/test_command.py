"""The long run is a command: it says how far it is, and Ctrl-C leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.page import ROOT

_COMMAND = [sys.executable, "-m", "tests.transparent", "--applications", "exact"]


def left_over(folder: Path) -> list[str]:
    """Processes that work in this folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue
        if str(folder) in line:
            found.append(line)
    return found


@pytest.mark.hostile
@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_can_be_ended_at_any_time(number: signal.Signals, tmp_path: Path) -> None:
    running = subprocess.Popen(
        _COMMAND, cwd=ROOT, env={**os.environ, "TMPDIR": str(tmp_path)}, stderr=subprocess.PIPE, text=True
    )
    assert running.stderr is not None
    with running.stderr as words:
        assert words.readline() == "exact: 0 of 20,000 exchanges\n"
        running.send_signal(number)
        assert "ended before its time" in words.read()
    assert running.wait(30) == 130
    assert left_over(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_what_is_left_over_is_noticed(tmp_path: Path) -> None:
    code = "print(flush=True); input()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None and process.stdout.readline()
        assert len(left_over(tmp_path)) == 1
    finally:
        process.kill()
        process.communicate()
