"""What an operator sets about Stripe."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from gateway.core.quantity import HOUR
from gateway.ports.fields import Duration, Secret, Settings

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def _check_origin(text: str) -> str:
    try:
        parts = urlsplit(text)
        is_origin = re.fullmatch(r"https?://[A-Za-z0-9.:\[\]-]+", text) is not None and parts.port != 0
    except ValueError:
        is_origin = False
    if not is_origin:
        raise ValueError(f"{text!r} is no origin: write scheme and host alone, like https://api.stripe.com")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise ValueError(f"{text!r} would send keys and payers over the net in the clear: write https://")
    return text


def _check_prices(prices: dict[str, str]) -> dict[str, str]:
    for plan, price in prices.items():
        if re.fullmatch(r"price_[A-Za-z0-9_]{1,200}", price) is None:
            raise ValueError(f"{price!r} of plan {plan!r} is no price of Stripe's: write its id, like price_1Pd5...")
    return prices


def _check_expiry(milliseconds: int) -> int:
    if not HOUR <= milliseconds <= 24 * HOUR:
        raise ValueError("Stripe lets a checkout be open for at most 24h, and less than 1h is too short to pay in")
    return milliseconds


def _check_timeout(milliseconds: int) -> int:
    if not 1_000 <= milliseconds <= 60_000:
        raise ValueError("write 1s to 60s: somebody waits for the answer")
    return milliseconds


Origin = Annotated[str, AfterValidator(_check_origin)]


class StripeSettings(Settings):
    """Whose account, and how its checkout is."""

    secret_key: Secret = Field(
        description="The secret key, or better a restricted key, by reference. Its kind says whether money is real: "
        "`sk_live_`, `rk_live_` or `sk_test_`, `rk_test_`.",
        examples=[{"env": "STRIPE_KEY"}],
    )
    webhook_secrets: list[Secret] = Field(
        min_length=1,
        max_length=5,
        description="What signs the webhooks (`whsec_…`), by reference. Several while they are changed: each is good.",
        examples=[[{"env": "STRIPE_WEBHOOK_SECRET"}]],
    )
    prices: Annotated[dict[str, str], AfterValidator(_check_prices)] = Field(
        default_factory=dict,
        description="Prices that are kept at Stripe, by the plan's id; amount, currency and period must be those of "
        "the plan. A plan without one is sold at the price in the config.",
        examples=[{"pro": "price_1Pd5ExampleExample"}],
    )
    promotion_codes: bool = Field(
        default=False, description="Whether the checkout takes promotion codes of the account.", examples=[True]
    )
    automatic_tax: bool = Field(
        default=False,
        description="Whether Stripe Tax works out the tax. What comes on top of the price is paid, and is not part of "
        "the plan's price.",
        examples=[True],
    )
    expires: Annotated[Duration, AfterValidator(_check_expiry)] = Field(
        default=24 * HOUR,
        validate_default=False,
        json_schema_extra={"default": "24h"},
        description="For how long a checkout can be paid: 1h to 24h.",
        examples=["24h"],
    )
    timeout: Annotated[Duration, AfterValidator(_check_timeout)] = Field(
        default=8_000,
        validate_default=False,
        json_schema_extra={"default": "8s"},
        description="How long Stripe may take to answer, with repetitions.",
        examples=["8s"],
    )
    checkout_origin: Origin = Field(
        default="https://checkout.stripe.com",
        description="Where the checkout's pages live, for accounts with a domain of their own at Stripe.",
        examples=["https://pay.example.com"],
    )
    api_base: Origin = Field(
        default="https://api.stripe.com",
        description="Where Stripe's API lives; another one only for tests.",
        examples=["http://127.0.0.1:12111"],
    )
