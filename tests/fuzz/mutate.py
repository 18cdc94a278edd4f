"""Bytes that look right until they don't: seeds, cut and joined and sprinkled with what parsers stumble over."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

_CHANGES_MOST = 6
_LENGTH_MOST = 200_000


def mutated(luck: Random, seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    """One of the seeds, changed in a few places; `words` mean something to whoever reads it."""
    data = luck.choice(seeds)
    for _ in range(luck.randint(1, _CHANGES_MOST)):
        data = luck.choice(_CHANGES)(luck, data, seeds, words)[:_LENGTH_MOST]
    return data


def _flip(luck: Random, data: bytes, seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    if not data:
        return bytes([luck.randrange(256)])
    place = luck.randrange(len(data))
    return data[:place] + bytes([data[place] ^ (1 << luck.randrange(8))]) + data[place + 1 :]


def _cut(luck: Random, data: bytes, seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    begin, end = sorted((luck.randint(0, len(data)), luck.randint(0, len(data))))
    return data[:begin] + data[end:]


def _repeat(luck: Random, data: bytes, seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    begin, end = sorted((luck.randint(0, len(data)), luck.randint(0, len(data))))
    return data[:end] + data[begin:end] * luck.choice((1, 1, 1, 2, 50)) + data[end:]


def _say(luck: Random, data: bytes, seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    place = luck.randint(0, len(data))
    return data[:place] + luck.choice(words) + data[place:]


def _join(luck: Random, data: bytes, seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    other = luck.choice(seeds)
    return data[: luck.randint(0, len(data))] + other[luck.randint(0, len(other)) :]


def _swap(luck: Random, data: bytes, seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    word = luck.choice(words)
    return data.replace(luck.choice(words), word, luck.choice((1, -1)))


_CHANGES = (_flip, _flip, _cut, _repeat, _say, _say, _join, _swap)
