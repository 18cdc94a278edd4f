"""What the config says about the visitor's cookie."""

from __future__ import annotations

import re
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from gateway.core.quantity import DAY, MINUTE
from gateway.ports.fields import Duration, Settings

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
LONGEST_MS = 400 * DAY
"""Browsers keep no cookie longer (RFC 6265bis, 5.5)."""


class VisitorSettings(Settings):
    """The cookie's name, life and flags."""

    cookie: str = "paywall_visitor"
    lifetime: Duration = Field(LONGEST_MS, validate_default=False, json_schema_extra={"default": "400d"})
    same_site: Literal["lax", "strict", "none"] = "lax"
    """`none` is for applications that run in a frame of another site."""
    secure: Literal["auto", "always", "never"] = "auto"
    """`auto`: where a trusted proxy says `x-forwarded-proto: https`. Say `always` where the gateway itself ends TLS."""

    @field_validator("cookie")
    @classmethod
    def _is_a_name(cls, value: str) -> str:
        if _NAME.fullmatch(value) is None:
            raise ValueError(f"{value!r} is not the name of a cookie: write it like paywall_visitor")
        return value

    @field_validator("lifetime")
    @classmethod
    def _can_be_kept(cls, value: int) -> int:
        if not MINUTE <= value <= LONGEST_MS:
            raise ValueError("browsers keep a cookie for 400d at most: give 1m to 400d")
        return value

    @model_validator(mode="after")
    def _is_taken_by_browsers(self) -> Self:
        prefixed = self.cookie.lower().startswith(("__host-", "__secure-"))
        if prefixed and self.secure != "always":
            raise ValueError(f"browsers take a cookie named {self.cookie} over https only: set secure: always")
        if self.same_site == "none" and self.secure != "always":
            raise ValueError("browsers take same_site: none over https only: set secure: always")
        return self
