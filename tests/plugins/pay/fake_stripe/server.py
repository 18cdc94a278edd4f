"""The HTTP around an account: keys, idempotency, webhooks, faults on demand, and a page to pay on."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from html import escape
from typing import Any

from aiohttp import ClientSession, web

from gateway.testing.payment_rig import Trouble
from tests.plugins.pay.fake_stripe.account import Account, ApiError
from tests.plugins.pay.fake_stripe.form import decoded

Answer = tuple[int, dict[str, Any]]


def signature(body: bytes, secret: str, seconds: int) -> str:
    """The header `Stripe-Signature`."""
    digest = hmac.digest(secret.encode(), b"%d.%s" % (seconds, body), hashlib.sha256).hex()
    return f"t={seconds},v1={digest}"


class FakeStripe:
    """Listens on loopback."""

    def __init__(self, key: str, secret: str, now: Callable[[], int], port: int = 0) -> None:
        """`now` is in seconds."""
        self.key, self.secret, self.port = key, secret, port
        self.trouble: Trouble | None = None
        self.account = Account(now, livemode=key.startswith(("sk_live", "rk_live")))
        self.webhook = ""
        """Where events are sent to, where they are sent by themselves."""
        self.is_mute = False
        """Whether webhooks get lost."""
        self.requests: list[tuple[str, str]] = []
        self._kept: dict[str, tuple[bytes, Answer]] = {}
        self._busy: set[str] = set()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[FakeStripe]:
        """Serve until the end of the context."""
        application = web.Application()
        application.router.add_route("*", "/v1/{path:.*}", self._api)
        application.router.add_get("/c/pay/{session}", self._page)
        application.router.add_post("/c/pay/{session}", self._pressed)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self.port).start()
        self.port = runner.addresses[0][1]
        self.account.page = self.address
        try:
            yield self
        finally:
            await runner.cleanup()

    @property
    def address(self) -> str:
        """Scheme, host and port."""
        return f"http://127.0.0.1:{self.port}"

    async def _api(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.requests.append((request.method, request.path))
        if self.trouble is Trouble.SLOW:
            await asyncio.sleep(30)
        if self.trouble is Trouble.RUBBISH:
            return web.Response(
                text="<html><title>Sign in to the hotel's network</title></html>", content_type="text/html"
            )
        if self.trouble is Trouble.SENSELESS:
            return web.json_response({"object": "weather", "data": [{"id": "sun"}], "id": 7, "url": None})
        if self.trouble is Trouble.BUSY:
            return self._answered((429, _error("Request rate limit exceeded.", "rate_limit_error", code="rate_limit")))
        if self.trouble is Trouble.REFUSED or request.headers.get("authorization") != f"Bearer {self.key}":
            given = request.headers.get("authorization", "")
            return self._answered((401, _error(f"Invalid API Key provided: {given}", "invalid_request_error")))
        query = decoded(body.decode()) if body else decoded(request.query_string)
        answered = await self._once(request, body, query)
        if self.trouble is Trouble.CUT:
            assert request.transport is not None
            request.transport.abort()
        return answered

    async def _once(self, request: web.Request, body: bytes, query: dict[str, Any]) -> web.Response:
        """Idempotency as in v1 of the API: what was answered under a key is answered again, faults too."""
        key = request.headers.get("idempotency-key", "")
        if request.method != "POST" or not key:
            return self._answered(self._done(request, query))
        digest = hashlib.sha256(f"{request.path}\n".encode() + body).digest()
        if key in self._busy:
            said = "There is currently another in-progress request using this Idempotent Key."
            return self._answered((409, _error(said, "invalid_request_error", code="idempotency_key_in_use")))
        if key in self._kept:
            before, answer = self._kept[key]
            if before != digest:
                said = f"Keys for idempotent requests can only be used with the same parameters as at first: '{key}'."
                return self._answered((400, _error(said, "idempotency_error")))
            return self._answered(answer, **{"Idempotent-Replayed": "true"})
        self._busy.add(key)
        try:
            await asyncio.sleep(0.001)
            answer = self._done(request, query)
        finally:
            self._busy.discard(key)
        if answer[0] not in (400, 404):
            self._kept[key] = (digest, json.loads(json.dumps(answer)))
        return self._answered(answer)

    def _done(self, request: web.Request, query: dict[str, Any]) -> Answer:
        if self.trouble is Trouble.BROKEN:
            return 500, _error("An unknown error occurred", "api_error")
        try:
            return 200, self.account.answer(request.method, request.path, query)
        except ApiError as error:
            return error.status, error.body

    def _answered(self, answer: Answer, **headers: str) -> web.Response:
        return web.json_response(answer[1], status=answer[0], headers={"Request-Id": "req_123", **headers})

    async def _page(self, request: web.Request) -> web.Response:
        session = self.account.get(request.match_info["session"])
        (item,) = self.account.asked[session["id"]]["line_items"]
        title = item.get("price_data", {}).get("product_data", {}).get("name", "")
        page = f"""<!doctype html><html lang="en"><title>Checkout</title><h1>{escape(title)}</h1>
<p>{session["amount_total"]} {session["currency"]}</p>
<form method="post"><button name="choice" value="pay">Pay</button>
<button name="choice" value="later">Pay by bank debit</button></form>
<p><a href="{escape(session["cancel_url"])}">Back</a></p></html>"""
        return web.Response(text=page, content_type="text/html")

    async def _pressed(self, request: web.Request) -> web.Response:
        session = self.account.get(request.match_info["session"])
        if session["status"] == "open":
            if (await request.post())["choice"] == "later":
                self.account.pay_later(session)
            else:
                self.account.pay(session, session["amount_subtotal"], session["currency"])
        await self.send()
        raise web.HTTPSeeOther(session["success_url"])

    async def send(self) -> list[int]:
        """Send what there is to tell to the webhook; the statuses that came back."""
        events = self.account.take_events()
        if not self.webhook or self.is_mute:
            return []
        statuses = []
        async with ClientSession() as client:
            for event in events:
                body = json.dumps(event, indent=2).encode()
                headers = {
                    "stripe-signature": signature(body, self.secret, self.account.now()),
                    "content-type": "application/json; charset=utf-8",
                }
                async with client.post(self.webhook, data=body, headers=headers) as answer:
                    statuses.append(answer.status)
        return statuses


def _error(message: str, kind: str, **more: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, **more}}
