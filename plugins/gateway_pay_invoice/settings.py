"""Whose account it is, and what stands on the payment request."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from gateway.core.quantity import DAY
from gateway.ports.fields import Duration, Settings
from gateway_pay_invoice.number import grouped, remainder

_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_BIC = re.compile(r"[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?")


def _read_iban(text: str) -> str:
    """Without spaces. ISO 13616: what follows the first four characters, then these, has the remainder 1 by 97."""
    iban = re.sub(r"\s", "", text).upper()
    if not _IBAN.fullmatch(iban):
        raise ValueError(f"{text!r} is no IBAN: write it like DE02 1203 0000 0000 2020 51")
    if remainder(iban[4:] + iban[:4]) != 1:
        raise ValueError(f"{grouped(iban)} is no IBAN: its check digits do not fit the rest, so see where it is wrong")
    return iban


def _read_bic(text: str) -> str:
    bic = re.sub(r"\s", "", text).upper()
    if not _BIC.fullmatch(bic):
        raise ValueError(f"{text!r} is no BIC: it has 8 or 11 letters and digits, like BYLADEM1001")
    return bic


Line = Annotated[str, Field(min_length=1, max_length=100)]


class InvoiceSettings(Settings):
    """Where the money is to go."""

    payee: Annotated[str, Field(min_length=1, max_length=70)] = Field(
        description="Whom the account belongs to, as the bank knows them.",
        examples=["Northwind Reports GmbH"],
    )
    iban: Annotated[str, AfterValidator(_read_iban)] | None = Field(
        default=None,
        description="The account. Its check digits are verified.",
        examples=["DE02 1203 0000 0000 2020 51"],
    )
    bic: Annotated[str, AfterValidator(_read_bic)] | None = Field(
        default=None,
        description="The bank, where payers abroad need it.",
        examples=["BYLADEM1001"],
    )
    account: tuple[Line, ...] = Field(
        default=(),
        max_length=10,
        description="The account in lines of your own: besides an IBAN, or where there is none.",
        examples=[["Account 12345678", "Sort code 12-34-56"]],
    )
    address: tuple[Line, ...] = Field(
        default=(),
        max_length=6,
        description="The payee's address, for the payment request.",
        examples=[["Lindenallee 1", "10115 Berlin"]],
    )
    due: Duration = Field(
        default=14 * DAY,
        validate_default=False,
        json_schema_extra={"default": "14d"},
        description="How long people have to pay. What comes later counts all the same.",
        examples=["30d"],
    )
    footer: tuple[Line, ...] = Field(
        default=(),
        max_length=6,
        description="Lines at the foot of the payment request, such as a tax number.",
        examples=[["VAT ID DE123456789"]],
    )
    pdf: bool = Field(
        default=True,
        description="Whether there is a payment request as PDF. It needs the extra `invoice`.",
        examples=[False],
    )
    qr: bool = Field(
        default=True,
        description="Whether there is a code for banking apps (EPC QR code), for prices in EUR with an IBAN. It needs "
        "the extra `invoice`.",
        examples=[False],
    )
    font: Path | None = Field(
        default=None,
        description="A font (TrueType) for the PDF in place of DejaVu Sans, which writes Latin, Greek, Cyrillic, "
        "Hebrew and Arabic.",
        examples=["/usr/share/fonts/truetype/noto/NotoSansCJK.ttf"],
    )

    def model_post_init(self, context: object) -> None:
        """There must be an account."""
        if self.iban is None and not self.account:
            raise ValueError("names no account: add `iban: DE02 1203 0000 0000 2020 51`, or `account` with lines")
