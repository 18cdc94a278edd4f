"""Large held results in a directory of this machine, or one that every gateway has mounted."""

from __future__ import annotations

from gateway.ports.plugin import Plugin
from gateway_storage_directory.provider import DirectorySettings, DirectoryStorage

__all__ = ["plugin"]

plugin = Plugin(
    summary="Large held results as files in a directory.",
    settings=DirectorySettings,
    create=DirectoryStorage,
)
