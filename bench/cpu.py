"""CPU time and memory of a whole process tree, read from /proc (see proc(5))."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

STORE_NAMES = ("valkey-server", "redis-server")

_MICROSECONDS_PER_TICK = 1_000_000 // os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class ProcessStat:
    """One process at one moment; `cpu_us` covers all its threads and the children it has waited for."""

    pid: int
    parent: int
    name: str
    has_ended: bool
    started_ticks: int
    cpu_us: int
    resident_bytes: int

    @property
    def is_store(self) -> bool:
        """Whether this is the gateway's embedded store (or one of the copies it forks to write its file)."""
        return self.name.startswith(STORE_NAMES)


@dataclass(frozen=True)
class TreeUse:
    """Total microseconds and present bytes of a process tree; the embedded store stands apart."""

    cpu_us: int
    store_cpu_us: int
    resident_bytes: int
    store_resident_bytes: int


def process_stat(pid: int) -> ProcessStat | None:
    """The process `pid`, or None when it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name stands in brackets and may itself hold brackets and spaces: only the last one closes it.
    before, _, after = text.rpartition(")")
    field = after.split()
    user, system, waited_user, waited_system = (int(ticks) for ticks in field[11:15])
    return ProcessStat(
        pid=pid,
        parent=int(field[1]),
        name=before.partition("(")[2],
        has_ended=field[0] in "ZX",
        started_ticks=int(field[19]),
        cpu_us=(user + system + waited_user + waited_system) * _MICROSECONDS_PER_TICK,
        resident_bytes=int(field[21]) * _PAGE_BYTES,
    )


def busy_us(cores: set[int]) -> int:
    """How long these cores have worked since the machine started, for whomever; from the kernel's ticks.

    Time that a hypervisor gave to other machines counts: it was not ours.
    """
    total = 0
    for line in Path("/proc/stat").read_text().splitlines():
        name, *ticks = line.split()
        if name in {f"cpu{core}" for core in cores}:
            user, nice, system, _idle, _waiting, interrupts, soft_interrupts, stolen = map(int, ticks[:8])
            total += user + nice + system + interrupts + soft_interrupts + stolen
    return total * _MICROSECONDS_PER_TICK


def monotonic_us() -> int:
    """A clock to measure spans with."""
    return time.monotonic_ns() // 1000


def process_tree(root: int) -> list[ProcessStat]:
    """`root` and all its living descendants; empty when `root` is gone.

    A descendant whose own parent has died is no longer in the tree: the kernel gives it to another parent.
    """
    pids = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    everything = {stat.pid: stat for pid in pids if (stat := process_stat(pid))}
    children: dict[int, list[int]] = {}
    for stat in everything.values():
        children.setdefault(stat.parent, []).append(stat.pid)
    tree: list[ProcessStat] = []
    to_visit = [root] if root in everything else []
    while to_visit:
        pid = to_visit.pop()
        tree.append(everything[pid])
        to_visit.extend(children.get(pid, ()))
    return tree


def tree_use(root: int) -> TreeUse:
    """CPU and memory of the tree under `root`.

    Raises ProcessLookupError when `root` has ended: its time is gone then, and a difference nonsense.
    """
    tree = process_tree(root)
    if not tree:
        raise ProcessLookupError(f"process {root} has ended")
    store = [stat for stat in tree if stat.is_store]
    own = [stat for stat in tree if not stat.is_store]
    return TreeUse(
        cpu_us=sum(stat.cpu_us for stat in own),
        store_cpu_us=sum(stat.cpu_us for stat in store),
        resident_bytes=sum(stat.resident_bytes for stat in own),
        store_resident_bytes=sum(stat.resident_bytes for stat in store),
    )
