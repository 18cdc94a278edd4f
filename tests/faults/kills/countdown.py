"""Kill a process at its n-th await: a counter that the process shares with whoever tests it.

A task counts when it goes on after an await, when it stops at one, and when it ends. The memory is a file's, so that
what was counted is there after the kill.
"""

from __future__ import annotations

import asyncio
import mmap
import os
import signal
import struct
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

_NUMBERS = struct.Struct("<IIII")
_PLACE = struct.Struct("<H")
_SIZE = 4096


class Countdown:
    """The shared counter. It counts while it is armed: the awaits of tasks that began since, or of all."""

    def __init__(self, path: Path) -> None:
        with path.open("a+b") as file:
            file.truncate(_SIZE)
            self._map = mmap.mmap(file.fileno(), _SIZE)

    def arm(self, kill_at: int, *, everybody: bool = False) -> None:
        """Begin to count from 0, and kill at this number. Tasks that were there before count with `everybody` alone."""
        _, _, turn, _ = self._numbers
        self._map[_NUMBERS.size :] = bytes(_SIZE - _NUMBERS.size)
        self._map[: _NUMBERS.size] = _NUMBERS.pack(kill_at, 0, turn + 1, everybody)

    def disarm(self) -> None:
        """Count no more."""
        self._map[:4] = bytes(4)

    @property
    def seen(self) -> int:
        """How many were counted since it was armed."""
        return self._numbers[1]

    @property
    def place(self) -> str:
        """Where the process was killed; empty when it was not."""
        (length,) = _PLACE.unpack_from(self._map, _NUMBERS.size)
        begin = _NUMBERS.size + _PLACE.size
        return self._map[begin : begin + length].decode()

    @property
    def turn(self) -> int:
        """Which arming this is; 0 while it is not armed."""
        kill_at, _, turn, _ = self._numbers
        return turn if kill_at else 0

    def pass_by(self, coroutine: Any, how: str, began: int) -> None:
        """In the process: a task that began in this turn has come to an await, or goes on from one."""
        kill_at, seen, turn, everybody = self._numbers
        if not kill_at or (began != turn and not everybody):
            return
        seen += 1
        self._map[: _NUMBERS.size] = _NUMBERS.pack(kill_at, seen, turn, everybody)
        if seen == kill_at:
            text = f"{_innermost(coroutine)} {how}".encode()[:500]
            begin = _NUMBERS.size + _PLACE.size
            self._map[begin : begin + len(text)] = text
            self._map[_NUMBERS.size : begin] = _PLACE.pack(len(text))
            os.kill(os.getpid(), signal.SIGKILL)

    @property
    def _numbers(self) -> tuple[int, int, int, int]:
        kill_at, seen, turn, everybody = _NUMBERS.unpack_from(self._map)
        return kill_at, seen, turn, everybody


class Watched(Coroutine[Any, Any, Any]):
    """A task's coroutine that counts whenever it goes on and whenever it stops."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], countdown: Countdown) -> None:
        self._coroutine, self._countdown, self._began = coroutine, countdown, countdown.turn

    def send(self, value: Any) -> Any:
        """See `Coroutine`."""
        return self._watch(self._coroutine.send, value)

    def throw(self, *error: Any) -> Any:
        """See `Coroutine`."""
        return self._watch(self._coroutine.throw, *error)

    def close(self) -> None:
        """See `Coroutine`."""
        self._coroutine.close()

    def __await__(self) -> Any:
        return self._coroutine.__await__()

    def _watch(self, go_on: Any, *values: Any) -> Any:
        self._countdown.pass_by(self._coroutine, "goes on", self._began)
        try:
            awaited = go_on(*values)
        except BaseException:
            self._countdown.pass_by(self._coroutine, "has ended", self._began)
            raise
        self._countdown.pass_by(self._coroutine, "waits", self._began)
        return awaited


def watch_tasks(countdown: Countdown) -> None:
    """Let every task count that this process's running loop makes from now on."""

    def make(loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> asyncio.Task[Any]:
        return asyncio.Task(Watched(work, countdown), loop=loop, **options)

    asyncio.get_running_loop().set_task_factory(make)


def _innermost(coroutine: Any) -> str:
    """File, line and function of what a coroutine is about; of what has ended, its name."""
    while getattr(getattr(coroutine, "cr_await", None), "cr_frame", None) is not None:
        coroutine = coroutine.cr_await
    frame = getattr(coroutine, "cr_frame", None)
    name = getattr(coroutine, "__qualname__", type(coroutine).__name__)
    if frame is None:
        return str(name)
    parts = Path(frame.f_code.co_filename).parts
    begin = parts.index("gateway") if "gateway" in parts else -2
    return f"{'/'.join(parts[begin:])}:{frame.f_lineno} {name}"
