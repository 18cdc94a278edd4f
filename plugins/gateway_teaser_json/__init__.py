"""The shape of JSON data: how many records, which fields, and the beginning of the first few."""

from __future__ import annotations

from gateway.ports.plugin import Plugin
from gateway_teaser_json.maker import JsonSettings, JsonTeaser

__all__ = ["plugin"]

plugin = Plugin(
    summary="Number of records, field names and the first records of JSON data.",
    settings=JsonSettings,
    create=JsonTeaser,
)
