"""What is shown of a result that is held back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from gateway.ports.plugin import Provider

SAMPLE_BYTES = 256 * 1024
"""A teaser plugin that does not ask for the whole body gets at most this much of its beginning."""


@dataclass(frozen=True, slots=True)
class ResultSample:
    """A held result as a teaser plugin sees it."""

    media_type: str
    """Lower case, without parameters."""
    charset: str
    filename: str
    size: int
    """Bytes of the whole decoded-as-sent body."""
    body: bytes
    """The whole body, or its first `SAMPLE_BYTES` (then `complete` is False). Content codings are already undone."""
    complete: bool


@dataclass(frozen=True, slots=True)
class Teaser:
    """A harmless part of a result. It must not be possible to work back from it to what is sold.

    `facts` are shown as a list ("Rows": "336,776"); `lines` as a block of text; `columns` and `rows` as a table;
    `image` as a picture (a small PNG or JPEG).
    """

    facts: dict[str, str] = field(default_factory=dict)
    lines: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    image: bytes = b""
    image_type: str = ""


class TeaserMaker(Provider, Protocol):
    """Makes the teaser of one family of media types."""

    media_types: tuple[str, ...]
    """What it is for: `text/csv`, `image/*`, `*/*`. The most specific maker is asked first."""
    whole: bool
    """Whether it needs the whole body (a PDF, an image) or is content with the beginning."""

    def make(self, sample: ResultSample) -> Teaser | None:
        """The teaser, or None when this result is not what its media type says; then the next maker is asked.

        Runs in a worker thread under a time limit; must bound its own memory. Whatever it raises is logged, and the
        next maker is asked.
        """
        ...
