"""What an examination of a deployment finds: one thing at one place, with its mend."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Gravity(StrEnum):
    """How bad it is."""

    FAULT = "fault"
    """It does not work, or what was promised of a payment is not kept."""
    WARNING = "warning"
    """It works, and will not for long, or not as is meant."""
    UNKNOWN = "unknown"
    """It could not be looked at."""
    GOOD = "good"


class Matter(StrEnum):
    """What a finding is about."""

    CONFIG = "config"
    LISTEN = "listen"
    SECRET = "secret"  # noqa: S105 - the word, not one
    DATA = "data"
    UPSTREAM = "upstream"
    STORAGE = "storage"
    """The storage of large held results, where it is another than the store."""
    PLUGINS = "plugins"
    STORE = "store"
    """Whether it answers at all."""
    STORE_VERSION = "store-version"
    STORE_SCHEMA = "store-schema"
    """Whether its data is of a form that this gateway understands."""
    STORE_ROLE = "store-role"
    STORE_PAYMENTS = "store-payments"
    """What a payment survives that somebody was told of."""
    STORE_DISK = "store-disk"
    """Whether its last write to the disk went well."""
    STORE_MEMORY = "store-memory"
    STORE_EVICTION = "store-eviction"
    STORE_CLOCK = "store-clock"
    STORE_RIGHTS = "store-rights"
    """What the gateway's user may do there."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found. `str()` is the one line of it."""

    gravity: Gravity
    matter: Matter
    place: str
    """Where to look: a setting, a file, an address. Never a password."""
    text: str
    mend: str = ""
    """What to do; empty where there is nothing to do."""

    @property
    def is_trouble(self) -> bool:
        """Whether an operator should hear of it unasked."""
        return self.gravity in (Gravity.FAULT, Gravity.WARNING)

    def __str__(self) -> str:
        return ": ".join((self.place, self.text)) + (f"; {self.mend}" if self.mend else "")
