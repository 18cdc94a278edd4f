"""Make the teaser of a held result, out of the plugins the config names."""

from __future__ import annotations

import asyncio
import base64
import json
import zlib
from collections.abc import Callable

from gateway.ports.teaser import SAMPLE_BYTES, ResultSample, Teaser, TeaserMaker

WHOLE_BODY_LIMIT = 8 * 2**20
"""Makers that need the whole body are not asked for larger ones."""
TIME_LIMIT_SECONDS = 5.0


class Teasers:
    """The teaser makers of one config, most specific first."""

    def __init__(self, makers: tuple[TeaserMaker, ...], log: Callable[[str], None]) -> None:
        self._makers = makers
        self._log = log

    def wants_whole(self, media_type: str) -> bool:
        """Whether some maker for this media type needs the whole body."""
        return any(maker.whole and _specificity(maker, media_type) for maker in self._makers)

    async def make(self, sample: ResultSample) -> Teaser:
        """The teaser; an empty one when no maker has anything to show. Never raises."""
        suited = [maker for maker in self._makers if _specificity(maker, sample.media_type)]
        for maker in sorted(suited, key=lambda each: -_specificity(each, sample.media_type)):
            if maker.whole and not sample.complete:
                continue
            teaser = await self._try(maker, sample)
            if teaser is not None:
                return teaser
        return Teaser()

    async def _try(self, maker: TeaserMaker, sample: ResultSample) -> Teaser | None:
        try:
            async with asyncio.timeout(TIME_LIMIT_SECONDS):
                teaser = await asyncio.to_thread(maker.make, sample)
            if teaser is not None:
                encode_teaser(teaser)  # what can't be written down is the plugin's fault, too
            return teaser
        except Exception as error:  # a plugin's fault must cost a teaser, never the result
            self._log(f"a teaser for {sample.media_type} could not be made: {type(error).__name__}: {error}")
            return None


def _specificity(maker: TeaserMaker, media_type: str) -> int:
    """How closely a maker fits: 0 not at all, then `*/*`, `image/*`, `*/*+json`, the exact type."""
    best = 0
    family, _, kind = media_type.partition("/")
    for pattern in maker.media_types:
        if pattern == media_type:
            best = max(best, 4)
        elif pattern.startswith("*/*+") and kind.endswith(pattern[3:]):
            best = max(best, 3)
        elif pattern == f"{family}/*":
            best = max(best, 2)
        elif pattern == "*/*":
            best = max(best, 1)
    return best


def undo_coding(coding: str, body: bytes, complete: bool) -> tuple[bytes, bool] | None:
    """The beginning of a body without its content coding, bounded; None where the coding is not understood."""
    if coding in ("", "identity"):
        return body, complete
    if coding not in ("gzip", "x-gzip", "deflate"):
        return None
    decompressor = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    try:
        plain = decompressor.decompress(body, WHOLE_BODY_LIMIT if complete else SAMPLE_BYTES)
    except zlib.error:
        return None
    return plain, complete and decompressor.eof


def encode_teaser(teaser: Teaser) -> bytes:
    """The teaser as JSON, the way it is stored and shown to programs."""
    fields: dict[str, object] = {"facts": teaser.facts} if teaser.facts else {}
    if teaser.lines:
        fields["lines"] = list(teaser.lines)
    if teaser.columns or teaser.rows:
        fields["columns"] = list(teaser.columns)
        fields["rows"] = [list(row) for row in teaser.rows]
    if teaser.image:
        fields["image"] = f"data:{teaser.image_type};base64,{base64.b64encode(teaser.image).decode('ascii')}"
    return json.dumps(fields, ensure_ascii=False).encode("utf-8", "replace")
