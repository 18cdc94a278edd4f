"""The hostile variants of one result route, in a fixed order: the same list in every run, no two alike."""

from __future__ import annotations

from collections.abc import Iterator

from . import framing, messages, targets
from .message import TARGET, Variant, printable, request

PLAIN = Variant("plain", request(TARGET))
"""The honest request for the result: what the gate is for."""


def _every_variant() -> Iterator[Variant]:
    yield PLAIN
    for family in targets.FAMILIES:
        for target in family():
            yield Variant(f"{family.__name__} {_short(printable(target))}", request(target))
    for message_family in (*messages.FAMILIES, *framing.FAMILIES):
        yield from message_family()


def _short(text: str) -> str:
    return text if len(text) <= 100 else f"{text[:100]}... ({len(text)})"


def _distinct(variants: Iterator[Variant]) -> tuple[Variant, ...]:
    first_of: dict[bytes, Variant] = {}
    for variant in variants:
        first_of.setdefault(variant.template, variant)
    return tuple(first_of.values())


VARIANTS = _distinct(_every_variant())
