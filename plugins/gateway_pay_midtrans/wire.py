"""What Midtrans sends ("Get Transaction Status", "HTTP(S) Notification", "Refund Transactions", "Backend Integration").

Only what is used is read, and that strictly. Fields are added there without notice.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from gateway.core.money import Money

ID = r"^[0-9A-Za-z_~.-]{1,64}$"
"""Ids go into paths of the API, so nothing else may stand in them."""
CURRENCY = "IDR"
RUPIAH = 100
"""Minor units of a rupiah. Midtrans counts in whole ones, and writes `10000.00`."""


def _read_text(given: object) -> object:
    """Codes and ids, which Midtrans writes as numbers in some places."""
    return str(given) if isinstance(given, int) and not isinstance(given, bool) else given


Text = Annotated[str, BeforeValidator(_read_text), Field(max_length=500)]


class Told(BaseModel):
    """Base of what is read."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class Refund(Told):
    """A refund of a transaction."""

    refund_chargeback_id: Text
    refund_amount: Text
    refund_key: Text = ""

    @property
    def amount(self) -> Money:
        """What went back. Raises `ValueError`."""
        return Money.parse(f"{self.refund_amount} {CURRENCY}")


class Transaction(Told):
    """A transaction as it stands, or that there is none."""

    status_code: Text
    """`200`, `201` while it is pending, `404` where there is none, `407` once it expired."""
    status_message: Text = ""
    transaction_status: Text = ""
    fraud_status: Text = ""
    transaction_id: Text = ""
    order_id: Text = ""
    gross_amount: Text = ""
    currency: Text = CURRENCY
    payment_type: Text = ""
    custom_field1: Any = None
    refunds: list[Refund] = Field(default_factory=list)

    @property
    def status(self) -> str:
        """In lower case; some ways to pay write it in capitals."""
        return self.transaction_status.lower()

    @property
    def amount(self) -> Money:
        """What is paid. Raises `ValueError`."""
        return Money.parse(f"{self.gross_amount} {self.currency}")


class Notice(Told):
    """What is used of a notification: its proof, and which order it is about."""

    order_id: str = Field(pattern=ID)
    status_code: str
    gross_amount: str
    signature_key: str
    custom_field1: Any = None


class Opened(Told):
    """A page to pay at."""

    redirect_url: str


class Complaint(Told):
    """Why a page was refused."""

    error_messages: list[str] = Field(default_factory=list)
    status_message: Text = ""
