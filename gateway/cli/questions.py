"""What the process that serves nothing asks its workers, and how: one JSON object a line, over a socket of the two."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Any

LONGEST = 2**26
"""Bytes of a line: a config with everything in it, or the metrics of many routes."""


class Question(StrEnum):
    """What can be asked of a worker."""

    START = "start"
    """Serve; answered once it does."""
    HEALTH = "health"
    NUMBERS = "numbers"
    STATUS = "status"
    MAKE_READY = "make-ready"
    """Start what a new config needs, beside the one in force."""
    TAKE = "take"
    """Serve by what was made ready."""
    DROP = "drop"
    """Do not: another worker could not."""
    RECORD_RELOAD = "record-reload"


class Refused(Exception):
    """The worker could not do it; `str()` is why, in its own words."""


class Unanswered(Exception):
    """The worker has ended, or is too late."""


class Asker:
    """The asking side."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._asked = 0
        self._task = asyncio.create_task(self._hear(reader))

    @classmethod
    async def on(cls, connection: socket.socket) -> Asker:
        """Over this end of the connection."""
        return cls(*await asyncio.open_unix_connection(sock=connection, limit=LONGEST))

    async def ask(self, question: Question, seconds: float, **details: Any) -> Any:
        """The answer. Raises `Refused` and `Unanswered`."""
        if self._task.done():
            raise Unanswered
        self._asked += 1
        number, answer = self._asked, asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        self._writer.write(_line({"number": number, "question": question, **details}))
        try:
            async with asyncio.timeout(seconds):
                return await answer
        except TimeoutError:
            raise Unanswered from None
        finally:
            del self._waiting[number]

    async def close(self) -> None:
        """Ask no more."""
        self._task.cancel()
        await asyncio.wait([self._task])
        self._writer.close()

    async def _hear(self, reader: asyncio.StreamReader) -> None:
        try:
            while line := await reader.readline():
                said = json.loads(line)
                answer = self._waiting.get(said["number"])
                if answer is None or answer.done():
                    continue
                if "refused" in said:
                    answer.set_exception(Refused(said["refused"]))
                else:
                    answer.set_result(said["answer"])
        except (OSError, ValueError):
            pass
        finally:
            for answer in self._waiting.values():
                if not answer.done():
                    answer.set_exception(Unanswered())


async def answer_all(connection: socket.socket, answer: Callable[[Any], Awaitable[Any]]) -> None:
    """The answering side: until the asker is gone. What `answer` raises is a refusal."""
    reader, writer = await asyncio.open_unix_connection(sock=connection, limit=LONGEST)
    under_way: set[asyncio.Task[None]] = set()

    async def answer_one(asked: Any) -> None:
        try:
            said = {"answer": await answer(asked)}
        except Exception as error:  # a plugin may raise anything
            said = {"refused": str(error)}
        writer.write(_line({"number": asked["number"], **said}))
        with contextlib.suppress(OSError):
            await writer.drain()

    with contextlib.suppress(OSError):
        while line := await reader.readline():
            task = asyncio.create_task(answer_one(json.loads(line)))
            under_way.add(task)
            task.add_done_callback(under_way.discard)


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value).encode("ascii") + b"\n"
