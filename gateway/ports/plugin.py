"""The public door for plugins of every kind; the gateway's own plugins come through it too.

A plugin is a module of its own that offers a `Plugin` value under an entry point of its kind (`gateway.identity`,
`gateway.payment`, `gateway.teaser`). Only what the config names is loaded. The life of a plugin:

1. `settings` decodes its part of the config, strictly; problems are shown with file and line.
2. `create(settings, host)` builds the provider, without any effect: no file, no socket, no task.
3. `await start()`, then it is used, then `await stop()`; `stop` is called also after a `start` that failed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from gateway.ports.fields import Settings

API_VERSION = 1
"""Goes up when a plugin written for the version before would break."""


class Host(Protocol):
    """What the gateway offers to a plugin."""

    prefix: str
    """Where the gateway's own pages live: `/_paywall`."""

    def key(self, purpose: str) -> bytes:
        """32 bytes derived from the gateway's secret for this plugin and purpose alone."""
        ...

    def now(self) -> int:
        """Milliseconds since the epoch."""
        ...

    def log(self, message: str) -> None:
        """One line for the operator; no secrets, no personal data."""
        ...


class Provider(Protocol):
    """What every provider has in common."""

    async def start(self) -> None:
        """Open what is needed. May raise: the gateway then says so and does not start."""
        ...

    async def stop(self) -> None:
        """Close everything; also called after a failed `start`. Never raises."""
        ...


S = TypeVar("S", bound=Settings)
P = TypeVar("P", bound=Provider, covariant=True)


@dataclass(frozen=True, slots=True)
class Plugin(Generic[S, P]):
    """One plugin: how its settings are read and how it is made."""

    summary: str
    """One sentence for `paywall plugins`."""
    settings: type[S]
    create: Callable[[S, Host], P]
    api_version: int = API_VERSION
