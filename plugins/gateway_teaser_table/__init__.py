"""The column names and the first rows of a table in text form, a tenth of it at the most."""

from __future__ import annotations

from gateway.ports.plugin import Plugin
from gateway_teaser_table.maker import TableSettings, TableTeaser

__all__ = ["plugin"]

plugin = Plugin(
    summary="Column names, first rows and number of rows of a CSV or tab-separated table.",
    settings=TableSettings,
    create=TableTeaser,
)
