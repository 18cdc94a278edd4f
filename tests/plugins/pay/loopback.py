"""A provider's API on loopback, with everything that may be wrong with one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from gateway.testing.payment_rig import Trouble

SAID = {
    Trouble.BROKEN: (500, "application/json", '{"type": "error", "code": "internal_server_error"}'),
    Trouble.BUSY: (429, "application/json", '{"type": "error", "code": "too_many_requests"}'),
    Trouble.REFUSED: (401, "application/json", '{"type": "error", "code": "invalid_credentials"}'),
    Trouble.RUBBISH: (200, "text/html", "<!doctype html><title>Welcome to our network</title>"),
    Trouble.SENSELESS: (200, "application/json", '{"hello": ["world", {"id": 7}], "data": 12}'),
}


class Loopback:
    """The server. A fake of a provider adds its routes before `start`."""

    def __init__(self) -> None:
        self._trouble: Trouble | None = None
        self._released = asyncio.Event()
        self.app = web.Application(middlewares=[self._in_trouble()])
        self._runner = web.AppRunner(self.app, shutdown_timeout=0.1, access_log=None)
        self.address = ""
        self.requests = 0

    async def start(self) -> None:
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.address = f"http://{host}:{port}"

    async def stop(self) -> None:
        self._released.set()
        await self._runner.cleanup()

    @asynccontextmanager
    async def trouble(self, kind: Trouble, api: Any) -> AsyncIterator[None]:
        """Something is wrong. Only who waits for what never comes has little patience: a machine may be busy."""
        self._trouble, self._released = kind, asyncio.Event()
        seconds, api._seconds = api._seconds, 0.3 if kind is Trouble.SLOW else api._seconds
        try:
            yield
        finally:
            self._trouble, api._seconds = None, seconds
            self._released.set()

    def _in_trouble(self) -> Middleware:
        @web.middleware
        async def troubled(request: web.Request, handler: Handler) -> web.StreamResponse:
            self.requests += 1
            if self._trouble is None:
                return await handler(request)
            if self._trouble in SAID:
                status, kind, text = SAID[self._trouble]
                return web.Response(status=status, content_type=kind, text=text)
            if self._trouble is Trouble.SLOW:
                await self._released.wait()
            elif self._trouble is Trouble.CUT:
                await handler(request)
            if request.transport is not None:
                request.transport.abort()
            return web.Response()

        return troubled
