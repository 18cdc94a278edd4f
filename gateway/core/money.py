"""Money as integers of minor units."""

from __future__ import annotations

import re
from dataclasses import dataclass

_MINOR_DIGITS = {
    "BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
    "BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0,
    "SATS": 0,
    "UGX": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
}  # fmt: skip
"""ISO 4217 currencies whose minor unit is not a hundredth."""

TOKEN_DIGITS = 6
"""Decimals of the tokens that programs pay with. Their symbols are longer than the three letters of a currency."""

_FORM = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,4}))? ?([A-Z]{3})")


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount in minor units of one currency (ISO 4217), or of a token: `Money(1900, "USD")` is 19.00 USD and
    `Money(1900000, "USDC")` is 1.900000 USDC."""

    minor: int
    currency: str

    @classmethod
    def parse(cls, text: str) -> Money:
        """Read `19.00 USD`. Raises `ValueError` for anything else, also for more decimals than the currency has."""
        found = _FORM.fullmatch(text.strip())
        if found is None:
            raise ValueError(f"{text!r} is not an amount: write it like 19.00 USD")
        whole, fraction, currency = found.group(1), found.group(2) or "", found.group(3)
        digits = minor_digits(currency)
        if len(fraction) > digits:
            raise ValueError(f"{text!r} has too many decimals: {currency} has {digits or 'none'}")
        return cls(int(whole) * 10**digits + int(fraction.ljust(digits, "0") or "0"), currency)

    def __str__(self) -> str:
        digits = minor_digits(self.currency)
        sign, size = ("-" if self.minor < 0 else ""), abs(self.minor)
        if digits == 0:
            return f"{sign}{size} {self.currency}"
        return f"{sign}{size // 10**digits}.{size % 10**digits:0{digits}d} {self.currency}"


def minor_digits(currency: str) -> int:
    """How many decimals this currency's minor unit has (ISO 4217; two where nothing else is known), or a token's."""
    return _MINOR_DIGITS.get(currency, 2 if len(currency) <= 3 else TOKEN_DIGITS)
