"""Stripe on loopback: its wire format, its idempotency, its signed webhooks and a page to pay on.

`form` reads its requests, `objects` makes its objects, `account` is what one account of it does, `server` is the HTTP
around it. What it knows of Stripe is out of Stripe's API reference, version 2026-10-28; it has seen no real Stripe.
"""
