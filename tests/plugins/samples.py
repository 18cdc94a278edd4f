"""Held results for tests of teasers."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, settings

from gateway.ports.plugin import Plugin
from gateway.ports.teaser import SAMPLE_BYTES, ResultSample, Teaser
from tests.plugins.host import FakeHost

calmly = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""For properties: what they say holds on a slow machine too."""


def sample(body: bytes, media_type: str, charset: str = "", filename: str = "", whole: bool = False) -> ResultSample:
    """A result as the gateway shows it: whole, or its beginning."""
    complete = whole or len(body) <= SAMPLE_BYTES
    shown = body if complete else body[:SAMPLE_BYTES]
    return ResultSample(media_type, charset, filename, len(body), shown, complete)


def maker(plugin: Plugin[Any, Any], **settings: object) -> Any:
    return plugin.create(plugin.settings.model_validate(settings), FakeHost())


def text_of(teaser: Teaser) -> str:
    """Everything that a teaser shows in letters."""
    parts = [*teaser.facts, *teaser.facts.values(), *teaser.lines, *teaser.columns]
    return "\n".join([*parts, *(cell for row in teaser.rows for cell in row)])


def assert_bounded(teaser: Teaser | None) -> None:
    """However hostile the result, what is shown of it stays small."""
    if teaser is not None:
        assert len(text_of(teaser)) < 10_000
        assert len(teaser.image) < 50_000
        assert all(
            character.isprintable() or character in "\n\u00a0" for character in text_of(teaser).replace("\t", " ")
        )
