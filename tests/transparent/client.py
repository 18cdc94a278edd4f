"""A client that sends exactly what it is given and reads strictly what comes back."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from .line import Line
from .message import Question, Seen, Unreadable, in_pieces, read_answer

PATIENCE_S = 30.0


class Client:
    """One connection at a time to one server, kept as long as both sides keep it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._line: Line | None = None
        self._fresh = True

    async def ask(self, question: Question, *, forgiving: bool = False) -> Seen:
        """Send it and read its answer. Raises `Unreadable`, also for no answer at all.

        `forgiving`: ask once more where a server ended an idle connection in the moment of asking, and let it end one
        by a reset.
        """
        try:
            async with asyncio.timeout(PATIENCE_S):
                answer = await self._try(question, forgiving)
                if answer is None and forgiving and not self._fresh:
                    answer = await self._try(question, forgiving)
        except TimeoutError:
            self.close()
            raise Unreadable(f"no whole answer in {PATIENCE_S:.0f} s") from None
        except (ConnectionError, Unreadable) as error:
            self.close()
            raise Unreadable(str(error) or type(error).__name__) from error
        if answer is None:
            raise Unreadable("the connection ends before an answer")
        return answer

    async def ask_together(self, questions: Sequence[Question]) -> list[Seen]:
        """Send all of them before the first is answered, and read their answers in turn. Raises `Unreadable`."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                line = await self._connected()
                await line.write([each.head() + each.coded_body() for each in questions])
                answers = [await read_answer(line, each.method) for each in questions]
        except (ConnectionError, TimeoutError, Unreadable) as error:
            self.close()
            raise Unreadable(str(error) or type(error).__name__) from error
        return [answer for answer in answers if answer is not None]

    async def begin(self, question: Question) -> None:
        """Send it, and read nothing."""
        with contextlib.suppress(ConnectionError):
            line = await self._connected()
            await line.write((question.head(), question.coded_body()))

    async def _try(self, question: Question, forgiving: bool) -> Seen | None:
        line = await self._connected()
        sent_whole = not question.expects

        async def go_on() -> None:
            nonlocal sent_whole
            if not sent_whole:
                sent_whole = True
                await line.write(in_pieces(question.coded_body(), question.writes))

        now = question.head() if question.expects else question.head() + question.coded_body()
        await line.write(in_pieces(now, question.writes))
        answer = await read_answer(line, question.method, go_on)
        if answer is None:
            self.close()
        elif question.closes and sent_whole:
            with contextlib.suppress(*((ConnectionResetError,) if forgiving else ())):
                if more := await line.read(200):
                    raise Unreadable(f"the last answer is followed by {more!r}")
            self.close()
        elif not sent_whole or question.version == b"1.0" or answer.says_close:
            self.close()
        return answer

    async def _connected(self) -> Line:
        line = self._line
        self._fresh = line is None or not line.is_quiet()
        if line is None or self._fresh:
            self.close()
            line = self._line = await Line.connect(self._port)
        return line

    def close(self) -> None:
        """End the connection; the next question opens another."""
        if self._line is not None:
            self._line.close()
            self._line = None
