"""What is done with one request, as a value: decided by `gateway.access`, acted on in one place, `gateway.web`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gateway.core.reason import Reason


class Purse(StrEnum):
    """What a result is taken from."""

    GRACE = "grace"
    CREDIT = "credit"
    WINDOW = "window"


@dataclass(frozen=True, slots=True)
class Forward:
    """Pass it, untouched."""

    reason: Reason
    prompt: bool = False
    """Whether the offer is shown beside the answer (an action after expiry)."""


@dataclass(frozen=True, slots=True)
class Take:
    """Pass it and spend one result of this purse; given back when no result comes of it."""

    purse: Purse
    reason: Reason


@dataclass(frozen=True, slots=True)
class Hold:
    """Let the application produce the result and keep it back: the client gets the offer and a teaser."""

    reason: Reason
    keep: bool = True
    """False for a preview: the teaser is shown and nothing is kept."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """Put the offer before the subject without touching the application."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Refuse:
    """Answer with an error, or (308) with the canonical address."""

    status: int
    reason: Reason
    location: bytes = b""


Decision = Forward | Take | Hold | Prompt | Refuse

NAMES: dict[type[Decision], str] = {
    Forward: "forward",
    Take: "take",
    Hold: "hold",
    Prompt: "prompt",
    Refuse: "refuse",
}
"""The word for each decision in logs, metrics and events."""
