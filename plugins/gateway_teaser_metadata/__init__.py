"""What can be said of any result without opening it: its name, its type and its size; of an archive also some names."""

from __future__ import annotations

from gateway.ports.plugin import Plugin
from gateway_teaser_metadata.maker import MetadataSettings, MetadataTeaser

__all__ = ["plugin"]

plugin = Plugin(
    summary="Name, type and size of any result; the first names in a zip archive.",
    settings=MetadataSettings,
    create=MetadataTeaser,
)
