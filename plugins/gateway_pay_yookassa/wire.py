"""What YooKassa sends: its API v3 ("API reference", sections Payments and Refunds; "Incoming notifications").

Only what is used is read, and that strictly. Whatever else there is may change.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PlainValidator

from gateway.core.money import Money

ID = r"^[0-9A-Za-z-]{1,64}$"
"""Ids go into paths of the API, so nothing else may stand in them."""


def _read_amount(given: object) -> Money:
    if not isinstance(given, dict) or not all(isinstance(given.get(name), str) for name in ("value", "currency")):
        raise ValueError("an amount has a value and a currency, both of text")
    whole, _, decimals = given["value"].partition(".")
    decimals = decimals.rstrip("0")  # should it write `500.00` of a currency that has no decimals
    return Money.parse(f"{whole}{'.' if decimals else ''}{decimals} {given['currency']}")


Amount = Annotated[Money, PlainValidator(_read_amount)]
"""`{"value": "100.00", "currency": "RUB"}`."""


def written(amount: Money) -> dict[str, str]:
    """An amount as YooKassa reads it: as many decimals as the currency has."""
    return {"value": str(amount).partition(" ")[0], "currency": amount.currency}


class Told(BaseModel):
    """Base of what is read."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class Confirmation(Told):
    """Where the payer pays."""

    confirmation_url: str = ""


class Cancelled(Told):
    """Why a payment or a refund came to nothing."""

    party: str = ""
    reason: str = ""


class Payment(Told):
    """A payment as it stands."""

    id: str = Field(pattern=ID)
    status: str
    """`pending`, `waiting_for_capture`, `succeeded` or `canceled`; the last two are for good."""
    amount: Amount
    test: bool
    metadata: dict[str, Any] = Field(default_factory=dict)
    confirmation: Confirmation | None = None
    refunded_amount: Amount | None = None
    payment_method: dict[str, Any] | None = None

    @property
    def reference(self) -> str:
        """Whom it is credited to; empty for one that another system made."""
        found = self.metadata.get("reference")
        return found if isinstance(found, str) else ""

    @property
    def is_gone(self) -> bool:
        """Whether all of it went back."""
        return self.refunded_amount is not None and self.refunded_amount.minor >= self.amount.minor


class Refund(Told):
    """A refund as it stands."""

    id: str = Field(pattern=ID)
    payment_id: str = Field(pattern=ID)
    status: str
    """`pending`, `succeeded` or `canceled`."""
    amount: Amount
    description: str = ""
    cancellation_details: Cancelled | None = None


class Payments(Told):
    """A page of a list of payments."""

    items: list[Payment]
    next_cursor: str = ""


class Refunds(Told):
    """A page of a list of refunds."""

    items: list[Refund]
    next_cursor: str = ""


class Complaint(Told):
    """Why a request was refused."""

    code: str = ""
    description: str = ""
    parameter: str = ""


class Named(Told):
    """The object that a notification is about. What else it says of it is asked for, not believed."""

    id: str = Field(pattern=ID)


class Notice(Told):
    """A notification. It carries no signature."""

    type: str
    event: str
    object: Named
