"""What a rule of the gateway is to the hostile test."""

from __future__ import annotations

from dataclasses import dataclass

from tests.hostile.gateways import AS_EVERYWHERE, Site
from tests.hostile.message import Variant


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. Without it, `old` in the source of the function `where` is `new`."""

    name: str
    where: str
    old: str
    new: str
    upstream: str = ""
    """An application to which something leaks then."""
    witness: str | Variant = ""
    """A variant that does, or its name where it is one of all variants."""
    site: Site = AS_EVERYWHERE
    """How the application is put behind the gateway, where the rule is about that."""
    lenient: bool = False
    """Whether it takes another server under the gateway to show it: one that refuses nothing (`lenient.py`)."""
    honest: bool = False
    """Whether the witness is an honest request for something open, which is not answered then: the rule hurts nobody,
    its absence does."""
    besides: Rule | None = None
    """A rule elsewhere that says the same once more, and must be taken out too before anything leaks."""
