"""The application behind the gateway in these tests: an aiohttp server in a thread of its own, counting what it did."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from aiohttp import WSMsgType, web

CSV = b"name,amount\n" + b"".join(b"row %d,%d\n" % (number, number * 7) for number in range(500))
PIECE = b"x" * 65536
OPEN_PAGE = b"<!doctype html><p>open"


class Application:
    """Serves on a free port; `executed` counts what ran, by path."""

    def __init__(self) -> None:
        self.executed: Counter[str] = Counter()
        self.seen: list[tuple[str, list[tuple[bytes, bytes]]]] = []
        self.aborted = threading.Event()
        self.received = 0
        self.sent = 0
        """Pieces of the newest `/large` that were written."""
        self.stalled = threading.Event()
        """A write of `/large` has waited for a second: nobody takes what it writes."""
        self.waiting = 0
        """Requests that wait for `let_go_on`."""
        self.closed_with: tuple[Any, Any] | None = None
        """Code and reason with which the newest WebSocket was closed."""
        self.port = 0
        self._go_on = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._runner: web.AppRunner | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Application:
        """Serve."""
        self._thread.start()
        self._run(self._serve(0))
        return self

    def stop(self) -> None:
        """Stop serving; the port stays known."""
        if self._runner is not None:
            self._run(self._runner.cleanup())
            self._runner = None

    def restart(self) -> None:
        """Serve again on the same port."""
        self._run(self._serve(self.port))

    def let_go_on(self) -> None:
        """Answer whatever waits for it now; what comes later waits again."""
        self._loop.call_soon_threadsafe(self._release)

    def _release(self) -> None:
        self._go_on.set()
        self._go_on = asyncio.Event()

    async def _wait_for_test(self) -> None:
        self.waiting += 1
        try:
            async with asyncio.timeout(20):
                await self._go_on.wait()
        except asyncio.CancelledError:
            self.aborted.set()
            raise
        finally:
            self.waiting -= 1

    def close(self) -> None:
        """End for good."""
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    async def _serve(self, port: int) -> None:
        application = web.Application(client_max_size=2**40)
        for path, handler in self._handlers().items():
            application.router.add_route("*", path, handler)
        self._runner = web.AppRunner(application, handler_cancellation=True, shutdown_timeout=1.0)
        await self._runner.setup()
        listener = socket.create_server(("127.0.0.1", port))
        # Else this machine alone would take tens of megabytes of an upload that nobody reads.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        await web.SockSite(self._runner, listener).start()
        self.port = listener.getsockname()[1]

    def _handlers(self) -> dict[str, Callable[[web.Request], Any]]:
        return {
            "/report.csv": self._counted(lambda: web.Response(body=CSV, content_type="text/csv", headers=_REPORT)),
            "/fails": self._counted(lambda: web.Response(status=500, text="broken")),
            "/missing": self._counted(lambda: web.Response(status=404, text="no such report")),
            "/not-a-result": self._counted(lambda: web.Response(text="free", headers={"paywall-result": "no"})),
            "/declared": self._counted(lambda: web.Response(text="declared", headers={"paywall-result": "yes"})),
            "/reports/private": self._counted(lambda: web.Response(body=CSV, headers={"cache-control": "private"})),
            "/export.php{path_info:(/.*)?}": self._counted(lambda: web.Response(body=CSV, content_type="text/csv")),
            "/empty": self._counted(lambda: web.Response(body=b"", content_type="text/csv")),
            "/large": self._large,
            "/{before:.*}endless": self._endless,
            "/{before:.*}cut": self._cut,
            "/{before:.*}slow": self._slow,
            "/{before:.*}waits": self._waits,
            "/upload": self._upload,
            "/late-upload": self._late_upload,
            "/events": self._events,
            "/{before:.*}letters": self._letters,
            "/{before:.*}socket": self._socket,
            "/echo{rest:.*}": self._echo,
            "/{rest:.*}": self._counted(lambda: web.Response(body=OPEN_PAGE, content_type="text/html")),
        }

    def _counted(self, make: Callable[[], web.Response]) -> Callable[[web.Request], Any]:
        async def handle(request: web.Request) -> web.Response:
            self.executed[request.path] += 1
            await request.read()
            return make()

        return handle

    async def _large(self, request: web.Request) -> web.StreamResponse:
        self.executed[request.path] += 1
        pieces = int(request.query.get("pieces", "64"))
        answer = web.StreamResponse(headers={"content-type": "application/zip"})
        if "length" in request.query:
            answer.content_length = pieces * len(PIECE)
        self.sent = 0
        self.stalled.clear()
        await answer.prepare(request)
        for _ in range(pieces):
            writing = asyncio.ensure_future(answer.write(PIECE))
            try:
                if not (await asyncio.wait([writing], timeout=1.0))[0]:
                    self.stalled.set()
                await writing
            finally:
                writing.cancel()
            self.sent += 1
        await answer.write_eof()
        return answer

    async def _endless(self, request: web.Request) -> web.StreamResponse:
        self.executed[request.path] += 1
        self.aborted.clear()
        answer = web.StreamResponse(headers={"content-type": "text/csv"})
        try:
            await answer.prepare(request)
            while True:
                await answer.write(b"1,2,3\n")
                await asyncio.sleep(0.02)
        except (asyncio.CancelledError, ConnectionError):
            self.aborted.set()
            raise

    async def _cut(self, request: web.Request) -> web.StreamResponse:
        self.executed[request.path] += 1
        answer = web.StreamResponse(headers={"content-type": "text/csv", "content-length": "1000"})
        await answer.prepare(request)
        await answer.write(b"half of it")
        assert request.transport is not None
        request.transport.abort()
        return answer

    async def _slow(self, request: web.Request) -> web.Response:
        self.executed[request.path] += 1
        self.aborted.clear()
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            self.aborted.set()
            raise
        return web.Response(text="at last")

    async def _waits(self, request: web.Request) -> web.Response:
        self.executed[request.path] += 1
        await request.read()
        await self._wait_for_test()
        return web.Response(body=CSV, content_type="text/csv")

    async def _upload(self, request: web.Request) -> web.Response:
        self.executed[request.path] += 1
        self.aborted.clear()
        self.received = 0
        try:
            async for piece in request.content.iter_any():
                self.received += len(piece)
        except (asyncio.CancelledError, ConnectionError):
            self.aborted.set()
            raise
        framing = request.headers.get("content-length") or request.headers.get("transfer-encoding")
        return web.Response(text=f"{self.received} by {framing}")

    async def _late_upload(self, request: web.Request) -> web.Response:
        await self._wait_for_test()
        return await self._upload(request)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        self.executed[request.path] += 1
        answer = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await answer.prepare(request)
        for number in range(3):
            await answer.write(b"data: %d\n\n" % number)
            await asyncio.sleep(0.05)
        return answer

    async def _letters(self, request: web.Request) -> web.StreamResponse:
        """An event for every press of the test's button."""
        self.executed[request.path] += 1
        self.aborted.clear()
        answer = web.StreamResponse(headers={"content-type": "text/event-stream", "cache-control": "no-cache"})
        await answer.prepare(request)
        for letter in "abc":
            await answer.write(f"data: {letter}\n\n".encode())
            await self._wait_for_test()
        return answer

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        self.executed[request.path] += 1
        self.seen.append((request.raw_path, list(request.raw_headers)))
        if "refuse" in request.query:
            return web.Response(status=418, text="no tea here", headers={"x-made-by": "the application"})
        peer = web.WebSocketResponse(protocols=("chat",), max_msg_size=8 * 2**20)
        peer.headers.add("set-cookie", "a=1")
        peer.headers.add("set-cookie", "b=2")
        await peer.prepare(request)
        end: tuple[Any, Any] = ("broken off", None)
        try:
            while (message := await peer.receive()).type in (WSMsgType.TEXT, WSMsgType.BINARY):
                if message.type is WSMsgType.TEXT:
                    if message.data == "bye":
                        await peer.close(code=4001, message=b"as you wish")
                    elif message.data == "drop":
                        assert request.transport is not None
                        request.transport.abort()
                    elif message.data == "close without a code":
                        assert request.transport is not None
                        request.transport.write(b"\x88\x00")
                    else:
                        await peer.send_str("echo " + message.data)
                else:
                    await peer.send_bytes(message.data)
            end = (message.data, message.extra)
        finally:
            self.closed_with = end
        return peer

    async def _echo(self, request: web.Request) -> web.Response:
        self.executed[request.path] += 1
        self.seen.append((request.raw_path, list(request.raw_headers)))
        body = await request.read()
        return web.Response(body=request.raw_path.encode() + b"\n" + body, content_type="text/plain")


_REPORT = {"content-disposition": 'attachment; filename="report.csv"', "etag": '"1"', "x-made-by": "the application"}
