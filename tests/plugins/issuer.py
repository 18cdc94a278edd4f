"""A real issuer of tokens: an HTTP server that publishes keys, and misbehaves when told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web


class Issuer:
    def __init__(self) -> None:
        self.keys: list[object] = []
        self.fetches = 0
        self.paths: list[str] = []
        self.respond: Callable[[], web.StreamResponse] | None = None
        """An answer in place of the keys."""
        self.hung = asyncio.Event()
        self.release: asyncio.Event | None = None
        """While set, answers wait for it; `hung` says that one does."""
        self._runner: web.AppRunner | None = None
        self.address = ""

    async def open(self) -> None:
        application = web.Application()
        application.router.add_get("/{path:.*}", self._answer)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.address = f"http://127.0.0.1:{self._runner.addresses[0][1]}/jwks.json"

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.fetches += 1
        self.paths.append(request.path_qs)
        if self.release is not None:
            self.hung.set()
            await self.release.wait()
        if self.respond is not None:
            return self.respond()
        return web.json_response({"keys": self.keys})


@asynccontextmanager
async def issuer_with(*keys: object) -> AsyncIterator[Issuer]:
    issuer = Issuer()
    issuer.keys = list(keys)
    await issuer.open()
    try:
        yield issuer
    finally:
        if issuer.release is not None:
            issuer.release.set()
        await issuer.close()


async def until(holds: Callable[[], bool], deadline_s: float = 5) -> None:
    """Wait for a condition; fails when it does not come about."""

    async def wait() -> None:
        while not holds():
            await asyncio.sleep(0.005)

    await asyncio.wait_for(wait(), deadline_s)
