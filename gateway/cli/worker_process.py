"""A worker as the process that started it sees it."""

from __future__ import annotations

import asyncio
import base64
import os
import signal
import socket
import sys
import threading
from dataclasses import dataclass, field
from typing import Any

from gateway.cli.questions import Asker, Question, Refused, Unanswered
from gateway.cli.relay import Relay
from gateway.cli.serving import Prepared
from gateway.cli.worker import packed
from gateway.eventlog.sums import Numbers
from gateway.settings.load import Loaded
from gateway.store.embedded import how_it_ended
from gateway.store.pdeathsig_exec import dying_with_us

START_SECONDS = 120.0
"""How long a worker may take to serve; each of its plugins has thirty of its own."""
_RELAY_SECONDS = 2.0


class StartFailed(Exception):
    """It does not serve; `str()` is why."""


@dataclass(frozen=True, slots=True)
class Logs:
    """Where the lines of all workers go."""

    access: Relay
    messages: Relay


@dataclass(eq=False)
class WorkerProcess:
    """One process and the connection to it."""

    number: int
    _process: asyncio.subprocess.Process
    _asker: Asker
    _relays: list[threading.Thread]
    numbers: Numbers = field(default_factory=list)
    """What it was last known to have counted."""

    @classmethod
    async def begin(cls, number: int, loaded: Loaded, opened: Prepared, logs: Logs) -> WorkerProcess:
        """Start one and wait until it serves. Raises `StartFailed`, and then none is left behind."""
        worker = await _spawn(number, opened.listener.fileno(), logs)
        try:
            await worker.ask(
                Question.START, START_SECONDS, listener=opened.listener.fileno(), store=opened.store_url,
                secret=base64.b64encode(opened.secret).decode("ascii"), config=packed(loaded),
            )  # fmt: skip
        except BaseException as error:
            worker.kill()
            how = await worker.ended()
            if isinstance(error, Refused):
                raise StartFailed(str(error)) from None
            if isinstance(error, Unanswered):
                raise StartFailed(f"the gateway can't start: a worker {how} before it served") from None
            raise
        return worker

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    async def ask(self, question: Question, seconds: float, **details: Any) -> Any:
        """The answer. Raises `Refused` and `Unanswered`."""
        return await self._asker.ask(question, seconds, **details)

    def drain(self) -> None:
        """Tell it to stop when its requests have ended; a second time: at once."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it, whatever it does."""
        self._signal(signal.SIGKILL)

    async def ended(self) -> str:
        """Wait for its end; how that came, in words. Everything it wrote has been passed on then."""
        code = await self._process.wait()
        await self._asker.close()
        for relay in self._relays:
            # A process that a plugin has left behind may hold its end of the pipe for ever.
            await asyncio.to_thread(relay.join, _RELAY_SECONDS)
        return how_it_ended(code)

    def _signal(self, number: signal.Signals) -> None:
        if self._process.returncode is None:
            self._process.send_signal(number)


async def _spawn(number: int, listener: int, logs: Logs) -> WorkerProcess:
    here, there = socket.socketpair()
    access_read, access_write = os.pipe()
    messages_read, messages_write = os.pipe()
    try:
        process = await asyncio.create_subprocess_exec(
            # Safe path: a module in the working folder must not pass for one of ours.
            *dying_with_us(sys.executable, "-P", "-m", "gateway.cli.worker"),
            stdin=there.fileno(), stdout=access_write, stderr=messages_write, pass_fds=[listener],
            # A session of its own: Ctrl-C in the terminal is for the parent, which has the workers drain.
            start_new_session=True,
        )  # fmt: skip
    except BaseException:
        here.close()
        os.close(access_read)
        os.close(messages_read)
        raise
    finally:
        there.close()
        os.close(access_write)
        os.close(messages_write)
    relays = [logs.access.begin(access_read), logs.messages.begin(messages_read)]
    return WorkerProcess(number, process, await Asker.on(here), relays)
