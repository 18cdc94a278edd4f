"""The shape of JSON data and the beginning of its records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import Field

from gateway.core.quantity import format_size
from gateway.ports.fields import Settings
from gateway.ports.plugin import Host
from gateway.ports.teaser import ResultSample, Teaser
from gateway_teaser_json.parse import PARSE_LIMIT, is_line_by_line, parse
from gateway_teaser_json.shape import brief, field_names, find_records

SHARE = 10
"""At most one part in so many is shown, counted in records and in characters."""


class JsonSettings(Settings):
    """How much is shown."""

    records: int = Field(2, ge=0, le=10)


class JsonTeaser:
    """Shows what JSON data is made of; of its records a tenth at the most."""

    media_types = (
        "application/json",
        "*/*+json",
        "application/geo+json",
        "application/hal+json",
        "application/ld+json",
        "application/vnd.api+json",
        "application/x-ndjson",
        "application/ndjson",
        "application/jsonl",
        "application/json-seq",
        "text/json",
    )
    whole = True

    def __init__(self, settings: JsonSettings, host: Host) -> None:
        self._records = settings.records

    async def start(self) -> None:
        """Nothing to open."""

    async def stop(self) -> None:
        """Nothing to close."""

    def make(self, sample: ResultSample) -> Teaser | None:
        """Number of records, field names and first records; of data that is too large to parse only its size."""
        if not sample.complete or len(sample.body) > PARSE_LIMIT:
            return Teaser(_facts_unparsed(sample))
        try:
            value = parse(sample.body, sample.media_type)
        except ValueError:
            return None
        records = find_records(value)
        if records is None:
            names = field_names([value])
            return Teaser({"Fields": ", ".join(names)} if names else {"Size": format_size(sample.size)})
        names = field_names(records)
        allowed = min(self._records, len(records) // SHARE) if names else 0
        rows = _beginning(records[:allowed], names, len(sample.body) // SHARE)
        return Teaser({"Records": f"{len(records):,}"}, columns=names, rows=rows)


def _facts_unparsed(sample: ResultSample) -> dict[str, str]:
    facts = {"Size": format_size(sample.size)}
    if sample.complete and is_line_by_line(sample.media_type):
        lines = sample.body.count(b"\n") + (not sample.body.endswith(b"\n"))
        facts = {"Records": f"{lines:,}", **facts}
    return facts


def _beginning(records: Sequence[object], names: Sequence[str], budget: int) -> tuple[tuple[str, ...], ...]:
    """The records, cut, as far as they stay within `budget` characters."""
    shown: list[tuple[str, ...]] = []
    for record in records:
        if not isinstance(record, Mapping):
            break
        cells = tuple(brief(record[name]) if name in record else "" for name in names)
        budget -= sum(map(len, cells))
        if budget < 0:
            break
        shown.append(cells)
    return tuple(shown)
