"""Facts about any result."""

from __future__ import annotations

import unicodedata

from pydantic import Field

from gateway.core.quantity import format_size
from gateway.ports.fields import Settings
from gateway.ports.plugin import Host
from gateway.ports.teaser import ResultSample, Teaser
from gateway_teaser_metadata.archive import member_names
from gateway_teaser_metadata.words import type_in_words

_NAME_LENGTH = 120
_MEMBER_LENGTH = 80


class MetadataSettings(Settings):
    """How much is told."""

    members: int = Field(5, ge=0, le=20)
    """How many files of a small zip archive are named."""


class MetadataTeaser:
    """Facts that hold for every media type; the maker of last resort."""

    media_types = ("*/*",)
    whole = False

    def __init__(self, settings: MetadataSettings, host: Host) -> None:
        self._members = settings.members

    async def start(self) -> None:
        """Nothing to open."""

    async def stop(self) -> None:
        """Nothing to close."""

    def make(self, sample: ResultSample) -> Teaser:
        """Name, type and size, and what a small zip archive holds."""
        facts = {"Type": type_in_words(sample.media_type), "Size": format_size(sample.size)}
        name = _display(sample.filename, _NAME_LENGTH)
        if name:
            facts = {"Name": name, **facts}
        if sample.media_type == "application/zip" and sample.complete and self._members:
            names = member_names(sample.body)
            if names is not None:
                facts["Files"] = f"{len(names):,}"
                return Teaser(facts, lines=tuple(_display(name, _MEMBER_LENGTH) for name in names[: self._members]))
        return Teaser(facts)


def _display(name: str, limit: int) -> str:
    """A file name fit to be shown: no folder, no control or direction characters, not too long."""
    plain = name.replace("\\", "/").rsplit("/", 1)[-1][: 4 * limit]
    plain = "".join(character for character in plain if unicodedata.category(character)[0] != "C").strip()
    return plain if len(plain) <= limit else plain[: limit - 1] + "…"
