"""Miniatures from which the original can't be worked back.

Detail is thrown away before anything is blurred: a blur alone can be undone, as can a miniature of 48 pixels that is
blurred afterwards. First down to `MINIATURE` pixels and to an eighth of the original, then blurred there, which leaves
about a dozen independent spots a side; the up-scaling adds nothing.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

from PIL import Image, ImageFilter, ImageOps

PIXEL_LIMIT = 40_000_000
MINIATURE = 24
"""Pixels of the longer side."""
_REDUCTION = 8
_BLUR = 2.0
"""Pixels of the miniature."""
_SHOWN = 240
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF")


class NoPicture(Exception):
    """The bytes are no image of a kind that is shown."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What is known of an image."""

    width: int
    height: int
    jpeg: bytes
    """Empty when the image is too large to open or too small to be reduced."""


def preview(body: bytes) -> Preview:
    """The dimensions and the blurred miniature of an image; of an animation, of its first frame. Raises `NoPicture`."""
    try:
        with Image.open(io.BytesIO(body), formats=_FORMATS) as image:
            width, height = image.size
            if width * height > PIXEL_LIMIT or min(width, height) < 2 * _REDUCTION:
                return Preview(width, height, b"")
            return Preview(width, height, _jpeg(_miniature(image)))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise NoPicture("too large") from None
    except MemoryError:
        raise
    except Exception as error:  # a decoder on hostile bytes raises whatever it likes
        raise NoPicture(type(error).__name__) from None


def _miniature(image: Image.Image) -> Image.Image:
    scale = min(MINIATURE / max(image.size), 1 / _REDUCTION)
    small = (max(1, int(image.width * scale)), max(1, int(image.height * scale)))
    image.draft("RGB", (4 * small[0], 4 * small[1]))  # a JPEG is not even decoded in full
    source: Image.Image = image
    if image.mode in ("P", "PA", "1"):
        # Palettes can't be averaged. Picking pixels first keeps the conversion from taking four bytes for every pixel.
        source = image.resize((8 * small[0], 8 * small[1]), Image.Resampling.NEAREST).convert("RGBA")
    reduced = source.resize(small, Image.Resampling.BOX).convert("RGBA")
    paper = Image.new("RGBA", small, "white")
    paper.alpha_composite(reduced)
    upright = ImageOps.exif_transpose(_with_orientation(paper, image))
    return upright.convert("RGB").filter(ImageFilter.GaussianBlur(_BLUR))


def _with_orientation(small: Image.Image, original: Image.Image) -> Image.Image:
    orientation = original.getexif().get(0x0112)
    if orientation:
        small.getexif()[0x0112] = orientation
    return small


def _jpeg(miniature: Image.Image) -> bytes:
    scale = _SHOWN / max(miniature.size)
    shown = (max(1, round(miniature.width * scale)), max(1, round(miniature.height * scale)))
    target = io.BytesIO()
    miniature.resize(shown, Image.Resampling.BICUBIC).save(target, "JPEG", quality=60)
    return target.getvalue()
