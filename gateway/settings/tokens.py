"""Tokens that programs pay with: those that are known by name, and amounts of them as people write them.

All have six decimals and take EIP-3009 authorizations: what x402's scheme `exact` asks of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from gateway.core.money import TOKEN_DIGITS

_AMOUNT = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,6}))?")
_EXAMPLE = "0.05"


@dataclass(frozen=True, slots=True)
class KnownToken:
    """One token on one network."""

    address: str
    name: str
    version: str
    """Name and version of the domain that its authorizations are signed under (EIP-712)."""


KNOWN: dict[tuple[str, str], KnownToken] = {
    ("USDC", "eip155:8453"): KnownToken("0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913", "USD Coin", "2"),
    ("USDC", "eip155:84532"): KnownToken("0x036CbD53842c5426634e7929541eC2318f3dCF7e", "USDC", "2"),
    ("USDC", "eip155:1"): KnownToken("0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48", "USD Coin", "2"),
    ("USDC", "eip155:137"): KnownToken("0x3c499c542cEF5E3811e1192ce70d8cC03d5c3359", "USD Coin", "2"),
    ("USDC", "eip155:42161"): KnownToken("0xaf88d065e77c8cC2239327C5EDb3A432268e5831", "USD Coin", "2"),
    ("USDC", "eip155:43114"): KnownToken("0xB97EF9Ef8734C71904D8002F8b6Bc66Dd9c48a6E", "USD Coin", "2"),
}
"""By symbol and network (CAIP-2)."""

PEGGED = {"USDC": "USD", "EURC": "EUR"}
"""Which currency a token stands for, one for one: prices in it are prices in the token, too."""


def read_amount(text: str) -> int:
    """An amount of a token like `0.05`, in its atomic units. Raises `ValueError` that says what is allowed."""
    found = _AMOUNT.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no amount of a token: write it like {_EXAMPLE}, with at most 6 decimals")
    atomic = int(found[1] + (found[2] or "").ljust(TOKEN_DIGITS, "0"))
    if atomic == 0:
        raise ValueError("a price of zero can't be paid: give results for free with `grace` or a longer trial")
    return atomic


class _Amount:
    """Pydantic schema of an amount: a number or a text."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def read(value: object) -> int:
            if isinstance(value, bool) or not isinstance(value, str | int | float):
                raise ValueError(f"must be an amount, like {_EXAMPLE}")
            return read_amount(str(value))

        return core_schema.no_info_plain_validator_function(read)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: Any) -> dict[str, Any]:
        pattern = r"^\s*[0-9]+(\.[0-9]{1,6})?\s*$"
        return {"anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "string", "pattern": pattern}]}


AmountField = Annotated[int, _Amount()]
"""Atomic units of a token, written `0.05`."""
