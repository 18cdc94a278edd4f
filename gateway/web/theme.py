"""An owner's theme as a part of the pages' style sheet."""

from __future__ import annotations

from gateway.core.theme import BLACK, WHITE, Colour, Theme, on

_DEEPER = 0.25
"""How much of black or white an accent takes on under the pointer."""


def theme_style(theme: Theme) -> str:
    """The rules that come after the style sheet; empty without a theme. Paper keeps its own colours."""
    rules = []
    if theme.font:
        rules.append(f"@media screen {{ :root {{ --font: {theme.font}; }} }}")
    for scheme, accent, background in (
        ("light", theme.light.accent, theme.light.background),
        ("dark", theme.dark_accent(), theme.dark.background),
    ):
        properties = _properties(accent, background)
        if properties:
            rules.append(f"@media screen and (prefers-color-scheme: {scheme}) {{ :root {{ {' '.join(properties)} }} }}")
    return "\n".join(rules)


def _properties(accent: Colour | None, background: Colour | None) -> list[str]:
    properties = []
    if accent is not None:
        written = on(accent)
        # Away from what is written on it, so that it can be read better, not worse.
        deep = accent.mixed(BLACK if written == WHITE else WHITE, _DEEPER)
        properties += [f"--accent: {accent};", f"--accent-deep: {deep};", f"--on-accent: {written};"]
    if background is not None:
        properties.append(f"--paper: {background};")
    return properties
