"""Payment provider Stripe: its hosted Checkout, for single payments and subscriptions.

`settings` is what an operator writes; `api` asks Stripe, by Stripe's own library; `session` says what is to be paid;
`signature` proves webhooks; `reports` reads Stripe's objects; `provider` joins them.
"""

from __future__ import annotations

from gateway.ports.plugin import Plugin
from gateway_pay_stripe.provider import StripeProvider
from gateway_pay_stripe.settings import StripeSettings

__all__ = ["plugin"]

plugin = Plugin(
    summary="Stripe Checkout: cards and whatever else is switched on there, single payments and subscriptions.",
    settings=StripeSettings,
    create=StripeProvider,
)
