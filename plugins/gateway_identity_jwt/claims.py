"""What the claims of a verified token must say (RFC 7519, 4.1), and whom they name."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from gateway.core.subject import ID_BYTES_LIMIT
from gateway_identity_jwt.token import Unfit

_LATEST = 10**12
"""Seconds since the epoch; keeps absurd numbers out of the arithmetic."""


def check_times(claims: Mapping[str, object], now_ms: int, leeway_ms: int, require_expiry: bool) -> int | None:
    """The instant (milliseconds) when the token expires, None when never. Raises `Unfit` outside of its time."""
    expires, begins, issued = (_instant(claims, name) for name in ("exp", "nbf", "iat"))
    if expires is None and require_expiry:
        raise Unfit("has no expiry")
    if expires is not None and now_ms >= expires + leeway_ms:
        raise Unfit("has expired")
    if begins is not None and now_ms < begins - leeway_ms:
        raise Unfit("is not valid yet")
    if issued is not None and now_ms < issued - leeway_ms:
        raise Unfit("is issued in the future")
    return expires


def _instant(claims: Mapping[str, object], name: str) -> int | None:
    value = claims.get(name)
    if value is None and name not in claims:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _LATEST:
        raise Unfit(f"has a time in {name} that is no number of seconds")
    return int(value * 1000)


def subject_id(claims: Mapping[str, object], claim: str) -> str:
    """Whom the token names. Raises `Unfit`.

    `sub` must be a string (RFC 7519, 4.1.2). Other claims hold row numbers in many applications, so there an integer
    is read as its digits.
    """
    value = claims.get(claim)
    if claim != "sub" and isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**64:
        value = str(value)
    if not isinstance(value, str):
        raise Unfit(f"has no text in {claim}" if claim in claims else f"has no {claim}")
    if not value.strip() or any(unicodedata.category(character) in ("Cc", "Cs") for character in value):
        raise Unfit(f"has no plain text in {claim}")
    if len(value.encode()) > ID_BYTES_LIMIT:
        raise Unfit(f"has more than {ID_BYTES_LIMIT} bytes in {claim}")
    return value
