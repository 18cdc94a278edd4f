"""A relay before a server that can keep its answers back for a while."""

from __future__ import annotations

import asyncio
import contextlib
import threading

from tests.free_port import free_port


class Relay:
    """TCP to TCP, in a thread of its own. `delay_seconds` may be changed at any time."""

    def __init__(self, port: int) -> None:
        self._target, self.port = port, free_port()
        self.delay_seconds = 0.0
        self._loop = asyncio.new_event_loop()
        self._server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", self.port))
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Cut every connection."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _close(self) -> None:
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            other, onward = await asyncio.open_connection("127.0.0.1", self._target)
            try:
                async with asyncio.TaskGroup() as both:
                    both.create_task(self._pass_on(reader, onward))
                    both.create_task(self._pass_back(other, writer))
            finally:
                onward.close()
        writer.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while piece := await reader.read(65536):
                writer.write(piece)
        writer.close()

    async def _pass_back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        last = 0.0
        with contextlib.suppress(OSError):
            while piece := await reader.read(65536):
                # In their order, also when the delay has become shorter: of two timers for one instant either may ring.
                last = max(last + 1e-6, self._loop.time() + self.delay_seconds)
                self._loop.call_at(last, _write, writer, piece)
        self._loop.call_at(max(last + 1e-6, self._loop.time()), writer.close)


def _write(writer: asyncio.StreamWriter, piece: bytes) -> None:
    if not writer.is_closing():
        writer.write(piece)
