"""The section `offer.theme`: how the gateway's pages look."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Annotated

from pydantic import AfterValidator, Field

from gateway.core.theme import Colour, Shades
from gateway.core.theme import Theme as CoreTheme
from gateway.ports.fields import Settings
from gateway.settings.written import Written, written

LOGO_BYTES = 16 * 1024
"""A page with its logo is to arrive in one piece."""
_FONT = re.compile(r"""[A-Za-z0-9 ,_-]*(?:"[A-Za-z0-9 _-]+"[A-Za-z0-9 ,_-]*|'[A-Za-z0-9 _-]+'[A-Za-z0-9 ,_-]*)*""")
_PATH = re.compile(r"/(?!/)[^\s<>\"'\\]*")
_DATA = re.compile(r"data:image/(?:png|jpeg|webp|svg\+xml);base64,([A-Za-z0-9+/=]+)")

ColourField = Annotated[Colour, Written(Colour.parse, "'#0b5d5e'", r"^#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$")]
"""A colour, written `#0b5d5e`."""


def _check_font(text: str) -> str:
    if _FONT.fullmatch(text) is None:
        raise ValueError(f"{text!r} is no font stack: write names with commas between them, like 'Inter, sans-serif'")
    return text


def _check_logo(text: str) -> str:
    data = _DATA.fullmatch(text)
    if data is None:
        if text.startswith("data:") or _PATH.fullmatch(text) is None:
            raise ValueError(
                "is no logo: write a path of the application that begins with '/', or data:image/png;base64,… "
                "(png, jpeg, webp or svg+xml)"
            )
        return text
    try:
        size = len(base64.b64decode(data[1], validate=True))
    except binascii.Error:
        raise ValueError("is no logo: what follows `base64,` is not base64") from None
    if size > LOGO_BYTES:
        raise ValueError(f"has {size} bytes: {LOGO_BYTES} are allowed in a page; name a path for a larger one")
    return text


LogoField = Annotated[str, AfterValidator(_check_logo)]


class DarkTheme(Settings):
    """What is different where people like it dark."""

    accent: ColourField | None = Field(
        default=None,
        description="Colour of links and buttons in the dark. A lighter one of `accent` when left out.",
        examples=["#7fd1cb"],
    )
    background: ColourField | None = Field(
        default=None,
        description="Colour of the page in the dark.",
        examples=["#101418"],
    )
    logo: LogoField | None = Field(
        default=None,
        description="The logo in the dark; the other one when left out.",
        examples=["/static/logo-dark.svg"],
    )


class Theme(Settings):
    """How the gateway's pages look."""

    accent: ColourField | None = Field(
        default=None,
        description="Colour of links and buttons.",
        examples=["#8a1c5c"],
    )
    background: ColourField | None = Field(
        default=None,
        description="Colour of the page.",
        examples=["#fafafa"],
    )
    font: Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_check_font)] | None = Field(
        default=None,
        description="Fonts in order, of those that people have: none is loaded.",
        examples=["Georgia, serif"],
    )
    logo: LogoField | None = Field(
        default=None,
        description="In place of the service's name at the top: a path of the application, or a `data:` address of "
        "at most 16 KiB.",
        examples=["/static/logo.svg"],
    )
    dark: DarkTheme = Field(
        default=written({}),
        description="What is different where people like it dark.",
        examples=[{"background": "#101418"}],
    )


def theme_of(theme: Theme) -> CoreTheme:
    """The theme, in the words of the core."""
    dark = theme.dark
    return CoreTheme(
        Shades(theme.accent, theme.background, theme.logo or ""),
        Shades(dark.accent, dark.background, dark.logo or ""),
        theme.font or "",
    )
