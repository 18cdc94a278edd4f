"""The beginning of a text."""

from __future__ import annotations

import unicodedata

from pydantic import Field

from gateway.core.decode import decode
from gateway.ports.fields import Settings
from gateway.ports.plugin import Host
from gateway.ports.teaser import ResultSample, Teaser

LINE_LENGTH = 120
SHARE = 10
"""At most one part in so many is shown, counted in characters."""
_LEAST = 16
"""Fewer characters than this say nothing worth showing."""
_READ_LIMIT = 1024 * 1024


class TextSettings(Settings):
    """How much is shown."""

    lines: int = Field(5, ge=1, le=20)


class TextTeaser:
    """Shows how a text begins, never more than a tenth of it."""

    media_types = (
        "text/plain",
        "text/markdown",
        "text/x-markdown",
        "text/x-rst",
        "text/x-log",
        "text/vtt",
        "text/yaml",
        "application/yaml",
        "application/toml",
        "application/x-subrip",
    )
    whole = False

    def __init__(self, settings: TextSettings, host: Host) -> None:
        self._lines = settings.lines

    async def start(self) -> None:
        """Nothing to open."""

    async def stop(self) -> None:
        """Nothing to close."""

    def make(self, sample: ResultSample) -> Teaser | None:
        """The first lines, and how many there are when the whole text is here."""
        complete = sample.complete and len(sample.body) <= _READ_LIMIT
        text = decode(sample.body[:_READ_LIMIT], sample.charset, complete)
        if text is None:
            return None
        facts = {"Lines": f"{len(text.splitlines()):,}"} if complete else {}
        return Teaser(facts, lines=self._beginning(text))

    def _beginning(self, text: str) -> tuple[str, ...]:
        shown: list[str] = []
        budget = len(text) // SHARE
        for line in text.splitlines()[: self._lines]:
            if budget < _LEAST:
                break
            cut = _cut(line, min(LINE_LENGTH, budget))
            budget -= len(cut) + 1
            shown.append(cut)
        return tuple(shown)


def _cut(line: str, limit: int) -> str:
    plain = "".join(" " if unicodedata.category(character)[0] == "C" else character for character in line[: limit + 1])
    return plain.rstrip() if len(plain) <= limit else plain[: limit - 1].rstrip() + "…"
