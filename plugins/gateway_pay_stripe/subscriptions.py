"""Subscriptions that are under way: let one end, or go over to another plan."""

from __future__ import annotations

import hashlib
from typing import Any

from gateway.ports.payment import CheckoutRequest, ProviderUnavailable
from gateway_pay_stripe.amounts import from_stripe
from gateway_pay_stripe.api import KEYS, KeyTaken, Refused, StripeApi
from gateway_pay_stripe.session import REFERENCE, item_of, title_of
from gateway_pay_stripe.settings import StripeSettings
from gateway_pay_stripe.told import Json, Unreadable, at, currency, identity, rows, text, whole

_OVER = ("canceled", "incomplete_expired")


class Subscriptions:
    """The port `Renewing`."""

    def __init__(self, api: StripeApi, settings: StripeSettings) -> None:
        self._api, self._settings = api, settings

    async def cancel(self, subscription: str) -> None:
        """Let it end with the period that is paid."""
        try:
            found = await self._api.get("subscription", _path(subscription))
            if text(found, "status") not in _OVER and at(found, "cancel_at_period_end") is not True:
                await self._api.post("subscription", _path(subscription), cancel_at_period_end=True)
        except (Refused, KeyTaken, Unreadable) as why:
            raise ProviderUnavailable(f"Stripe does not cancel the subscription: {why}") from None

    async def change(self, subscription: str, request: CheckoutRequest) -> None:
        """Go over to the plan of the request, whose reference stands at the subscription from now on.

        Dearer: another period begins at once, and the unused rest of the old one is taken off its price. Cheaper: the
        next period has the new price. Where the length of the period changes as well, Stripe would begin it at once, so
        the time that is paid for becomes a trial of the new one.
        """
        try:
            for number in range(KEYS):
                if await self._is_changed(subscription, request, number):
                    return
        except (Refused, KeyTaken, ValueError) as why:
            raise ProviderUnavailable(f"Stripe does not change the subscription: {why}") from None
        raise ProviderUnavailable("Stripe repeats a fault of its own; see to the subscription in its Dashboard")

    async def _is_changed(self, subscription: str, request: CheckoutRequest, number: int) -> bool:
        """Whether it is for the plan now; False where Stripe repeats a fault of its own under this key."""
        found = await self._api.get("subscription", _path(subscription))
        item = rows(found, "items")[:1]
        if not item:
            raise Unreadable("the subscription has no item")
        if _is_so(item[0], request, self._settings):
            return True
        try:
            await self._go_over(found, item[0], request, number)
        except KeyTaken as taken:
            if taken.by_another:
                raise
            return False
        return True

    async def _go_over(self, found: Json, item: Json, request: CheckoutRequest, number: int) -> None:
        to = item_of(request, self._settings, await self._product(request))
        said: dict[str, Any] = {
            "items": [{"id": identity(item, "id"), **to}],
            "metadata": {REFERENCE: request.reference},
            "cancel_at_period_end": False,
        }
        price = at(item, "price")
        before = from_stripe(whole(price, "unit_amount"), currency(price))
        if before.currency == request.amount.currency and request.amount <= before:
            said["proration_behavior"] = "none"
            if not _has_period(price, request):
                said["trial_end"] = whole(item, "current_period_end")
        else:
            said |= {
                "proration_behavior": "always_invoice",
                "billing_cycle_anchor": "now",
                "payment_behavior": "error_if_incomplete",
            }
        # Asked for twice at once, it is done once; asked for later, the subscription has another price by then.
        asked = f"{identity(found, 'id')} {identity(price, 'id')} {request.reference} {request.plan} {request.amount}"
        key = f"change-{hashlib.sha256(asked.encode()).hexdigest()}-{number}"
        await self._api.post("subscription", _path(identity(found, "id")), key=key, **said)

    async def _product(self, request: CheckoutRequest) -> str:
        """A product for the plan; none where its price is kept at Stripe."""
        if request.plan in self._settings.prices:
            return ""
        name = title_of(request.title)
        key = hashlib.sha256(f"{request.plan} {name}".encode()).hexdigest()
        return identity((await self._api.post("product", "/v1/products", key=f"product-{key}", name=name)).told, "id")


def _path(subscription: str) -> str:
    return f"/v1/subscriptions/{identity({'id': subscription}, 'id')}"


def _is_so(item: Json, request: CheckoutRequest, settings: StripeSettings) -> bool:
    """Whether the subscription is for that plan already."""
    price, kept = at(item, "price"), settings.prices.get(request.plan)
    if kept is not None:
        return text(price, "id") == kept
    return from_stripe(whole(price, "unit_amount"), currency(price)) == request.amount and _has_period(price, request)


def _has_period(price: Json, request: CheckoutRequest) -> bool:
    wanted = request.renews and (request.renews.unit.value, request.renews.count)
    return (text(price, "recurring", "interval"), whole(price, "recurring", "interval_count")) == wanted
