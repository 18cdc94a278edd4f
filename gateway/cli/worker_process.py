"""A worker as the process that started it sees it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import signal
import socket
import subprocess
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
from gateway.store.embedded.pdeathsig_exec import dying_with_us
from gateway.store.embedded.server import how_it_ended

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
    _process: subprocess.Popen[bytes]
    _code: asyncio.Future[int]
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
        self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it, whatever it does."""
        self._process.send_signal(signal.SIGKILL)

    async def ended(self) -> str:
        """Wait for its end; how that came, in words. Everything it wrote has been passed on then."""
        code = await asyncio.shield(self._code)
        await self._asker.close()
        for relay in self._relays:
            # A process that a plugin has left behind may hold its end of the pipe for ever.
            await asyncio.to_thread(relay.join, _RELAY_SECONDS)
        return how_it_ended(code)


async def _spawn(number: int, listener: int, logs: Logs) -> WorkerProcess:
    here, there = socket.socketpair()
    with there:
        try:
            process, relays = _start(there.fileno(), listener, logs)
        except BaseException:
            here.close()
            raise
    return WorkerProcess(number, process, _code_of(process), await Asker.on(here), relays)


def _start(connection: int, listener: int, logs: Logs) -> tuple[subprocess.Popen[bytes], list[threading.Thread]]:
    """To be called in the main thread: the kernel ends the worker when the *thread* that started it ends."""
    # Safe path: a module in the working folder must not pass for one of ours.
    command = dying_with_us(sys.executable, "-P", "-m", "gateway.cli.worker")
    access_read, access_write = os.pipe()
    messages_read, messages_write = os.pipe()
    try:
        # A session of its own: Ctrl-C in the terminal is for the parent, which has the workers drain.
        process = subprocess.Popen(  # noqa: S603 - every part of the command is ours
            command, stdin=connection, stdout=access_write, stderr=messages_write, pass_fds=[listener],
            start_new_session=True,
        )  # fmt: skip
    except BaseException:
        os.close(access_read)
        os.close(messages_read)
        raise
    finally:
        os.close(access_write)
        os.close(messages_write)
    return process, [logs.access.begin(access_read), logs.messages.begin(messages_read)]


def _code_of(process: subprocess.Popen[bytes]) -> asyncio.Future[int]:
    """The exit code, once there is one.

    Waited for in a thread and not by asyncio, whose own waiting and whose own signals take the code from each other.
    """
    loop = asyncio.get_running_loop()
    code: asyncio.Future[int] = loop.create_future()

    def wait() -> None:
        found = process.wait()
        with contextlib.suppress(RuntimeError):  # nobody is interested any more
            loop.call_soon_threadsafe(code.set_result, found)

    threading.Thread(target=wait, name="worker", daemon=True).start()
    return code
