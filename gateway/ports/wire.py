"""What a request may know of its connection beyond ASGI: `scope["extensions"][WIRE]`, where the server offers it.

The gateway works on servers without it, a little slower and with the target as ASGI spells it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

WIRE = "paywall.wire"


class Wire(Protocol):
    """One request's connection."""

    target: bytes
    """The request target byte for byte, fragment and all."""
    gone: bool
    """Whether the client has left."""
    on_gone: Callable[[], None] | None
    """Called once when the connection ends before the answer is complete."""

    def abort(self) -> None:
        """Break the connection off, so that a cut answer can't be taken for a whole one."""
        ...
