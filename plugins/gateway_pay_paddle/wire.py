"""What Paddle sends ("API reference": transactions, adjustments, subscriptions; "Webhooks").

Only what is used is read, and that strictly. Amounts are texts of minor units.
"""

from __future__ import annotations

from typing import Annotated, Any, Generic, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from gateway.core.money import Money

ID = r"^[a-z]{3,8}_[a-z0-9]{1,60}$"
"""Ids go into paths of the API, so nothing else may stand in them."""

Id = Annotated[str, Field(pattern=ID)]
Minor = Annotated[str, Field(pattern=r"^[0-9]{1,14}$")]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
_MOST = 10**15

T = TypeVar("T")


class Told(BaseModel):
    """Base of what is read."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class UnitPrice(Told):
    """What one of something costs."""

    amount: Minor
    currency_code: Currency


class Cycle(Told):
    """How often something is paid."""

    interval: str
    frequency: int


class Price(Told):
    """A price, of the catalog or made for one transaction."""

    unit_price: UnitPrice
    billing_cycle: Cycle | None = None


class Item(Told):
    """What is bought."""

    price: Price
    quantity: int = Field(ge=1, le=1_000_000)

    @property
    def amount(self) -> Money:
        """What it costs before taxes and discounts. Raises `ValueError` where that is no sum of this world."""
        minor = int(self.price.unit_price.amount) * self.quantity
        if minor >= _MOST:
            raise ValueError("an amount is too large")
        return Money(minor, self.price.unit_price.currency_code)


class Totals(Told):
    """Sums of a transaction."""

    grand_total: Minor
    currency_code: Currency


class LineItem(Told):
    """An item as refunds name it."""

    id: Id


class Details(Told):
    """What came out for a transaction."""

    totals: Totals
    line_items: list[LineItem] = Field(default_factory=list)


class Attempt(Told):
    """An attempt to pay."""

    status: str


class AdjustmentTotals(Told):
    """Sums of an adjustment."""

    total: Minor
    currency_code: Currency


class Adjustment(Told):
    """Money that goes back, or is to."""

    id: Id
    action: str
    """`refund`, `chargeback`, `credit` and others."""
    status: str
    """`pending_approval`, `approved`, `rejected` or `reversed`."""
    transaction_id: Id
    reason: str = ""
    totals: AdjustmentTotals

    @property
    def is_gone(self) -> bool:
        """Whether the payer has the money back."""
        return self.action in ("refund", "chargeback") and self.status == "approved"

    @property
    def amount(self) -> Money:
        """How much goes back."""
        return Money(int(self.totals.total), self.totals.currency_code)


class Period(Told):
    """What a payment of a subscription is for."""

    ends_at: AwareDatetime

    reference: Annotated[str, Field(max_length=80)] = ""


class Transaction(Told):
    """A payment, or the wish for one."""

    id: Id
    status: str
    """`draft`, `ready`, `billed`, `paid`, `completed`, `canceled` or `past_due`."""
    items: list[Item]
    custom_data: dict[str, Any] | None = None
    details: Details | None = None
    subscription_id: Id | None = None
    billing_period: Period | None = None
    payments: list[Attempt] = Field(default_factory=list)
    adjustments: list[Adjustment] = Field(default_factory=list)

    @property
    def reference(self) -> str:
        """Whom it is credited to; empty for one that another system made."""
        return reference_of(self.custom_data)


class Scheduled(Told):
    """What is to become of a subscription."""

    action: str


class Subscription(Told):
    """A subscription as it stands."""

    id: Id
    status: str
    """`active`, `trialing`, `past_due`, `paused` or `canceled`."""
    custom_data: dict[str, Any] | None = None
    scheduled_change: Scheduled | None = None
    items: list[Item] = Field(default_factory=list)


class Answer(Told, Generic[T]):
    """One thing."""

    data: T


class More(Told):
    """Whether there are more pages."""

    has_more: bool


class Paging(Told):
    """About a list."""

    pagination: More


class Page(Told, Generic[T]):
    """A page of a list."""

    data: list[T]
    meta: Paging


class Event(Told, Generic[T]):
    """A notification."""

    event_type: str
    occurred_at: AwareDatetime
    data: T


class Head(Told):
    """What a notification is about, before it is read."""

    event_type: str


class Said(Told):
    """What is wrong with a request."""

    code: str = ""
    detail: str = ""


class Complaint(Told):
    """Why a request was refused."""

    error: Said


def reference_of(custom_data: dict[str, Any] | None) -> str:
    """The gateway's reference; empty where there is none."""
    found = (custom_data or {}).get("reference")
    return found if isinstance(found, str) and len(found) <= 80 else ""


def milliseconds(instant: AwareDatetime) -> int:
    """Since the epoch."""
    return int(instant.timestamp() * 1000)
