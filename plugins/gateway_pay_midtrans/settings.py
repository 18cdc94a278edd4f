"""What an operator sets for Midtrans."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from gateway.core.quantity import SECOND
from gateway.ports.fields import Duration, Secret, Settings


def _check_address(text: str) -> str:
    """Keys and payments go there, so only over TLS; without it only to a fake on this machine."""
    if re.fullmatch(r"(https://[^\s/@?#]+|http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?)(/[^\s?#]*)?", text) is None:
        raise ValueError(f"{text!r} is no address of an API: write it like https://api.midtrans.com")
    return text.rstrip("/")


class MidtransSettings(Settings):
    """Which merchant is paid."""

    server_key: Secret = Field(
        description="The merchant's server key, by reference.", examples=[{"env": "MIDTRANS_SERVER_KEY"}]
    )
    former_server_keys: tuple[Secret, ...] = Field(
        default=(),
        description="Server keys that were in force before, by reference: notifications signed with one of them are "
        "still believed.",
        examples=[[{"env": "MIDTRANS_SERVER_KEY_OF_2025"}]],
    )
    test: bool = Field(
        default=False, description="Whether this is Midtrans' sandbox, in which no money moves.", examples=[True]
    )
    timeout: Duration = Field(
        default=15 * SECOND,
        validate_default=False,
        json_schema_extra={"default": "15s"},
        description="How long one call to Midtrans may take.",
        examples=["15s"],
    )
    api_base: Annotated[str, AfterValidator(_check_address)] | None = Field(
        default=None,
        description="Where its two APIs are, in place of Midtrans' own addresses; `http` only on this machine, for a "
        "fake.",
        examples=["http://127.0.0.1:9000"],
    )
