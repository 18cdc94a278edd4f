"""How the gateway's pages look: colours, the font and the logo, and whether all of it can be read.

Contrast is that of WCAG 2.2: relative luminance (section "Definitions") and criterion 1.4.3.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

ENOUGH = 4.5
"""The contrast that text needs (WCAG 2.2, 1.4.3, level AA)."""
_FORM = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
_STEPS = 20


@dataclass(frozen=True, slots=True)
class Colour:
    """A colour of sRGB, each part from 0 to 255."""

    red: int
    green: int
    blue: int

    @classmethod
    def parse(cls, text: str) -> Colour:
        """Read `#0b5d5e` or `#fff`. Raises `ValueError` for anything else."""
        if _FORM.fullmatch(text) is None:
            raise ValueError(f"{text!r} is no colour: write it like '#0b5d5e'")
        digits = text[1:] if len(text) == 7 else "".join(digit * 2 for digit in text[1:])
        return cls(*bytes.fromhex(digits))

    def __str__(self) -> str:
        return f"#{self.red:02x}{self.green:02x}{self.blue:02x}"

    def luminance(self) -> float:
        """From 0 for black to 1 for white."""
        linear = [
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
            for part in (self.red / 255, self.green / 255, self.blue / 255)
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    def contrast(self, other: Colour) -> float:
        """From 1 for two that are alike to 21 for black and white."""
        darker, lighter = sorted((self.luminance(), other.luminance()))
        return (lighter + 0.05) / (darker + 0.05)

    def mixed(self, other: Colour, share: float) -> Colour:
        """This colour with a share of another one in it."""
        pairs = ((self.red, other.red), (self.green, other.green), (self.blue, other.blue))
        return Colour(*(round(mine + (theirs - mine) * share) for mine, theirs in pairs))


BLACK, WHITE = Colour(0, 0, 0), Colour(255, 255, 255)


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of a page, as its style sheet has them."""

    background: Colour
    card: Colour
    ink: Colour
    quiet: Colour


LIGHT = Palette(Colour.parse("#f5f4f0"), WHITE, Colour.parse("#1c2024"), Colour.parse("#545c64"))
DARK = Palette(Colour.parse("#121517"), Colour.parse("#1b1f22"), Colour.parse("#e9ecee"), Colour.parse("#a8b0b7"))


@dataclass(frozen=True, slots=True)
class Shades:
    """What an owner chose for light or for dark; None where nothing."""

    accent: Colour | None = None
    """Links and buttons."""
    background: Colour | None = None
    logo: str = ""
    """A path of the application or a `data:` address."""


@dataclass(frozen=True, slots=True)
class Theme:
    """How an owner wants the pages to look."""

    light: Shades = Shades()
    dark: Shades = Shades()
    font: str = ""
    """A CSS font stack; nothing is loaded for it."""

    def dark_accent(self) -> Colour | None:
        """The accent in the dark: the one chosen for it, or that for the light, made as light as it has to be."""
        if self.dark.accent is not None or self.light.accent is None:
            return self.dark.accent
        accent = self.light.accent
        behind = (DARK.card, self.dark.background or DARK.background)
        for step in range(_STEPS + 1):
            lighter = accent.mixed(WHITE, step / _STEPS)
            if all(lighter.contrast(each) >= ENOUGH for each in behind):
                return lighter
        return WHITE


def on(accent: Colour) -> Colour:
    """The colour of what is written on an accent: black or white, of which one can always be read."""
    return max((BLACK, WHITE), key=accent.contrast)


def weak_contrasts(theme: Theme) -> Iterator[tuple[tuple[str, ...], str]]:
    """What could not be read well: the key of the colour at fault, and what is wrong with it."""
    for where, shades, palette in (((), theme.light, LIGHT), (("dark",), theme.dark, DARK)):
        background = shades.background or palette.background
        if shades.background is not None:
            for what, colour in (("text", palette.ink), ("hints", palette.quiet)):
                yield from _weak((*where, "background"), what, colour, background)
        if shades.accent is not None:
            yield from _weak((*where, "accent"), "links on a card", shades.accent, palette.card)
            yield from _weak((*where, "accent"), "links on the background", shades.accent, background)


def _weak(key: tuple[str, ...], what: str, colour: Colour, behind: Colour) -> Iterator[tuple[tuple[str, ...], str]]:
    contrast = colour.contrast(behind)
    if contrast < ENOUGH:
        # Rounded down: 4.49 is not enough, and must not read as if it were.
        told = int(contrast * 100) / 100
        yield (
            key,
            f"{what} would have a contrast of {told}:1, {colour} on {behind}: {ENOUGH}:1 is needed to be read by all",
        )
