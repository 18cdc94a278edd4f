"""The headers of a request apart from its first line: a client that stays sends the same ones again and again."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.core.header_lines import HeaderLines
from gateway.ports.upstream import Headers


@dataclass(frozen=True, slots=True)
class Onward:
    """The headers that go to the application for requests from one address."""

    address: str
    scheme: str
    owner: str
    """Whose they are: the client's address, as far as it can be believed."""
    headers: Headers
    lines: HeaderLines | None
    """The same, written; None where they can't be sent."""


@dataclass(slots=True)
class Section:
    """The headers of a request, judged and cleaned. Requests with the same headers share one: none of it is changed,
    but for what is found out for the next of them."""

    headers: Headers
    """What may go on to the application."""
    overrides: tuple[str, ...]
    host: bytes
    length: int | None
    onward: Onward | None = None
    """How they went on the last time."""
    trace: int | None = None
    """See `IdentityChain.trace`; None where nobody has asked."""
