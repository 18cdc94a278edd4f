"""A Lightning node on loopback: it makes invoices over LND's REST interface, and plays the wallet that pays them."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
import threading
from typing import Any

from aiohttp import web

MACAROON = "0201036c6e64"


class LightningNode:
    """Serves on a free port."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.instead: Any = None
        """What is answered in place of an invoice."""
        self.port = 0
        self._preimages: dict[str, bytes] = {}
        self._loop = asyncio.new_event_loop()
        self._runner: web.AppRunner | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> LightningNode:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._serve(), self._loop).result(20)
        return self

    def close(self) -> None:
        assert self._runner is not None
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(20)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(20)
        self._loop.close()

    def pay(self, invoice: str) -> str:
        """Pay an invoice; the preimage, as a wallet shows it."""
        return self._preimages[invoice].hex()

    async def _serve(self) -> None:
        application = web.Application()
        application.router.add_post("/v1/invoices", self._make)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        assert site._server is not None
        self.port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]

    async def _make(self, request: web.Request) -> web.Response:
        if request.headers.get("Grpc-Metadata-macaroon") != MACAROON:
            return web.json_response({"code": 2, "message": "verification failed"}, status=500)
        self.asked.append(await request.json())
        if self.instead is not None:
            return web.json_response(self.instead)
        preimage = secrets.token_bytes(32)
        digest = hashlib.sha256(preimage).digest()
        invoice = "lnbcrt5u1p" + digest.hex()
        self._preimages[invoice] = preimage
        told = {"r_hash": base64.b64encode(digest).decode(), "payment_request": invoice, "add_index": "1"}
        return web.json_response(told)
