"""Which plugins are installed, and loading those that a config names."""

from __future__ import annotations

import sys
from functools import lru_cache
from importlib.metadata import EntryPoint, EntryPoints, entry_points
from pathlib import Path
from typing import Any

from gateway.core.keyring import Keyring
from gateway.ports.fields import Settings
from gateway.ports.plugin import API_VERSION, Plugin

KINDS = ("identity", "payment", "storage", "teaser")


class PluginError(Exception):
    """A plugin that can't be used. `str()` says which, why, and what to do."""


def installed(kind: str) -> dict[str, EntryPoint]:
    """Every plugin of a kind that is installed, by the name the config uses. Nothing is imported."""
    return {point.name: point for point in _points(kind, _places())}


def _places() -> tuple[tuple[str, int], ...]:
    """Where packages are installed, and when that changed last: every one that comes or goes changes its folder."""
    found = []
    for place in sys.path:
        try:
            found.append((place, Path(place).stat().st_mtime_ns))
        except OSError:
            found.append((place, 0))
    return tuple(found)


@lru_cache(maxsize=len(KINDS))
def _points(kind: str, places: tuple[tuple[str, int], ...]) -> EntryPoints:
    """What all packages there offer of this kind. It takes milliseconds, and one config asks two dozen times."""
    return entry_points(group=f"gateway.{kind}")


def load(kind: str, name: str) -> Plugin[Any, Any]:
    """Import one plugin. Raises `PluginError`."""
    points = installed(kind)
    if name not in points:
        known = ", ".join(sorted(points)) or "none"
        raise PluginError(f"there is no {kind} plugin named {name!r}; installed are: {known}")
    try:
        plugin = points[name].load()
    except Exception as error:  # whatever a plugin's import raises, the message must name the plugin
        raise PluginError(f"the {kind} plugin {name!r} can't be imported: {type(error).__name__}: {error}") from error
    if not isinstance(plugin, Plugin):
        raise PluginError(f"the {kind} plugin {name!r} does not offer a gateway.ports.plugin.Plugin")
    if plugin.api_version != API_VERSION:
        raise PluginError(
            f"the {kind} plugin {name!r} is made for plugin API {plugin.api_version}, this gateway has {API_VERSION}"
        )
    return plugin


def settings_models(kind: str) -> dict[str, type[Settings]]:
    """The settings of every installed plugin of a kind, for checking a config and for its JSON Schema."""
    return {name: load(kind, name).settings for name in sorted(installed(kind))}


class PluginHost:
    """What a plugin gets from the gateway."""

    def __init__(self, kind: str, name: str, keyring: Keyring, prefix: str, now: Any, log: Any) -> None:
        self._kind, self._name, self._keyring = kind, name, keyring
        self._now, self._log = now, log
        self.prefix = prefix

    def key(self, purpose: str) -> bytes:
        """32 bytes for this plugin and purpose alone."""
        return self._keyring.key(f"plugin {self._kind} {self._name}: {purpose}")

    def now(self) -> int:
        """Milliseconds since the epoch."""
        value: int = self._now()
        return value

    def log(self, message: str) -> None:
        """One line for the operator."""
        self._log(f"{self._name}: {message}")
