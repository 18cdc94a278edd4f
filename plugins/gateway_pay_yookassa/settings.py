"""What an operator sets for YooKassa."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from gateway.core.quantity import SECOND
from gateway.ports.fields import Duration, Secret, Settings


def _check_address(text: str) -> str:
    """Keys and payments go there, so only over TLS; without it only to a fake on this machine."""
    if re.fullmatch(r"(https://[^\s/@?#]+|http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?)(/[^\s?#]*)?", text) is None:
        raise ValueError(f"{text!r} is no address of an API: write it like https://api.yookassa.ru/v3")
    return text.rstrip("/")


class ReceiptSettings(Settings):
    """What stands on the receipts that Russian law (54-FZ) wants, for shops that let YooKassa send them.

    YooKassa, "Parameters of receipts": the codes and words are theirs.
    """

    mail: str = Field(
        description="Where the receipt goes whose payer's address of mail is not known.",
        examples=["receipts@example.com"],
        pattern=r"^[^\s@]+@[^\s@]+$",
    )
    vat_code: int = Field(
        description="The rate of VAT, as YooKassa numbers it; 1 is without VAT.", ge=1, le=12, examples=[1]
    )
    tax_system_code: int | None = Field(
        default=None, description="The system of taxation, where the shop has several.", ge=1, le=6, examples=[2]
    )
    payment_subject: str = Field(
        default="service", description="What is sold.", pattern=r"^[a-z_]{1,64}$", examples=["service"]
    )
    payment_mode: Literal["full_prepayment", "full_payment"] = Field(
        default="full_payment", description="Whether it is delivered with the payment or later.",
        examples=["full_payment"],
    )  # fmt: skip


class YooKassaSettings(Settings):
    """Which shop is paid, and what its receipts say."""

    shop_id: str = Field(
        description="The shop's number (shopId), from YooKassa's settings of the shop.",
        pattern=r"^[0-9]{1,20}$",
        examples=["54401"],
    )
    secret_key: Secret = Field(
        description="The shop's secret key, by reference.", examples=[{"env": "YOOKASSA_SECRET_KEY"}]
    )
    test: bool = Field(
        default=False,
        description="Whether this is a test shop. Payments of the other kind are refused, so that no play money pays.",
        examples=[True],
    )
    webhook_token: Secret | None = Field(
        default=None,
        description="A word that the address of notifications ends with, `webhook/WORD`, by reference. With it "
        "strangers can't make the gateway ask YooKassa about payments.",
        examples=[{"env": "YOOKASSA_WEBHOOK_TOKEN"}],
    )
    receipt: ReceiptSettings | None = Field(
        default=None,
        description="What stands on receipts (54-FZ). Left out, none are asked for.",
        examples=[{"mail": "receipts@example.com", "vat_code": 1}],
    )
    timeout: Duration = Field(
        default=15 * SECOND,
        validate_default=False,
        json_schema_extra={"default": "15s"},
        description="How long one call to YooKassa may take.",
        examples=["15s"],
    )
    api_base: Annotated[str, AfterValidator(_check_address)] = Field(
        default="https://api.yookassa.ru/v3",
        description="Where its API is; `http` only on this machine, for a fake.",
        examples=["https://api.yookassa.ru/v3"],
    )
