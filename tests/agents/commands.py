"""Commands of `paywall` about a gateway that runs."""

from __future__ import annotations

import subprocess

from tests.flow.service import COMMAND, Service


def command(service: Service, *words: str) -> str:
    """What `paywall WORDS FILE` says, on both its outputs."""
    done = subprocess.run([*COMMAND, *words, str(service.config)], cwd=service.folder, text=True, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
