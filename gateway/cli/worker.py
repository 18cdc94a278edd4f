"""One of several processes that serve: `python -m gateway.cli.worker`, started by `paywall run` and by nothing else.

Its standard input is the connection to the process that started it. Whatever it needs, the secret too, comes from
there, and when that connection ends, the worker does.
"""

from __future__ import annotations

import asyncio
import base64
import os
import pickle
import signal
import socket
import sys
from typing import Any

import uvloop

from gateway.cli.output import say
from gateway.cli.questions import Question, answer_all
from gateway.cli.serving import started
from gateway.eventlog.sums import numbers_of
from gateway.settings.load import Loaded
from gateway.wire.serve import serve
from gateway.wiring.application import Gateway, Successor


class Worker:
    """Answers what it is asked; serves from the first question to the end."""

    def __init__(self) -> None:
        self._gateway: Gateway | None = None
        self._successor: Successor | None = None
        self._serving: asyncio.Task[None] | None = None
        self.ended = asyncio.Event()

    async def answer(self, asked: Any) -> Any:
        """The answer to one question. Raises what is to be told as a refusal."""
        if asked["question"] == Question.START:
            return await self._start(asked)
        assert self._gateway is not None, "the first question is to start"
        gateway = self._gateway
        match asked["question"]:
            case Question.HEALTH:
                return await gateway.store.ping()
            case Question.NUMBERS:
                return numbers_of(gateway.metrics.families())
            case Question.STATUS:
                return {**gateway.status(), "requests": gateway.metrics.requests}
            case Question.MAKE_READY:
                await self._drop()
                self._successor = await gateway.make_ready(unpacked(asked["config"]))
            case Question.TAKE:
                assert self._successor is not None, "nothing is taken that was not made ready"
                gateway.take(self._successor)
                self._successor = None
            case Question.DROP:
                await self._drop()
            case Question.RECORD_RELOAD:
                gateway.record_reload(asked["accepted"], asked["problems"])
        return None

    async def _start(self, asked: Any) -> None:
        secret = base64.b64decode(asked["secret"])
        self._gateway = Gateway(unpacked(asked["config"]), asked["store"], secret, say, sys.stdout)
        ready = asyncio.Event()
        listener = socket.socket(fileno=asked["listener"])
        listener.set_inheritable(False)
        self._serving = asyncio.create_task(self._serve(self._gateway, listener, ready))
        waits = asyncio.create_task(ready.wait())
        await asyncio.wait([self._serving, waits], return_when=asyncio.FIRST_COMPLETED)
        if not ready.is_set():
            waits.cancel()
            await self._serving  # raises why not; whoever reads it lets this process go

    async def _serve(self, gateway: Gateway, listener: socket.socket, ready: asyncio.Event) -> None:
        async def tell() -> None:
            ready.set()

        try:
            async with started(gateway):
                await serve(gateway, listener, tell, lambda: None, None, gateway)
        finally:
            await self._drop()
            if ready.is_set():
                self.ended.set()

    async def _drop(self) -> None:
        successor, self._successor = self._successor, None
        if successor is not None and self._gateway is not None:
            await self._gateway.drop(successor)


def packed(loaded: Loaded) -> str:
    """A config to be sent to a worker: not the file, which may hold another one by now."""
    return base64.b64encode(pickle.dumps(loaded)).decode("ascii")


def unpacked(text: str) -> Loaded:
    """What `packed` made."""
    loaded = pickle.loads(base64.b64decode(text))  # noqa: S301 - from the process that started this one
    assert isinstance(loaded, Loaded)
    return loaded


async def work(connection: socket.socket) -> None:
    """Serve until told to stop. Whoever started this process is needed to the end."""
    worker = Worker()
    asked = asyncio.create_task(answer_all(connection, worker.answer))
    ended = asyncio.create_task(worker.ended.wait())
    await asyncio.wait([asked, ended], return_when=asyncio.FIRST_COMPLETED)
    if not ended.done():
        os._exit(1)  # nobody is left to be told anything, nor to take the access log
    asked.cancel()
    await asyncio.wait([asked])


def main() -> None:
    """Take the connection out of the way of everything that reads standard input, and work."""
    for number in (signal.SIGHUP, signal.SIGUSR1):  # for the process that started this one
        signal.signal(number, signal.SIG_IGN)
    connection = socket.socket(fileno=os.dup(0))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    uvloop.run(work(connection))


if __name__ == "__main__":
    main()
