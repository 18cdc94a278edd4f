"""Midtrans as its documentation tells it: Snap, status, cancel, refund, and signed notifications."""

from __future__ import annotations

import base64
import copy
import hashlib
import re
import uuid
from typing import Any

from aiohttp import web

from gateway.testing.host import StandingHost
from tests.plugins.pay.loopback import Loopback

KEY, FORMER_KEY = "SB-Mid-server-TheKeyOfNow", "SB-Mid-server-TheKeyBefore"

Thing = dict[str, Any]

_CODES = {"pending": "201", "deny": "202", "expire": "407"}


def signature(order: str, code: str, amount: str, key: str) -> str:
    return hashlib.sha512(f"{order}{code}{amount}{key}".encode()).hexdigest()


class MidtransFake(Loopback):
    def __init__(self, host: StandingHost) -> None:
        super().__init__()
        self._host = host
        self.pages: dict[str, Thing] = {}
        self.orders: dict[str, Thing] = {}
        self.asked: list[Thing] = []
        self.sent: list[Thing] = []
        self.complaint = ""
        self.forgets_custom_fields = False
        self._numbers = 0
        self.app.router.add_post("/snap/v1/transactions", self._open_page)
        self.app.router.add_get("/v2/{id}/status", self._status)
        self.app.router.add_post("/v2/{id}/cancel", self._cancel)
        self.app.router.add_post("/v2/{id}/refund", self._refund)

    # What a person, a bank or the merchant does.

    def choose(self, token: str, way: str = "bank_transfer") -> Thing | None:
        """The person chooses how to pay; None where the order is taken already."""
        page = self.pages[token]
        order = page["transaction_details"]["order_id"]
        if self.orders.get(order, {"transaction_status": "deny"})["transaction_status"] != "deny":
            return None
        made: Thing = {
            "transaction_id": str(uuid.uuid4()), "order_id": order, "merchant_id": "G141532850",
            "gross_amount": f"{page['transaction_details']['gross_amount']}.00", "currency": "IDR",
            "payment_type": way, "transaction_time": "2023-11-15 05:13:20", "transaction_status": "pending",
            "status_message": "Success, transaction is found", "fraud_status": "accept",
        }  # fmt: skip
        if not self.forgets_custom_fields:
            made["custom_field1"] = page["custom_field1"]
        self.orders[order] = made
        return self.notice(order)

    def become(self, order: str, status: str) -> Thing:
        self.orders[order]["transaction_status"] = status
        return self.notice(order)

    def give_back(self, order: str, amount: int, key: str = "") -> Thing | None:
        """None where there is not so much left."""
        of = self.orders[order]
        refunds = of.setdefault("refunds", [])
        gone = sum(int(each["refund_amount"][:-3]) for each in refunds)
        whole = int(of["gross_amount"][:-3])
        if not 0 < amount <= whole - gone:
            return None
        self._numbers += 1
        refunds.append({
            "refund_chargeback_id": self._numbers, "refund_amount": f"{amount}.00", "reason": "Refund",
            "created_at": "2023-11-16 00:14:20", "refund_key": key or str(uuid.uuid4()),
        })  # fmt: skip
        of["refund_amount"] = f"{gone + amount}.00"
        return self.become(order, "refund" if gone + amount == whole else "partial_refund")

    def told(self, order: str) -> Thing:
        """A transaction as both the API and notifications have it."""
        told = copy.deepcopy(self.orders[order])
        told["status_code"] = _CODES.get(told["transaction_status"], "200")
        told["signature_key"] = signature(order, told["status_code"], told["gross_amount"], KEY)
        return told

    def notice(self, order: str) -> Thing:
        return {**self.told(order), "status_message": "midtrans payment notification"}

    # Its APIs.

    def _is_known(self, request: web.Request) -> bool:
        return request.headers.get("Authorization") == "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()

    async def _open_page(self, request: web.Request) -> web.Response:
        if not self._is_known(request):
            return web.json_response({"error_messages": ["Access denied due to unauthorized transaction"]}, status=401)
        asked = await request.json()
        self.asked.append(asked)
        wrong = self.complaint or self._wrong(asked)
        if wrong:
            return web.json_response({"error_messages": [wrong]}, status=400)
        token = str(uuid.uuid4())
        self.pages[token] = asked
        address = f"{self.address}/snap/v3/redirection/{token}"
        return web.json_response({"token": token, "redirect_url": address}, status=201)

    def _wrong(self, asked: Thing) -> str:
        order, gross = asked["transaction_details"]["order_id"], asked["transaction_details"]["gross_amount"]
        standing = self.orders.get(order, {}).get("transaction_status")
        if not re.fullmatch(r"[A-Za-z0-9_~.-]{1,50}", order):
            return "transaction_details.order_id is not valid"
        if standing is not None:
            return "transaction_details.order_id has already been taken"
        if not isinstance(gross, int) or gross < 1:
            return "transaction_details.gross_amount must be greater than or equal to 0.01"
        if sum(item["price"] * item["quantity"] for item in asked["item_details"]) != gross:
            return "transaction_details.gross_amount is not equal to the sum of item_details"
        if any(len(item["name"]) > 50 or len(item["id"]) > 50 or "|" in item["name"] for item in asked["item_details"]):
            return "item_details.name is too long"
        return "custom_field1 is too long" if len(asked["custom_field1"]) > 255 else ""

    async def _status(self, request: web.Request) -> web.Response:
        order = self._found(request)
        if isinstance(order, web.Response):
            return order
        return web.json_response(self.told(order))

    async def _cancel(self, request: web.Request) -> web.Response:
        order = self._found(request)
        if isinstance(order, web.Response):
            return order
        if self.orders[order]["transaction_status"] not in ("pending", "capture"):
            return _no("412", "Merchant cannot modify the status of the transaction")
        self.sent.append(self.become(order, "cancel"))
        return web.json_response({**self.told(order), "status_message": "Success, transaction is canceled"})

    async def _refund(self, request: web.Request) -> web.Response:
        order = self._found(request)
        if isinstance(order, web.Response):
            return order
        asked = await request.json()
        self.asked.append(asked)
        of = self.orders[order]
        if not re.fullmatch(r"[A-Za-z0-9_-]+", asked["refund_key"]):
            return _no("400", "refund_key is not valid")
        if any(each["refund_key"] == asked["refund_key"] for each in of.get("refunds", [])):
            return _no("406", "Duplicate refund ID")
        if of["transaction_status"] not in ("settlement", "partial_refund"):
            return _no("412", "Merchant cannot modify the status of the transaction")
        notice = self.give_back(order, asked["amount"], asked["refund_key"])
        if notice is None:
            return _no("414", "Refund request is rejected due to invalid amount")
        # Once as it is approved, and once as the bank confirms it.
        self.sent += [notice, copy.deepcopy(notice)]
        for each in self.sent[-1]["refunds"]:
            each["bank_confirmed_at"] = "2023-11-16 02:30:20"
        last = of["refunds"][-1]
        return web.json_response({**self.told(order), **{key: last[key] for key in ("refund_key", "refund_amount")}})

    def _found(self, request: web.Request) -> str | web.Response:
        if not self._is_known(request):
            return _no("401", "Unknown Merchant server_key/id", 401)
        name = request.match_info["id"]
        for order, transaction in self.orders.items():
            if name in (order, transaction["transaction_id"]):
                return order
        return _no("404", "Transaction doesn't exist.", 404)


def _no(code: str, message: str, status: int = 200) -> web.Response:
    return web.json_response({"status_code": code, "status_message": message, "id": str(uuid.uuid4())}, status=status)
