"""Stripe's requests: forms whose names have brackets (`line_items[0][price_data][currency]=usd`)."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl


def decoded(text: str) -> dict[str, Any]:
    """A form as nested objects and lists. Values are texts."""
    told: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text)):
        first, *rest = re.findall(r"[^\[\]]+", name)
        place = told
        for key, following in zip([first, *rest], rest, strict=False):
            place = place.setdefault(key, {})
            assert isinstance(place, dict), f"{name} is both a value and an object ({following})"
        place[(rest or [first])[-1]] = value
    return {key: _listed(value) for key, value in told.items()}


def _listed(told: Any) -> Any:
    if not isinstance(told, dict):
        return told
    inner = {key: _listed(value) for key, value in told.items()}
    if inner and all(key.isdigit() for key in inner):
        return [inner[key] for key in sorted(inner, key=int)]
    return inner
