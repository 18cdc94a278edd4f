"""YooKassa's API v3 as its reference tells it: payments, refunds, lists, idempotence keys, notifications."""

from __future__ import annotations

import base64
import copy
import json
import uuid
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from gateway.core.money import Money, minor_digits
from gateway.testing.host import StandingHost
from tests.plugins.pay.loopback import Loopback

SHOP, KEY = "54401", "test_fake-secret-key-of-the-shop"
DAY_MS = 86_400_000

Thing = dict[str, Any]


def amount(money: Money) -> dict[str, str]:
    return {"value": str(money).split()[0], "currency": money.currency}


def money(told: dict[str, str]) -> Money:
    return Money.parse(f"{told['value']} {told['currency']}")


class Complained(Exception):
    def __init__(self, status: int, code: str, description: str, parameter: str = "") -> None:
        super().__init__(description)
        self.status = status
        self.content = {
            "type": "error", "id": str(uuid.uuid4()), "code": code, "description": description, "parameter": parameter,
        }  # fmt: skip


class YooKassaFake(Loopback):
    def __init__(self, host: StandingHost, is_test_shop: bool = False) -> None:
        super().__init__()
        self._host, self._is_test = host, is_test_shop
        self.payments: dict[str, Thing] = {}
        self.refunds: dict[str, Thing] = {}
        self.refund_ends: str = "succeeded"
        self.asked: list[Thing] = []
        self.complaint = ""
        self.sent: list[Thing] = []
        self._answered: dict[str, tuple[int, bytes, Thing]] = {}
        self.app.router.add_post("/v3/payments", self._create_payment)
        self.app.router.add_get("/v3/payments", self._list_payments)
        self.app.router.add_get("/v3/payments/{id}", self._get_payment)
        self.app.router.add_post("/v3/refunds", self._create_refund)
        self.app.router.add_get("/v3/refunds", self._list_refunds)
        self.app.router.add_get("/v3/refunds/{id}", self._get_refund)
        self.app.middlewares.append(self._complaining)

    # What a person or the shop's owner does.

    def of_reference(self, reference: str) -> list[Thing]:
        return [each for each in self.payments.values() if each["metadata"].get("reference") == reference]

    def pay(self, payment: str, charged: Money | None = None) -> Thing:
        of = self.payments[payment]
        of.update(status="succeeded", paid=True, refundable=True, captured_at=self._now())
        of.update(payment_method={"type": "bank_card", "id": payment, "saved": False, "title": "Bank card *4477"})
        of.update(refunded_amount={"value": "0.00", "currency": of["amount"]["currency"]})
        if charged is not None:
            of["amount"] = amount(charged)
        del of["confirmation"]
        return self.notice("payment.succeeded", of)

    def choose(self, payment: str) -> None:
        """The person has chosen how to pay, and its bank is at it."""
        self.payments[payment]["payment_method"] = {"type": "sbp", "id": payment, "saved": False}

    def cancel(self, payment: str, reason: str = "expired_on_confirmation") -> Thing:
        of = self.payments[payment]
        of.update(status="canceled", cancellation_details={"party": "yoo_money", "reason": reason})
        of.pop("confirmation", None)
        return self.notice("payment.canceled", of)

    def give_back(self, payment: str, back: Money | None = None, description: str = "") -> Thing:
        of = self.payments[payment]
        if of["status"] != "succeeded":
            raise Complained(400, "invalid_request", "Payment isn't succeeded", "payment_id")
        gone = money(of["refunded_amount"]) if of["refunded_amount"]["value"] != "0.00" else Money(0, "")
        whole = money(of["amount"])
        back = back or Money(whole.minor - gone.minor, whole.currency)
        if back.minor > whole.minor - gone.minor or back.currency != whole.currency:
            raise Complained(400, "invalid_request", "Refund amount exceeds the rest of the payment", "amount.value")
        refund: Thing = {
            "id": str(uuid.uuid4()), "payment_id": payment, "status": self.refund_ends, "created_at": self._now(),
            "amount": amount(back),
        }  # fmt: skip
        if description:
            refund["description"] = description
        if self.refund_ends == "canceled":
            refund["cancellation_details"] = {"party": "yoo_money", "reason": "insufficient_funds"}
        self.refunds[refund["id"]] = refund
        if self.refund_ends == "succeeded":
            self._count(refund)
        return refund

    def finish_refund(self, refund: str) -> Thing:
        self.refunds[refund]["status"] = "succeeded"
        self._count(self.refunds[refund])
        return self.notice("refund.succeeded", self.refunds[refund])

    def _count(self, refund: Thing) -> None:
        of = self.payments[refund["payment_id"]]
        gone = sum(
            money(each["amount"]).minor for each in self.refunds.values()
            if each["payment_id"] == of["id"] and each["status"] == "succeeded"
        )  # fmt: skip
        of["refunded_amount"] = amount(Money(gone, of["amount"]["currency"]))

    def notice(self, event: str, thing: Thing) -> Thing:
        return {"type": "notification", "event": event, "object": copy.deepcopy(thing)}

    # Its API.

    @web.middleware
    async def _complaining(self, request: web.Request, handler: Any) -> web.StreamResponse:
        try:
            wanted = "Basic " + base64.b64encode(f"{SHOP}:{KEY}".encode()).decode()
            if request.headers.get("Authorization") != wanted:
                raise Complained(401, "invalid_credentials", "Error in shopId or secret key")
            answer: web.StreamResponse = await handler(request)
            return answer
        except Complained as complained:
            return web.json_response(complained.content, status=complained.status)

    async def _create_payment(self, request: web.Request) -> web.Response:
        return await self._once(request, self._new_payment)

    def _new_payment(self, asked: Thing) -> Thing:
        self._check_amount(asked["amount"], "amount")
        if asked.get("capture") is not True or asked["confirmation"]["type"] != "redirect":
            raise Complained(400, "invalid_request", "Only payments in one step are faked", "capture")
        if not asked["confirmation"]["return_url"].startswith("http"):
            raise Complained(400, "invalid_request", "Not an address", "confirmation.return_url")
        if len(asked["description"]) > 128:
            raise Complained(400, "invalid_request", "Longer than 128 characters", "description")
        if any(len(key) > 32 or len(value) > 512 for key, value in asked["metadata"].items()):
            raise Complained(400, "invalid_request", "Too long", "metadata")
        for item in asked.get("receipt", {}).get("items", []):
            self._check_amount(item["amount"], "receipt.items.amount")
            if len(item["description"]) > 128 or not 1 <= item["vat_code"] <= 12:
                raise Complained(400, "invalid_request", "Not as the law wants it", "receipt.items")
        payment = str(uuid.uuid4())
        page = f"{self.address}/checkout/payments/v2/contract?orderId={payment}"
        made: Thing = {
            "id": payment, "status": "pending", "amount": asked["amount"], "description": asked["description"],
            "recipient": {"account_id": SHOP, "gateway_id": "2179531"}, "created_at": self._now(),
            "confirmation": {"type": "redirect", "confirmation_url": page}, "test": self._is_test, "paid": False,
            "refundable": False, "metadata": asked["metadata"],
        }  # fmt: skip
        self.payments[payment] = made
        return made

    async def _create_refund(self, request: web.Request) -> web.Response:
        return await self._once(request, self._new_refund)

    def _new_refund(self, asked: Thing) -> Thing:
        self._check_amount(asked["amount"], "amount")
        if len(asked.get("description", "")) > 250:
            raise Complained(400, "invalid_request", "Longer than 250 characters", "description")
        if asked["payment_id"] not in self.payments:
            raise Complained(404, "not_found", "Payment doesn't exist")
        made = self.give_back(asked["payment_id"], money(asked["amount"]), asked.get("description", ""))
        if made["status"] == "succeeded":
            self.sent.append(self.notice("refund.succeeded", made))
        return made

    async def _once(self, request: web.Request, make: Any) -> web.Response:
        key, raw = request.headers.get("Idempotence-Key", ""), await request.read()
        self.asked.append(json.loads(raw))
        if self.complaint:
            raise Complained(400, "invalid_request", self.complaint)
        if not 0 < len(key) <= 64:
            raise Complained(400, "invalid_request", "Idempotence key is missing or too long", "Idempotence-Key")
        at, body, answer = self._answered.get(request.path + key, (0, b"", {}))
        if self._host.now() - at >= DAY_MS:
            answer = make(json.loads(raw))
            self._answered[request.path + key] = (self._host.now(), raw, copy.deepcopy(answer))
        elif body != raw:
            raise Complained(400, "invalid_request", "Idempotence key duplicated", "Idempotence-Key")
        return web.json_response(answer)

    async def _get_payment(self, request: web.Request) -> web.Response:
        return self._found(self.payments, request)

    async def _get_refund(self, request: web.Request) -> web.Response:
        return self._found(self.refunds, request)

    def _found(self, things: dict[str, Thing], request: web.Request) -> web.Response:
        found = things.get(request.match_info["id"])
        if found is None:
            raise Complained(404, "not_found", "Incorrect id. The object doesn't exist or isn't yours", "id")
        return web.json_response(found)

    async def _list_payments(self, request: web.Request) -> web.Response:
        return self._page([*self.payments.values()], request)

    async def _list_refunds(self, request: web.Request) -> web.Response:
        payment = request.query["payment_id"]
        return self._page([each for each in self.refunds.values() if each["payment_id"] == payment], request)

    def _page(self, things: list[Thing], request: web.Request) -> web.Response:
        limit, since, status = (request.query.get(name, "") for name in ("limit", "created_at.gte", "status"))
        if not 1 <= int(limit or 10) <= 100:
            raise Complained(400, "invalid_request", "From 1 to 100", "limit")
        fitting = [each for each in things[::-1] if each["created_at"] >= since and status in ("", each["status"])]
        first = int(request.query.get("cursor", "0"))
        content: Thing = {"type": "list", "items": fitting[first : first + int(limit or 10)]}
        if len(fitting) > first + int(limit or 10):
            content["next_cursor"] = str(first + int(limit or 10))
        return web.json_response(content)

    def _check_amount(self, told: Thing, where: str) -> None:
        digits = minor_digits(told["currency"])
        fraction = told["value"].partition(".")[2]
        if not isinstance(told["value"], str) or len(fraction) != digits or money(told).minor <= 0:
            raise Complained(400, "invalid_request", "Not an amount of this currency", f"{where}.value")

    def _now(self) -> str:
        return datetime.fromtimestamp(self._host.now() / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
