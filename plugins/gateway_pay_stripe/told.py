"""Read what Stripe tells: JSON of which nothing is believed to have its shape."""

from __future__ import annotations

import re
from typing import Any

Json = dict[str, Any]

_ID = re.compile(r"[A-Za-z0-9_]{1,255}")
_CURRENCY = re.compile(r"[a-zA-Z]{3}")
_LARGEST = 10**14


class Unreadable(ValueError):
    """It has not the shape that it should have. `str()` names the place, never what stands there."""


def at(told: object, *path: str) -> Any:
    """What stands at a place; None where nothing does."""
    for key in path:
        told = told.get(key) if isinstance(told, dict) else None
    return told


def text(told: object, *path: str) -> str:
    """A text; empty where there is none. What is unfit to be kept, being too long or no text of Unicode, is none."""
    value = at(told, *path)
    if not isinstance(value, str) or len(value) > 255 or not value.isascii() or not value.isprintable():
        return ""
    return value


def whole(told: object, *path: str) -> int:
    """A whole number that is not negative."""
    value = at(told, *path)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _LARGEST:
        raise Unreadable(f"{'.'.join(path)} is no amount or instant")
    return value


def signed(told: object, *path: str) -> int:
    """A whole number."""
    value = at(told, *path)
    if isinstance(value, bool) or not isinstance(value, int) or not -_LARGEST < value < _LARGEST:
        raise Unreadable(f"{'.'.join(path)} is no number")
    return value


def currency(told: object) -> str:
    """The currency of an object."""
    value = at(told, "currency")
    if not isinstance(value, str) or _CURRENCY.fullmatch(value) is None or not value.isascii():
        raise Unreadable("currency is none")
    return value


def identity(told: object, *path: str) -> str:
    """The id at a place, be the object written out there or named."""
    found = named(told, *path)
    if not found:
        raise Unreadable(f"{'.'.join(path) or 'the object'} names nothing")
    return found


def named(told: object, *path: str) -> str:
    """As `identity`, but empty where nothing is named."""
    value = at(told, *path)
    value = value.get("id") if isinstance(value, dict) else value
    return value if isinstance(value, str) and _ID.fullmatch(value) else ""


def rows(told: object, *path: str) -> list[Json]:
    """The objects of a list."""
    value = at(told, *path, "data")
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
