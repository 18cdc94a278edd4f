"""The dice of the generator, and the small words that requests and answers are both made of."""

from __future__ import annotations

import random
import zlib
from collections.abc import Sequence
from typing import TypeVar

from .message import Header

T = TypeVar("T")

_LOWER = b"abcdefghijklmnopqrstuvwxyz"
_WORD = _LOWER + _LOWER.upper() + b"0123456789"
ODD_IN_NAMES = b"!#$%&'*+.^`|~"
"""What a token may have (RFC 9110 section 5.6.2) besides letters, digits, hyphens and the underscore: passed on from
the application, and refused from clients."""
_VISIBLE = bytes(range(0x21, 0x7F))
_OBS_TEXT = bytes(range(0x80, 0x100))


class Dice:
    """One exchange's own luck: the same seed and number give the same exchange, whatever was thrown before."""

    def __init__(self, seed: int, number: int) -> None:
        self._random = random.Random(f"{seed}/{number}")
        self.number = number

    def chance(self, share: float) -> bool:
        """True in this share of all cases."""
        return self._random.random() < share

    def every(self, count: int, offset: int) -> bool:
        """True for every `count`-th exchange: what is rare must come in a short run too."""
        return self.number % count == offset

    def pick(self, choices: Sequence[T]) -> T:
        """One of these."""
        return self._random.choice(choices)

    def weighted(self, choices: dict[T, int]) -> T:
        """One of these, by its weight."""
        return self._random.choices(tuple(choices), tuple(choices.values()))[0]

    def several(self, choices: Sequence[T], most: int) -> list[T]:
        """None or a few of these, some of them more than once."""
        return [self.pick(choices) for _ in range(self._random.randint(0, most))]

    def between(self, least: int, most: int) -> int:
        """A number from `least` to `most`."""
        return self._random.randint(least, most)

    def shuffled(self, pairs: list[Header]) -> tuple[Header, ...]:
        """The same headers in another order."""
        self._random.shuffle(pairs)
        return tuple(pairs)

    def word(self, least: int = 1, most: int = 12) -> bytes:
        """Letters and digits."""
        return bytes(self._random.choices(_WORD, k=self.between(least, most)))

    def binary(self, size: int) -> bytes:
        """Bytes without any order."""
        return self._random.randbytes(size)

    def name(self, odd: bytes = b"") -> bytes:
        """A header name of its own, with these characters, too."""
        middle = bytes(self._random.choices(_WORD + b"-" + odd, k=self.between(0, 8)))
        return b"X-" + middle + self.word(2, 4)

    def cased(self, name: bytes) -> bytes:
        """The same name in any case."""
        return self.pick((name, name.lower(), name.upper(), name.title()))

    def value(self) -> bytes:
        """A header's value: empty, a word, a sentence, or what is rarely seen in one but legal."""
        match self.between(0, 9):
            case 0:
                return b""
            case 1 | 2:
                inner = bytes(self._random.choices(_VISIBLE + b" \t", k=self.between(1, 60)))
                return b"!" + inner + b"!"
            case 3:
                return bytes(self._random.choices(_OBS_TEXT + b" ~", k=self.between(1, 40))).strip() or b"\xff"
            case 4:
                return b'"%b, %b"; q=0.5, %b' % (self.word(), self.word(), self.word())
            case _:
                return b" ".join(self.word() for _ in range(self.between(1, 6)))

    def cookie(self) -> bytes:
        """One cookie, some of them without a value or with odd characters in it."""
        value = self.pick(
            (self.word(), b"", b'"%b"' % self.word(), b"%b=%b==" % (self.word(), self.word()), b"a%20b/+")
        )
        return self.word() + b"=" + value

    def size(self) -> int:
        """Bytes of a body: mostly few, some 100 KB, rarely 1 MiB."""
        if self.every(211, 5):
            return 1 << 20
        if self.every(23, 7):
            return self.between(60_000, 130_000)
        return self.pick(
            (0, 1, 2, 10, self.between(3, 300), self.between(300, 4000), 8192, 16_384, self.between(1, 40_000))
        )

    def body(self, size: int) -> bytes:
        """A body of about this size: binary, lines, line ends alone, or compressed."""
        match self.between(0, 5):
            case 0:
                return (b"\r\n" * size)[:size]
            case 1:
                return (b"0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n" * (size // 20 + 1))[:size]
            case 2:
                return zlib.compress(self.binary(size))
            case _:
                return self.binary(size)
