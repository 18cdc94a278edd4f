"""The first lines of a text, a tenth of it at the most."""

from __future__ import annotations

from gateway.ports.plugin import Plugin
from gateway_teaser_text.maker import TextSettings, TextTeaser

__all__ = ["plugin"]

plugin = Plugin(
    summary="The first lines of a plain or Markdown text, a tenth of it at the most.",
    settings=TextSettings,
    create=TextTeaser,
)
