"""An application of exact bytes: it answers as told, and remembers what it was asked."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from types import TracebackType

from .message import HEAD_LIMIT, Seen, Told, Unreadable, in_pieces, read_body, read_question


class ExactApplication:
    """Listens on a port of its own. Use as an asynchronous context manager.

    `told` holds the answers by the number of the exchange, which a request carries as `X-Exchange`; `seen` what came.
    """

    def __init__(self) -> None:
        self.told: dict[bytes, Told] = {}
        self.seen: defaultdict[bytes, list[Seen]] = defaultdict(list)
        self.complaints: list[str] = []
        """What came and is no request."""
        self.port = 0
        self._lines: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> ExactApplication:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=HEAD_LIMIT)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for line in tuple(self._lines):
            line.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._lines.add(task)
        try:
            while await self._answer_one(reader, writer):
                pass
        except Unreadable as error:
            self.complaints.append(str(error))
        except (ConnectionError, asyncio.CancelledError):
            pass  # the other side is done with it, or the test is
        finally:
            self._lines.discard(task)
            writer.close()

    async def _answer_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer the next request; False when the connection ends with it."""
        seen = await read_question(reader)
        if seen is None:
            return False
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
        closes = (
            told.closes(seen.start[0])
            or seen.start[2] == b"HTTP/1.0"
            or b"close" in b",".join(seen.values(b"connection"))
        )
        return not closes
