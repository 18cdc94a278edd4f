"""Colours as WCAG measures them, and themes that nobody could read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.theme import BLACK, DARK, ENOUGH, LIGHT, WHITE, Colour, Shades, Theme, on, weak_contrasts

colours = st.builds(Colour, *[st.integers(0, 255)] * 3)


@pytest.mark.parametrize(
    ("one", "other", "contrast"),
    [("#000", "#fff", 21.0), ("#fff", "#fff", 1.0), ("#777", "#fff", 4.478), ("#767676", "#fff", 4.542),
     ("#0000ff", "#ffffff", 8.592)],
)  # fmt: skip
def test_contrast_is_that_of_wcag(one: str, other: str, contrast: float) -> None:
    assert Colour.parse(one).contrast(Colour.parse(other)) == pytest.approx(contrast, abs=0.001)


@pytest.mark.parametrize("bad", ["", "red", "#12", "#1234", "#12345g", "0b5d5e", "#0b5d5e ", "#fff;}"])
def test_what_is_no_colour(bad: str) -> None:
    with pytest.raises(ValueError, match="is no colour"):
        Colour.parse(bad)


@given(colours)
def test_a_colour_is_read_as_it_is_written(colour: Colour) -> None:
    assert Colour.parse(str(colour)) == colour


@given(colours)
def test_what_is_written_on_an_accent_can_be_read(accent: Colour) -> None:
    written = on(accent)
    assert accent.contrast(written) >= ENOUGH
    under_the_pointer = accent.mixed(BLACK if written == WHITE else WHITE, 0.25)
    assert under_the_pointer.contrast(written) >= accent.contrast(written) - 0.01


@given(colours)
def test_an_accent_for_the_light_can_be_read_in_the_dark(accent: Colour) -> None:
    dark = Theme(Shades(accent)).dark_accent()
    assert dark is not None
    assert min(dark.contrast(DARK.card), dark.contrast(DARK.background)) >= ENOUGH


def test_what_is_chosen_for_the_dark_is_taken_as_it_is() -> None:
    chosen = Colour.parse("#123456")
    assert Theme(Shades(WHITE), Shades(chosen)).dark_accent() == chosen
    assert Theme().dark_accent() is None


def test_no_theme_is_complained_of_that_changes_nothing() -> None:
    assert not list(weak_contrasts(Theme()))
    assert not list(weak_contrasts(Theme(Shades(Colour.parse("#0b5d5e"), LIGHT.background))))


@pytest.mark.parametrize(
    ("theme", "keys"),
    [
        (Theme(Shades(Colour.parse("#ff9900"))), [("accent",), ("accent",)]),
        (Theme(Shades(background=Colour.parse("#333"))), [("background",), ("background",)]),
        (Theme(dark=Shades(Colour.parse("#004"))), [("dark", "accent"), ("dark", "accent")]),
        (Theme(dark=Shades(background=WHITE)), [("dark", "background"), ("dark", "background")]),
        (Theme(Shades(Colour.parse("#767676"), Colour.parse("#e0e0e0"))), [("accent",)]),
    ],
)
def test_what_could_not_be_read_is_named(theme: Theme, keys: list[tuple[str, ...]]) -> None:
    assert [key for key, _ in weak_contrasts(theme)] == keys


def test_a_complaint_says_how_much_is_lacking() -> None:
    [(_, card), _] = weak_contrasts(Theme(Shades(Colour.parse("#777777"))))
    assert card == (
        "links on a card would have a contrast of 4.47:1, #777777 on #ffffff: 4.5:1 is needed to be read by all"
    )
