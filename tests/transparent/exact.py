"""An application of exact bytes: it answers as told, and remembers what it was asked."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator

from .listening import listening
from .message import Seen, Told, in_pieces, read_body, read_question


class ExactApplication:
    """Answers by `told`, and fills `seen`; both by the number of the exchange, which a request carries."""

    def __init__(self) -> None:
        self.told: dict[bytes, Told] = {}
        self.seen: defaultdict[bytes, list[Seen]] = defaultdict(list)
        self.complaints: list[str] = []
        """What came and is no request."""
        self.port = 0

    @classmethod
    @contextlib.asynccontextmanager
    async def running(cls) -> AsyncIterator[ExactApplication]:
        """One that listens meanwhile."""
        application = cls()
        async with listening(application._serve, application.complaints) as application.port:
            yield application

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while seen := await read_question(reader):
            number = b"".join(seen.values(b"x-exchange"))
            told = self.told.get(number, Told(404, phrase=b"Nobody told"))
            if seen.values(b"expect"):
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            if not told.early:
                await read_body(reader, seen)
            self.seen[number].append(seen)
            for piece in in_pieces(told.wire(seen.start[0]), told.writes):
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
            if seen.says_close or seen.start[2] == b"HTTP/1.0" or told.closes(seen.start[0]):
                return
