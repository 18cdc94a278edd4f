"""What an operator sets for Paddle."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from gateway.core.quantity import MINUTE, SECOND
from gateway.ports.fields import Duration, Secret, Settings


def _check_address(text: str) -> str:
    """Keys and payments go there, so only over TLS; without it only to a fake on this machine."""
    if re.fullmatch(r"https://[^\s/@?#]+|http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?", text) is None:
        raise ValueError(f"{text!r} is no address of an API: write it like https://api.paddle.com")
    return text


PriceId = Annotated[str, Field(pattern=r"^pri_[a-z0-9]{1,60}$")]


class PaddleSettings(Settings):
    """Whose account it is, and what is said of what is sold."""

    api_key: Secret = Field(description="The API key, by reference.", examples=[{"env": "PADDLE_API_KEY"}])
    client_token: str = Field(
        description="The client-side token, with which the page opens Paddle's checkout. It is no secret.",
        pattern=r"^(live|test)_[A-Za-z0-9]{1,100}$",
        examples=["live_7d279f61a3499fed520f7cd8c08"],
    )
    webhook_secrets: tuple[Secret, ...] = Field(
        description="The secret keys of the notification destination, by reference: while they are changed, the new "
        "and the old one.",
        min_length=1,
        examples=[[{"env": "PADDLE_WEBHOOK_SECRET"}]],
    )
    test: bool = Field(
        default=False, description="Whether this is Paddle's sandbox, in which no money moves.", examples=[True]
    )
    prices: dict[str, PriceId] = Field(
        default={},
        description="Prices of Paddle's catalog, by the plan's id. A plan that is not named here is sold at the "
        "config's price, without an entry in the catalog.",
        examples=[{"pro": "pri_01gsz8x8sawmvhz1pv30nge1ke"}],
    )
    tax_category: str = Field(
        default="standard",
        description="Paddle's word for what is sold, which its taxes depend on.",
        pattern=r"^[a-z-]{1,60}$",
        examples=["saas"],
    )
    tax_mode: Literal["account_setting", "external", "internal"] = Field(
        default="account_setting",
        description="Whether prices are with taxes (`internal`) or taxes come on top (`external`).",
        examples=["external"],
    )
    tolerance: Duration = Field(
        default=5 * MINUTE,
        validate_default=False,
        json_schema_extra={"default": "5m"},
        description="How old a notification's signature may be, for clocks that differ.",
        examples=["5m"],
    )
    timeout: Duration = Field(
        default=15 * SECOND,
        validate_default=False,
        json_schema_extra={"default": "15s"},
        description="How long one call to Paddle may take.",
        examples=["15s"],
    )
    api_base: Annotated[str, AfterValidator(_check_address)] | None = Field(
        default=None,
        description="Where its API and its script are, in place of Paddle's own addresses; `http` only on this "
        "machine, for a fake.",
        examples=["http://127.0.0.1:9000"],
    )
