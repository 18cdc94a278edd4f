"""One account of Stripe's: what its API answers, and what payers, banks and time do to it. No I/O, no clock."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from tests.plugins.pay.fake_stripe import objects
from tests.plugins.pay.fake_stripe.objects import Json, listed, new_id

_LOCALES = (
    "auto bg cs da de el en en-GB es es-419 et fi fil fr fr-CA hr hu id it ja ko lt lv ms mt nb nl pl pt pt-BR ro ru "
    "sk sl sv th tr vi zh zh-HK zh-TW"
)
LOCALES = frozenset(_LOCALES.split())
_SESSION_PARAMETERS = {
    "mode", "client_reference_id", "metadata", "subscription_data", "payment_intent_data", "line_items", "success_url",
    "cancel_url", "locale", "expires_at", "allow_promotion_codes", "automatic_tax", "customer_email", "expand",
}  # fmt: skip
_KINDS = {"cs": "checkout.session", "pi": "payment_intent", "in": "invoice", "sub": "subscription", "re": "refund"}


class ApiError(Exception):
    """An error as Stripe answers it."""

    def __init__(self, status: int, message: str, kind: str = "invalid_request_error", **more: str) -> None:
        super().__init__(message)
        self.status, self.body = status, {"error": {"message": message, "type": kind, **more}}


class Account:
    """Everything that one account has, by id."""

    def __init__(
        self, now: Callable[[], int], page: str = "https://checkout.stripe.com", livemode: bool = False
    ) -> None:
        """`now` is in seconds; `page` is where its checkout's pages live."""
        self.now, self.page, self.livemode = now, page, livemode
        self.all: dict[str, Json] = {}
        self.asked: dict[str, Json] = {}
        """What each session was asked for with."""
        self.prices: dict[str, Json] = {}
        self.events: list[Json] = []
        """What webhooks are told, until it is taken."""

    def of_kind(self, kind: str) -> list[Json]:
        """All objects of a kind, the newest first."""
        return [each for each in reversed(self.all.values()) if each["object"] == kind]

    def take_events(self) -> list[Json]:
        """What webhooks are told, since this was last asked."""
        events, self.events = self.events, []
        return events

    # ---- what the API answers

    def answer(self, method: str, path: str, asked: Json) -> Json:
        """The answer to a request. Raises `ApiError`."""
        self.expire_what_is_due()
        parts = path.removeprefix("/v1/").split("/")
        if method == "POST":
            return self._post(path, parts, asked)
        if path == "/v1/checkout/sessions":
            return self._page(path, self.of_kind("checkout.session"), asked)
        if path == "/v1/refunds":
            rows = [each for each in self.of_kind("refund") if each["payment_intent"] == asked["payment_intent"]]
            return self._page(path, rows, asked)
        if path == "/v1/invoice_payments":
            of = asked.get("payment", {}).get("payment_intent")
            rows = [each for each in self.of_kind("invoice_payment") if of in (None, each["payment"]["payment_intent"])]
            rows = [each for each in rows if each["invoice"] == asked.get("invoice", each["invoice"])]
            return self._page(path, rows, asked)
        return self._expanded(self.get(parts[-1]), asked.get("expand", []))

    def get(self, name: str) -> Json:
        """An object. Raises `ApiError` where there is none."""
        if name not in self.all:
            kind = _KINDS.get(name.partition("_")[0], "object")
            raise ApiError(404, f"No such {kind}: '{name}'", code="resource_missing", param="id")
        return self.all[name]

    def _post(self, path: str, parts: list[str], asked: Json) -> Json:
        if path == "/v1/checkout/sessions":
            return self._new_session(asked)
        if path == "/v1/refunds":
            return self._new_refund(asked)
        if path == "/v1/products":
            return {"id": new_id("prod"), "object": "product", "name": asked["name"]}
        if parts[0] == "subscriptions":
            return self._change_subscription(self.get(parts[1]), asked)
        raise ApiError(404, f"Unrecognized request URL (POST: {path}).")

    def _page(self, path: str, rows: list[Json], asked: Json) -> Json:
        since = int(asked.get("created", {}).get("gte", 0))
        rows = [each for each in rows if each["created"] >= since]
        if "starting_after" in asked:
            names = [each["id"] for each in rows]
            rows = rows[names.index(asked["starting_after"]) + 1 :]
        limit = int(asked.get("limit", 10))
        expand = [place.removeprefix("data.") for place in asked.get("expand", [])]
        return listed(path, [self._expanded(each, expand) for each in rows[:limit]], len(rows) > limit)

    def _expanded(self, told: Json, places: list[str]) -> Json:
        copy: Json = json.loads(json.dumps(told))
        for place in places:
            if copy.get(place) is not None:
                copy[place] = json.loads(json.dumps(self.get(copy[place])))
        return copy

    def _new_session(self, asked: Json) -> Json:
        for name in asked:
            if name not in _SESSION_PARAMETERS:
                raise ApiError(400, f"Received unknown parameter: {name}", code="parameter_unknown", param=name)
        if asked.get("locale", "auto") not in LOCALES:
            raise ApiError(400, f"Invalid locale: must be one of {_LOCALES}", param="locale")
        if not 1_800 <= int(asked.get("expires_at", self.now() + 1_800)) - self.now() <= 86_400:
            raise ApiError(
                400, "The `expires_at` timestamp must be 30 minutes to 24 hours from now.", param="expires_at"
            )
        mail = asked.get("customer_email", "a@example.com")
        if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[a-z]{2,}", mail) or mail.startswith("refused"):
            raise ApiError(400, f"Invalid email address: {mail}", code="email_invalid", param="customer_email")
        (item,) = asked["line_items"]
        price = self._price(item)
        if bool(price["recurring"]) != (asked["mode"] == "subscription"):
            raise ApiError(400, "Prices and mode do not fit.", param="mode")
        total = price["unit_amount"] * int(item["quantity"])
        made = objects.session(asked, total, price["currency"], self.now(), self.page, self.livemode)
        self.all[made["id"]], self.asked[made["id"]], self.prices[made["id"]] = made, asked, price
        return made

    def _price(self, item: Json) -> Json:
        if "price" in item:
            if item["price"] not in self.prices:
                raise ApiError(
                    400, f"No such price: '{item['price']}'", code="resource_missing", param="line_items[0][price]"
                )
            return self.prices[item["price"]]
        told = item["price_data"]
        name = told.get("product_data", {}).get("name", "a")
        if not 0 < len(name) <= 250:
            raise ApiError(
                400, "Invalid string: product_data[name]", param="line_items[0][price_data][product_data][name]"
            )
        amount, currency = int(told["unit_amount"]), told["currency"]
        if currency in ("bhd", "jod", "kwd", "omr", "tnd") and amount % 10:
            raise ApiError(400, "The last digit must be 0.", param="line_items[0][price_data][unit_amount]")
        if currency in ("isk", "ugx") and amount % 100:
            raise ApiError(400, "The last two digits must be 0.", param="line_items[0][price_data][unit_amount]")
        return objects.price(told)

    def _new_refund(self, asked: Json) -> Json:
        intent = self.get(asked["payment_intent"])
        if intent["latest_charge"] is None:
            raise ApiError(400, f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.")
        charge = self.get(intent["latest_charge"])
        left = charge["amount"] - charge["amount_refunded"]
        amount = int(asked.get("amount", left))
        if not left:
            raise ApiError(400, f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
        if amount > left:
            raise ApiError(
                400, f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})", param="amount"
            )
        return self.give_back(charge, amount, asked.get("metadata", {}))

    # ---- what payers and banks do

    def expire_what_is_due(self) -> None:
        """Let time pass over sessions that nobody has paid."""
        for session in self.of_kind("checkout.session"):
            if session["status"] == "open" and session["expires_at"] <= self.now():
                self.expire(session)

    def expire(self, session: Json) -> None:
        """A session is over, unpaid."""
        session |= {"status": "expired", "url": None}
        self.tell("checkout.session.expired", session)

    def pay(self, session: Json, amount: int, currency: str, off: int = 0, tax: int = 0) -> None:
        """Somebody pays, at once. `off` is taken off by a promotion code, `tax` comes on top."""
        total = amount - off + tax
        session |= {
            "amount_subtotal": amount, "amount_total": total, "currency": currency, "status": "complete", "url": None,
            "payment_status": "paid" if total else "no_payment_required",
            "total_details": {"amount_discount": off, "amount_shipping": 0, "amount_tax": tax},
        }  # fmt: skip
        if session["mode"] == "subscription":
            self._subscribe(session, total)
        elif total:
            session["payment_intent"] = self._succeeded(session, total)["id"]
        self.tell("checkout.session.completed", session)

    def pay_later(self, session: Json) -> None:
        """Somebody pays in a way that takes days."""
        marks = self.asked[session["id"]].get("payment_intent_data", {}).get("metadata", {})
        intent = objects.payment_intent(
            session["amount_total"], session["currency"], "processing", marks, self.now(), self.livemode
        )
        self.all[intent["id"]] = intent
        session |= {"status": "complete", "url": None, "payment_intent": intent["id"]}
        self.tell("checkout.session.completed", session)

    def end_late_payment(self, session: Json, succeeds: bool) -> None:
        """The bank has decided."""
        intent = self.get(session["payment_intent"])
        if succeeds:
            session["payment_status"] = "paid"
            intent["status"], intent["amount_received"] = "succeeded", intent["amount"]
            charge = objects.charge(intent, self.now())
            self.all[charge["id"]], intent["latest_charge"] = charge, charge["id"]
        else:
            intent["status"] = "requires_payment_method"
        self.tell(f"checkout.session.async_payment_{'succeeded' if succeeds else 'failed'}", session)

    def _succeeded(self, session: Json, total: int) -> Json:
        marks = self.asked[session["id"]].get("payment_intent_data", {}).get("metadata", {})
        return self._charged(total, session["currency"], marks)

    def _charged(self, total: int, currency: str, marks: Json) -> Json:
        intent = objects.payment_intent(total, currency, "succeeded", marks, self.now(), self.livemode)
        charge = objects.charge(intent, self.now())
        intent["latest_charge"] = charge["id"]
        self.all |= {intent["id"]: intent, charge["id"]: charge}
        return intent

    def give_back(self, charge: Json, amount: int, marks: Json, status: str = "succeeded") -> Json:
        """A refund, by the API or at Stripe's Dashboard."""
        made = objects.refund(charge, amount, marks, status, self.now())
        self.all[made["id"]] = made
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] >= charge["amount"]
        self.tell("refund.created", made)
        self.tell("charge.refunded", charge)
        return made

    def lose_dispute(self, charge: Json) -> None:
        """The bank takes it back."""
        charge["disputed"] = True
        self.tell("charge.dispute.closed", objects.dispute(charge, self.now()))

    def tell(self, kind: str, told: Json) -> None:
        """Put an event before the webhooks, with the object as it is now."""
        self.events.append({
            "id": new_id("evt"), "object": "event", "api_version": "2026-10-28.endive", "created": self.now(),
            "data": {"object": json.loads(json.dumps(told))}, "livemode": self.livemode, "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None}, "type": kind,
        })  # fmt: skip

    # ---- subscriptions

    def _subscribe(self, session: Json, total: int) -> None:
        price = self.prices[session["id"]]
        marks = self.asked[session["id"]].get("subscription_data", {}).get("metadata", {})
        made = objects.subscription(price, marks, self.now(), self.livemode)
        self.all[made["id"]] = made
        period = made["items"]["data"][0]
        lines = [
            objects.line(session["amount_subtotal"], session["currency"], self.now(), period["current_period_end"])
        ]
        invoice = objects.invoice(made, lines, "subscription_create", self.now())
        invoice |= {"currency": session["currency"], "total": total, "amount_due": total}
        self.all[invoice["id"]] = invoice
        session |= {"subscription": made["id"], "invoice": invoice["id"]}
        self._pay_invoice(made, invoice)
        self.tell("customer.subscription.created", made)

    def _pay_invoice(self, subscription: Json, invoice: Json) -> None:
        invoice |= {"status": "paid", "amount_paid": invoice["amount_due"], "attempt_count": 1}
        subscription |= {"latest_invoice": invoice["id"], "status": "active"}
        if invoice["amount_due"]:
            intent = self._charged(invoice["amount_due"], invoice["currency"], {})
            how = objects.invoice_payment(invoice, intent, self.now())
            self.all[how["id"]] = how
        self.tell("invoice.paid", invoice)

    def _change_subscription(self, one: Json, asked: Json) -> Json:
        if one["status"] == "canceled":
            raise ApiError(400, "A canceled subscription can only update its cancellation_details and metadata.")
        item = one["items"]["data"][0]
        before = item["price"]["unit_amount"]
        one["metadata"] |= asked.get("metadata", {})
        if "cancel_at_period_end" in asked:
            one["cancel_at_period_end"] = asked["cancel_at_period_end"] == "true"
        for told in asked.get("items", []):
            assert told["id"] == item["id"]
            item["price"] = self._price(told)
        if "trial_end" in asked:
            one |= {"trial_end": int(asked["trial_end"]), "status": "trialing"}
        if asked.get("proration_behavior") == "always_invoice":
            self._begin_again(one, item, before)
        self.tell("customer.subscription.updated", one)
        return one

    def _begin_again(self, one: Json, item: Json, before: int) -> None:
        """Another period from now on; half of the old one is taken off."""
        price = item["price"]
        start, ends = self.now(), item["current_period_end"]
        period = later_of(price, start)
        lines = [
            objects.line(-before // 2, one["currency"], start, ends),
            objects.line(price["unit_amount"], one["currency"], start, period),
        ]
        item |= {"current_period_start": start, "current_period_end": period}
        invoice = objects.invoice(one, lines, "subscription_update", start)
        self.all[invoice["id"]] = invoice
        self._pay_invoice(one, invoice)

    def renew(self, one: Json, is_paid: bool = True) -> None:
        """The next period begins; the clock stands at its beginning already."""
        item = one["items"]["data"][0]
        start = item["current_period_end"]
        if one["cancel_at_period_end"]:
            self.end(one)
            return
        item |= {"current_period_start": start, "current_period_end": later_of(item["price"], start)}
        lines = [objects.line(item["price"]["unit_amount"], one["currency"], start, item["current_period_end"])]
        invoice = objects.invoice(one, lines, "subscription_cycle", self.now())
        self.all[invoice["id"]] = invoice
        if is_paid:
            self._pay_invoice(one, invoice)
        else:
            invoice["attempt_count"] = 1
            one |= {"status": "past_due", "latest_invoice": invoice["id"]}
            self.tell("invoice.payment_failed", invoice)
        self.tell("customer.subscription.updated", one)

    def end(self, one: Json) -> None:
        """A subscription is over."""
        one |= {"status": "canceled", "ended_at": self.now(), "canceled_at": self.now()}
        self.tell("customer.subscription.deleted", one)


def later_of(price: Json, start: int) -> int:
    """The end of a period of a price."""
    recurring: dict[str, Any] = price["recurring"]
    return objects.later(start, recurring["interval"], recurring["interval_count"])
