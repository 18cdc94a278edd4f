"""A picture so small and so blurred that its colours are told and nothing else."""

from __future__ import annotations

from gateway.ports.plugin import Plugin
from gateway_teaser_image.maker import ImageSettings, ImageTeaser

__all__ = ["plugin"]

plugin = Plugin(
    summary="Dimensions and a blurred miniature of a PNG, JPEG, WebP or GIF image (needs the extra `teasers`).",
    settings=ImageSettings,
    create=ImageTeaser,
)
