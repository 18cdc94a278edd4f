"""The first lines of a text, and never the text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ports.teaser import Teaser
from gateway_teaser_text import plugin
from tests.plugins.samples import assert_bounded, calmly, maker, sample, text_of

LINES = [f"{number}. Something worth paying for" for number in range(1, 101)]
TEXT = "\n".join(LINES)


def shown(text: str | bytes, charset: str = "utf-8", **settings: object) -> Teaser:
    body = text.encode(charset) if isinstance(text, str) else text
    teaser: Teaser = maker(plugin, **settings).make(sample(body, "text/plain", charset))
    return teaser


def test_the_first_lines_are_shown_and_all_are_counted() -> None:
    assert shown(TEXT) == Teaser({"Lines": "100"}, lines=tuple(LINES[:5]))
    assert shown(TEXT, lines=2).lines == tuple(LINES[:2])


def test_long_lines_are_cut() -> None:
    lines = shown("a" * 100_000).lines
    assert lines == ("a" * 119 + "…",)


def test_a_text_that_is_not_all_here_is_not_counted() -> None:
    teaser = shown(TEXT * 1000)
    assert teaser.facts == {}
    assert teaser.lines == tuple(LINES[:5])


@pytest.mark.parametrize("text", ["licence key: 4F9A-77B1-0C2D-A91E", "x" * 159, ""])
def test_of_a_short_text_nothing_is_shown(text: str) -> None:
    assert shown(text).lines == ()


@calmly
@given(st.text(max_size=3000))
def test_never_more_than_a_tenth_is_shown(text: str) -> None:
    teaser = maker(plugin).make(sample(text.encode("utf-8", "replace"), "text/plain", "utf-8"))
    assert teaser is None or sum(map(len, teaser.lines)) * 10 <= len(text)


@pytest.mark.parametrize(
    ("charset", "said"),
    [
        ("utf-8", "utf-8"),
        ("utf-8", ""),
        ("utf-8-sig", ""),
        ("cp1251", "windows-1251"),
        ("koi8-r", "KOI8-R"),
        ("utf-16", "utf-16"),
        ("utf-16", "utf-8"),
        ("utf-32", ""),
        ("utf-16-le", "utf-16le"),
        ("iso8859-5", "iso-8859-5"),
    ],
)
def test_a_text_is_read_in_its_charset(charset: str, said: str) -> None:
    line = "Отчёт о продажах за третий квартал"
    teaser = maker(plugin).make(sample("\n".join([line] * 50).encode(charset), "text/plain", said))
    assert teaser.lines[0] == line


@pytest.mark.parametrize(
    "charset", ["idna", "punycode", "unicode_escape", "zip", "rot13", "nonsense", "a\0b", "utf-7", "hex"]
)
def test_a_charset_that_is_none_is_not_asked_to_decode(charset: str) -> None:
    assert maker(plugin).make(sample(TEXT.encode(), "text/plain", charset)).lines == tuple(LINES[:5])


def test_a_character_cut_off_by_the_sample_does_no_harm() -> None:
    assert shown("ж" * 140_000 + "x" * 10).lines == ("ж" * 119 + "…",)
    assert shown("a" + "ж" * 140_000).lines[0].startswith("aж")


@pytest.mark.parametrize("body", [bytes(range(256)) * 20, b"\0" * 5000, b"%PDF-1.7\n" + b"\x90\x01\x02" * 500])
def test_what_is_no_text_is_left_to_others(body: bytes) -> None:
    assert maker(plugin).make(sample(body, "text/plain")) is None


def test_control_characters_are_not_shown() -> None:
    assert "\x1b" not in text_of(shown("\x1b[31mred" + TEXT * 10))


@calmly
@given(st.binary(max_size=2000), st.sampled_from(["", "utf-8", "utf-16", "cp1251", "shift_jis", "iso-2022-jp", "x"]))
def test_no_bytes_make_it_fail(body: bytes, charset: str) -> None:
    assert_bounded(maker(plugin, lines=20).make(sample(body, "text/plain", charset)))
