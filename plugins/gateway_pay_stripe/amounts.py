"""Amounts as Stripe writes them (its documentation: "Supported currencies", minor units and special cases).

Stripe counts in minor units as well, but not in those of ISO 4217 throughout.
"""

from __future__ import annotations

from gateway.core.money import Money, minor_digits

_DIGITS = {
    "ISK": 2, "UGX": 2,  # are without decimals, and are still written with two, which must be 00
    "MGA": 0,  # has fifths by ISO 4217, written with two decimals; none at Stripe
}  # fmt: skip
_LIMIT = 99_999_999
"""Stripe takes eight digits, in any currency but a few."""


def to_stripe(money: Money) -> int:
    """The amount as Stripe writes it. Raises `ValueError` for one that can't be charged there."""
    ours, theirs = minor_digits(money.currency), digits(money.currency)
    amount, rest = divmod(money.minor * _power(theirs), _power(ours))
    if rest:
        raise ValueError(f"Stripe has no parts of a {money.currency}: {money} can't be charged")
    if theirs == 3 and amount % 10:
        raise ValueError(
            f"the last digit of an amount in {money.currency} must be 0 at Stripe: {money} can't be charged"
        )
    if not 0 < amount <= _LIMIT:
        raise ValueError(f"Stripe charges neither nothing nor as much as {money}")
    return amount


def from_stripe(amount: int, currency: str) -> Money:
    """What Stripe has written. Parts of the smallest unit, which only tax could make, are left out."""
    name = currency.upper()
    return Money(amount * _power(minor_digits(name)) // _power(digits(name)), name)


def digits(currency: str) -> int:
    """How many decimals Stripe writes of this currency."""
    return _DIGITS.get(currency, minor_digits(currency))


def _power(digits_: int) -> int:
    return int(10**digits_)
