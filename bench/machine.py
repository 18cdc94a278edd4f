"""The machine under the numbers: its processor, and which core serves whom."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Cores:
    """The cores of the measured proxy, and those of the load generator and the upstream."""

    proxy: set[int]
    load: set[int]

    @property
    def shared(self) -> bool:
        """Whether there was only one core to give: the numbers then hold the caches' quarrels as well."""
        return self.proxy == self.load


def split_cores() -> Cores:
    """One core for the proxy; up to two others for the load generator and the upstream."""
    first, *others = sorted(os.sched_getaffinity(0))
    return Cores({first}, set(others[:2]) or {first})


def describe_machine() -> dict[str, str | int]:
    """Processor model, number of usable cores, kernel and Python, as they go into the results."""
    return {
        "cpu": _processor_model(),
        "cores": len(os.sched_getaffinity(0)),
        "kernel": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def _processor_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        label, _, value = line.partition(":")
        if label.strip() == "model name":
            return value.strip()
    return platform.machine()
