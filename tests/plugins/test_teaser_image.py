"""Blurred miniatures: the colours, and nothing that could be worked back."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageDraw, ImageStat

from gateway_teaser_image import plugin
from tests.plugins.deblur import share_read
from tests.plugins.samples import assert_bounded, calmly, maker, sample


def encoded(image: Image.Image, form: str = "PNG", **options: Any) -> bytes:
    target = io.BytesIO()
    image.save(target, form, **options)
    return target.getvalue()


def shown(image: Image.Image, form: str = "PNG", **options: Any) -> Image.Image:
    teaser = maker(plugin).make(sample(encoded(image, form, **options), f"image/{form.lower()}", whole=True))
    assert teaser.image_type == "image/jpeg"
    assert_bounded(teaser)
    return Image.open(io.BytesIO(teaser.image))


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF"])
def test_dimensions_and_colours_are_told(form: str) -> None:
    picture = Image.new("RGB", (1600, 1200), "navy")
    picture.paste("orange", (800, 0, 1600, 1200))
    teaser = maker(plugin).make(sample(encoded(picture, form), f"image/{form.lower()}", whole=True))
    assert teaser.facts == {"Dimensions": "1,600 × 1,200"}
    small = Image.open(io.BytesIO(teaser.image))
    assert small.size == (240, 180)
    left, right = small.getpixel((30, 90)), small.getpixel((210, 90))
    assert isinstance(left, tuple) and isinstance(right, tuple)
    assert left[2] > left[0] and right[0] > right[2]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_every_kind_of_pixel_is_shown(mode: str) -> None:
    assert shown(Image.new(mode, (480, 320))).size == (240, 160)


def test_what_is_transparent_is_white() -> None:
    assert ImageStat.Stat(shown(Image.new("RGBA", (300, 200), (0, 0, 0, 0)))).mean == [255, 255, 255]


def test_a_photo_stands_upright_and_its_metadata_is_gone() -> None:
    photo = Image.new("RGB", (400, 200))
    exif = photo.getexif()
    exif[0x0112], exif[0x010E] = 6, "taken at home"
    small = shown(photo, "JPEG", exif=exif)
    assert small.size == (120, 240)
    assert not small.getexif()


@pytest.mark.parametrize("modules", [21, 28])
def test_a_matrix_code_can_not_be_worked_back(modules: int) -> None:
    """A voucher's QR code that fills the picture, and an attacker who knows all about the blur.

    The best error correction of a QR code mends 30 % of its bytes; three right bits of four leave 90 % wrong.
    """
    assert share_read(modules, shown) < 0.72


def test_a_larger_miniature_would_give_a_matrix_code_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """The known-bad twin: with the same blur, in a miniature of twice the size, the attacker reads it all."""
    monkeypatch.setattr("gateway_teaser_image.picture.MINIATURE", 48)
    assert share_read(21, shown) > 0.9


def test_writing_can_not_be_told_apart() -> None:
    """Two pictures with other words in the same place look the same."""
    pictures = []
    for words in ("The winner is: Alice Brown", "The winner is: Zoe Whitely"):
        picture = Image.new("RGB", (800, 600), "white")
        ImageDraw.Draw(picture).text((60, 250), words, fill="black", font_size=50)
        pictures.append(shown(picture).convert("L"))
    assert ImageChops.difference(*pictures).getextrema()[1] < 60  # type: ignore[operator]
    assert ImageStat.Stat(ImageChops.difference(*pictures)).mean[0] < 2


@pytest.mark.parametrize("size", [(15, 500), (500, 15), (1, 1)])
def test_a_picture_too_small_to_be_reduced_is_not_shown(size: tuple[int, int]) -> None:
    teaser = maker(plugin).make(sample(encoded(Image.new("RGB", size)), "image/png"))
    assert teaser.facts["Dimensions"] == f"{size[0]} × {size[1]}"
    assert teaser.image == b""


def png_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


def test_a_picture_of_too_many_pixels_is_not_opened() -> None:
    teaser = maker(plugin).make(sample(png_header(8000, 8000), "image/png"))
    assert teaser.facts == {"Dimensions": "8,000 × 8,000"}
    assert teaser.image == b""
    assert maker(plugin).make(sample(png_header(60_000, 60_000), "image/png")) is None


GOOD = encoded(Image.effect_noise((100, 100), 50))


@pytest.mark.parametrize("body", [b"", b"nonsense", GOOD[: len(GOOD) // 2], encoded(Image.new("RGB", (50, 50)), "BMP")])
def test_what_is_no_such_picture_is_left_to_others(body: bytes) -> None:
    assert maker(plugin).make(sample(body, "image/png")) is None


def test_the_beginning_of_a_picture_is_not_enough() -> None:
    large = encoded(Image.effect_noise((800, 800), 50))
    assert maker(plugin).make(sample(large, "image/png")) is None


@calmly
@given(st.integers(0, len(GOOD) - 1), st.binary(min_size=1, max_size=20))
def test_no_damage_makes_it_fail(place: int, junk: bytes) -> None:
    assert_bounded(maker(plugin).make(sample(GOOD[:place] + junk + GOOD[place + len(junk) :], "image/png")))
