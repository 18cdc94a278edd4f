"""Paddle Billing as its reference tells it: transactions, adjustments, subscriptions, and signed notifications."""

from __future__ import annotations

import copy
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from gateway.core.money import Money
from gateway.ports.payment import ProviderRequest
from gateway.testing.host import StandingHost
from tests.plugins.pay.loopback import Loopback

KEY = "pdl_sdbx_apikey_01fakefakefakefakefakefakefa_key"
SECRETS = ("pdl_ntfset_01fake_the-secret-of-now", "pdl_ntfset_01fake_the-secret-before")
_DAYS = {"day": 1, "week": 7, "month": 30, "year": 365}

Thing = dict[str, Any]


def signed(body: bytes, secret: str, at_ms: int) -> ProviderRequest:
    instant = str(at_ms // 1000).encode()
    digest = hmac.digest(secret.encode(), instant + b":" + body, hashlib.sha256).hex().encode()
    headers = [(b"content-type", b"application/json"), (b"paddle-signature", b"ts=" + instant + b";h1=" + digest)]
    return ProviderRequest("POST", "webhook", "", headers, body)


class PaddleFake(Loopback):
    def __init__(self, host: StandingHost, tax_percent: int = 20) -> None:
        super().__init__()
        self._host, self._tax_percent, self._numbers = host, tax_percent, 0
        self.transactions: dict[str, Thing] = {}
        self.adjustments: dict[str, Thing] = {}
        self.subscriptions: dict[str, Thing] = {}
        self.catalog: dict[str, Thing] = {}
        self.asked: list[Thing] = []
        self.sent: list[ProviderRequest] = []
        self.complaint = ""
        self.app.router.add_post("/transactions", self._create)
        self.app.router.add_get("/transactions", self._list)
        self.app.router.add_get("/transactions/{id}", self._get)
        self.app.router.add_post("/adjustments", self._adjust)
        self.app.router.add_get("/subscriptions/{id}", self._get_subscription)
        self.app.router.add_patch("/subscriptions/{id}", self._change)
        self.app.router.add_post("/subscriptions/{id}/cancel", self._cancel)
        self.app.middlewares.append(self._knowing)

    # What a person, a bank, or time does.

    def pay(self, name: str, charged: Money | None = None) -> list[ProviderRequest]:
        of = self.transactions[name]
        if of["status"] not in ("draft", "ready"):
            return []
        if charged is not None:
            of["items"][0]["price"]["unit_price"] = _price(charged)
            of["details"] = self._details(of["items"])
        of["payments"] = [{"payment_attempt_id": self._id("pay"), "amount": _total(of), "status": "captured"}]
        events = [self.event("transaction.paid", {**of, "status": "paid"})]
        of["status"] = "completed"
        cycle = of["items"][0]["price"]["billing_cycle"]
        if cycle is not None:
            events += self._subscribe(of, cycle)
        return [*events, self.event("transaction.completed", of)]

    def begin_another(self, name: str) -> None:
        """Somebody else sets out to pay for the same."""
        self._transaction(self.transactions[name]["items"], {"reference": "another's"}, "api")

    def decline(self, name: str) -> None:
        self.transactions[name]["payments"] = [{"status": "error", "error_code": "declined", "amount": "1"}]

    def authorize(self, name: str) -> None:
        self.transactions[name]["payments"] = [{"status": "authorized", "amount": "1"}]

    def cancel(self, name: str) -> list[ProviderRequest]:
        self.transactions[name]["status"] = "canceled"
        return [self.event("transaction.canceled", self.transactions[name])]

    def _subscribe(self, of: Thing, cycle: Thing) -> list[ProviderRequest]:
        name = self._id("sub")
        self.subscriptions[name] = {
            "id": name, "status": "active", "custom_data": of["custom_data"], "items": copy.deepcopy(of["items"]),
            "scheduled_change": None, "billing_cycle": cycle, "updated_at": self._now(),
        }  # fmt: skip
        of["subscription_id"] = name
        of["billing_period"] = self._period(cycle)
        return [self.event(f"subscription.{what}", self.subscriptions[name]) for what in ("created", "activated")]

    def renew(self, name: str) -> list[ProviderRequest]:
        of = self.subscriptions[name]
        self._host.pass_time(_days(of["billing_cycle"]))
        if of["scheduled_change"] is not None:
            return self.end(name)
        made = self._transaction(of["items"], of["custom_data"], "subscription_recurring")
        made.update(status="completed", subscription_id=name, billing_period=self._period(of["billing_cycle"]))
        of["status"] = "active"
        return [self.event("subscription.updated", of), self.event("transaction.completed", made)]

    def fail_renewal(self, name: str) -> list[ProviderRequest]:
        of = self.subscriptions[name]
        self._host.pass_time(_days(of["billing_cycle"]))
        of["status"] = "past_due"
        made = self._transaction(of["items"], of["custom_data"], "subscription_recurring")
        made.update(status="past_due", subscription_id=name, billing_period=self._period(of["billing_cycle"]))
        return [self.event("transaction.past_due", made), self.event("subscription.past_due", of)]

    def end(self, name: str) -> list[ProviderRequest]:
        self.subscriptions[name].update(status="canceled", scheduled_change=None, items=[])
        return [self.event("subscription.canceled", self.subscriptions[name])]

    def give_back(self, of: Thing, minor: int, action: str, reason: str, status: str) -> Thing | None:
        """None where there is not so much left."""
        gone = sum(
            int(each["totals"]["total"]) for each in self.adjustments.values()
            if each["transaction_id"] == of["id"] and each["status"] in ("approved", "pending_approval")
        )  # fmt: skip
        if not 0 < minor <= int(_total(of)) - gone:
            return None
        made: Thing = {
            "id": self._id("adj"), "action": action, "status": status, "transaction_id": of["id"], "reason": reason,
            "subscription_id": of["subscription_id"], "created_at": self._now(), "type": "partial",
            "currency_code": of["currency_code"],
            "totals": {"subtotal": str(minor), "tax": "0", "total": str(minor), "currency_code": of["currency_code"]},
        }  # fmt: skip
        self.adjustments[made["id"]] = made
        return made

    def decide(self, status: str = "approved") -> list[ProviderRequest]:
        """Paddle looks through what waits for its approval."""
        waiting = [each for each in self.adjustments.values() if each["status"] == "pending_approval"]
        for each in waiting:
            each["status"] = status
        return [self.event("adjustment.updated", each) for each in waiting]

    def event(self, kind: str, thing: Thing) -> ProviderRequest:
        told = {
            "event_id": self._id("evt"), "event_type": kind, "occurred_at": self._now(),
            "notification_id": self._id("ntf"), "data": thing,
        }  # fmt: skip
        return signed(json.dumps(told).encode(), SECRETS[0], self._host.now())

    # Its API.

    @web.middleware
    async def _knowing(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if request.path.startswith("/paddle/"):  # its script, which is anybody's
            served: web.StreamResponse = await handler(request)
            return served
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return _no(403, "forbidden", "You aren't permitted to perform this request.")
        assert request.headers.get("Paddle-Version") == "1"
        if request.can_read_body:
            self.asked.append(await request.json())
            if self.complaint:
                return _no(400, "bad_request", self.complaint)
        answer: web.StreamResponse = await handler(request)
        return answer

    async def _create(self, request: web.Request) -> web.Response:
        asked = self.asked[-1]
        items = [self._item(each) for each in asked["items"]]
        if any(len(each["price"]["name"]) > 150 or "\n" in each["price"]["name"] for each in items):
            return _no(400, "invalid_field", "name is not valid")
        if not 1 <= int(items[0]["price"]["unit_price"]["amount"]) < 10**12:
            return _no(400, "invalid_field", "amount is not valid")
        made = self._transaction(items, asked["custom_data"], "api")
        made["checkout"] = {"url": f"https://app.example.com/pay?_ptxn={made['id']}"}
        return web.json_response({"data": made, "meta": {"request_id": "r"}}, status=201)

    def _item(self, asked: Thing) -> Thing:
        if "price_id" in asked:
            return {"price": copy.deepcopy(self.catalog[asked["price_id"]]), "quantity": asked["quantity"]}
        price = {"id": self._id("pri"), "billing_cycle": None, **asked["price"]}
        return {"price": price, "quantity": asked["quantity"]}

    def _transaction(self, items: list[Thing], custom_data: Thing | None, origin: str) -> Thing:
        currency = items[0]["price"]["unit_price"]["currency_code"]
        made: Thing = {
            "id": self._id("txn"), "status": "draft", "origin": origin, "items": copy.deepcopy(items),
            "custom_data": custom_data, "currency_code": currency, "collection_mode": "automatic",
            "details": self._details(items), "subscription_id": None, "billing_period": None, "payments": [],
            "created_at": self._now(), "updated_at": self._now(), "customer_id": None,
        }  # fmt: skip
        self.transactions[made["id"]] = made
        return made

    def _details(self, items: list[Thing]) -> Thing:
        subtotal = sum(int(each["price"]["unit_price"]["amount"]) * each["quantity"] for each in items)
        tax = subtotal * self._tax_percent // 100
        currency = items[0]["price"]["unit_price"]["currency_code"]
        totals = {
            "subtotal": str(subtotal), "discount": "0", "tax": str(tax), "total": str(subtotal + tax), "credit": "0",
            "balance": "0", "grand_total": str(subtotal + tax), "currency_code": currency, "fee": None,
        }  # fmt: skip
        return {"totals": totals, "line_items": [{"id": self._id("txnitm"), "quantity": 1}]}

    async def _list(self, request: web.Request) -> web.Response:
        limit, after = int(request.query["per_page"]), request.query.get("after", "")
        if limit > 30 or request.query["order_by"] != "created_at[DESC]":
            return _no(400, "invalid_field", "per_page or order_by")
        fitting = [
            each for each in reversed(self.transactions.values())
            if each["origin"] == request.query["origin"] and each["created_at"] >= request.query["created_at[GTE]"]
            and (not after or each["id"] < after)
        ]  # fmt: skip
        meta = {"request_id": "r", "pagination": {"per_page": limit, "has_more": len(fitting) > limit, "next": "x"}}
        return web.json_response({"data": [self._with_adjustments(each) for each in fitting[:limit]], "meta": meta})

    async def _get(self, request: web.Request) -> web.Response:
        found = self.transactions.get(request.match_info["id"])
        if found is None:
            return _no(404, "not_found", "Entity not found")
        return web.json_response({"data": self._with_adjustments(found), "meta": {"request_id": "r"}})

    def _with_adjustments(self, of: Thing) -> Thing:
        return {**of, "adjustments": [each for each in self.adjustments.values() if each["transaction_id"] == of["id"]]}

    async def _adjust(self, request: web.Request) -> web.Response:
        asked = self.asked[-1]
        of = self.transactions.get(asked["transaction_id"])
        if of is None or of["status"] != "completed":
            return _no(400, "adjustment_transaction_invalid_status_for_refund", "It is not completed")
        waiting = [each for each in self.adjustments.values() if each["status"] == "pending_approval"]
        if any(each["transaction_id"] == of["id"] for each in waiting):
            return _no(400, "adjustment_pending_refund_request", "There is a pending refund request")
        minor = int(_total(of)) if asked["type"] == "full" else int(asked["items"][0]["amount"])
        if asked["type"] == "partial":
            assert asked["items"][0]["item_id"] == of["details"]["line_items"][0]["id"]
        made = self.give_back(of, minor, asked["action"], asked["reason"], "pending_approval")
        if made is None:
            return _no(400, "adjustment_total_amount_above_remaining_allowed", "There is not so much left")
        self.sent.append(self.event("adjustment.created", made))
        return web.json_response({"data": made, "meta": {"request_id": "r"}}, status=201)

    async def _get_subscription(self, request: web.Request) -> web.Response:
        found = self.subscriptions.get(request.match_info["id"])
        if found is None:
            return _no(404, "not_found", "Entity not found")
        return web.json_response({"data": found, "meta": {"request_id": "r"}})

    async def _cancel(self, request: web.Request) -> web.Response:
        of = self.subscriptions[request.match_info["id"]]
        if of["status"] == "canceled" or of["scheduled_change"] is not None:
            return _no(400, "subscription_locked_pending_changes", "It is cancelled, or is to be")
        assert self.asked[-1] == {"effective_from": "next_billing_period"}
        of["scheduled_change"] = {"action": "cancel", "effective_at": self._now(), "resume_at": None}
        self.sent.append(self.event("subscription.updated", of))
        return web.json_response({"data": of, "meta": {"request_id": "r"}})

    async def _change(self, request: web.Request) -> web.Response:
        of, asked = self.subscriptions[request.match_info["id"]], self.asked[-1]
        before, items = of["items"], [self._item(each) for each in asked["items"]]
        of.update(items=items, custom_data=asked["custom_data"])
        if asked["proration_billing_mode"] == "prorated_immediately":
            # The whole period is still to come: the difference of the two prices.
            old, new = (int(each[0]["price"]["unit_price"]["amount"]) for each in (before, items))
            made = self._transaction(items, asked["custom_data"], "subscription_update")
            made["details"]["totals"].update(tax="0", credit=str(old), grand_total=str(new - old))
            made.update(status="completed", subscription_id=of["id"], billing_period=self._period(of["billing_cycle"]))
            self.sent.append(self.event("transaction.completed", made))
        self.sent.append(self.event("subscription.updated", of))
        return web.json_response({"data": of, "meta": {"request_id": "r"}})

    def _period(self, cycle: Thing) -> Thing:
        return {"starts_at": self._now(), "ends_at": _instant(self._host.now() + _days(cycle))}

    def _now(self) -> str:
        return _instant(self._host.now())

    def _id(self, prefix: str) -> str:
        self._numbers += 1
        return f"{prefix}_{self._numbers:026d}"


def _days(cycle: Thing) -> int:
    return int(_DAYS[cycle["interval"]] * cycle["frequency"] * 86_400_000)


def _instant(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _price(money: Money) -> dict[str, str]:
    return {"amount": str(money.minor), "currency_code": money.currency}


def _total(of: Thing) -> str:
    return str(of["details"]["totals"]["grand_total"])


def _no(status: int, code: str, detail: str) -> web.Response:
    error = {"type": "request_error", "code": code, "detail": detail, "documentation_url": "…"}
    return web.json_response({"error": error, "meta": {"request_id": "r"}}, status=status)
