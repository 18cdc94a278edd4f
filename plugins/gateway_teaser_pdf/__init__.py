"""How many pages a PDF has, and how its first page is laid out, too blurred to be read."""

from __future__ import annotations

from gateway.ports.plugin import Plugin
from gateway_teaser_pdf.maker import PdfSettings, PdfTeaser

__all__ = ["plugin"]

plugin = Plugin(
    summary="Number of pages and a blurred first page of a PDF document (needs the extra `teasers`).",
    settings=PdfSettings,
    create=PdfTeaser,
)
