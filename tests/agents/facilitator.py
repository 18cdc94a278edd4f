"""A facilitator on loopback: the reference SDK's own, over the real wire, which verifies real signatures (EIP-712)."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from aiohttp import web
from x402 import x402FacilitatorSync
from x402.mechanisms.evm.exact import ExactEvmFacilitatorScheme
from x402.schemas import PaymentPayload, PaymentRequirements

from .chain import Chain

Answer = tuple[int, Any]
"""Status and body; a `bytes` body goes out as it is."""


class FacilitatorServer:
    """Serves on a free port. `asked` counts by path."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.asked: Counter[str] = Counter()
        self.bodies: list[Any] = []
        self.bearer = ""
        self.instead: dict[str, Callable[[], Answer]] = {}
        """What is answered in place of the truth, by path."""
        self.remembers = True
        """Whether a settlement that is asked for again is answered as the first time."""
        self._settled: dict[str, Any] = {}
        self.port = 0
        self._facilitator = x402FacilitatorSync()
        self._facilitator.register([f"eip155:{chain.chain_id}"], ExactEvmFacilitatorScheme(chain))
        self._loop = asyncio.new_event_loop()
        self._runner: web.AppRunner | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._held_back = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/base"

    def start(self) -> FacilitatorServer:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._serve(), self._loop).result(20)
        return self

    def close(self) -> None:
        self.let_go()
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(20)
        self._loop.close()

    def stop(self) -> None:
        """Be away."""
        if self._runner is not None:
            asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(20)
            self._runner = None

    def restart(self) -> None:
        asyncio.run_coroutine_threadsafe(self._serve(), self._loop).result(20)

    def hold_back(self, what: str) -> None:
        """Answer nothing to this until `let_go`."""
        self._held_back = what

    def let_go(self) -> None:
        self._held_back = ""

    def silent(self) -> Answer:
        """In `instead`: what is asked for happens, and nobody is told."""
        raise NotImplementedError

    async def _serve(self) -> None:
        application = web.Application()
        application.router.add_route("*", "/base/{what}", self._handle)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        assert site._server is not None
        self.port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]

    async def _handle(self, request: web.Request) -> web.Response:
        what = request.match_info["what"]
        self.asked[what] += 1
        self.bearer = request.headers.get("authorization", "")
        body = await request.json() if request.method == "POST" else None
        if body is not None:
            self.bodies.append(body)
        while self._held_back == what:
            await asyncio.sleep(0.01)
        instead = self.instead.get(what)
        if instead == self.silent:
            await asyncio.to_thread(self._truth, what, body)
            await asyncio.sleep(60)
        status, content = instead() if instead is not None else (200, await asyncio.to_thread(self._truth, what, body))
        text = content if isinstance(content, bytes) else json.dumps(content).encode()
        return web.Response(status=status, body=text, content_type="application/json")

    def _truth(self, what: str, body: Any) -> Any:
        """What the SDK says; of a settlement that succeeded the same for ever, as long as it `remembers`."""
        if what == "supported":
            kinds: Any = self._facilitator.get_supported()
            return kinds.model_dump(by_alias=True, exclude_none=True)
        name = json.dumps(body["paymentPayload"]["payload"])
        if what == "settle" and self.remembers and name in self._settled:
            return self._settled[name]
        told = self._asked(what, body)
        if what == "settle" and told["success"]:
            self._settled[name] = told
        return told

    def _asked(self, what: str, body: Any) -> Any:
        payload = PaymentPayload.model_validate(body["paymentPayload"])
        requirements = PaymentRequirements.model_validate(body["paymentRequirements"])
        told: Any = getattr(self._facilitator, what)(payload, requirements)
        return told.model_dump(by_alias=True, exclude_none=True)
