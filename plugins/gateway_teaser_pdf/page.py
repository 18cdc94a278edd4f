"""The first page of a PDF, recognisable and unreadable.

It is rendered so small that a line of body text is thinner than a pixel, and blurred there, so that headings of an
inch are smears too. One word across a whole page would still be told: no picture of a page can help that.
"""

from __future__ import annotations

import io
import threading
from dataclasses import dataclass

import pypdfium2
from PIL import Image, ImageFilter

_RENDERED = (32, 45)
"""Pixels that the page must fit in, the shape of A4."""
_SCALE_LIMIT = 1 / 18
"""Pixels per point. A small page, a label, is not drawn larger: 18 point type stays one pixel high."""
_BLUR = 2.2
_SHOWN_WIDTH = 160
_LOCK_WAIT_S = 2.0
_LOCK = threading.Lock()
"""PDFium is not safe in several threads, whoever calls it: one lock for the whole process."""


class NoDocument(Exception):
    """The bytes are no PDF that can be opened."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What is known of a document."""

    pages: int
    jpeg: bytes
    """Empty when the first page can't be rendered."""


def preview(body: bytes) -> Preview:
    """Number of pages and the first one, blurred. Raises `NoDocument`, also for a document behind a password.

    Raises `TimeoutError` when PDFium is still busy with another document.
    """
    if not _LOCK.acquire(timeout=_LOCK_WAIT_S):
        raise TimeoutError("PDFium is busy with another document")
    try:
        document = pypdfium2.PdfDocument(body)
        try:
            pages = len(document)
            return Preview(pages, _blurred(_render(document)) if pages else b"")
        finally:
            document.close()
    except MemoryError:
        raise
    except Exception as error:
        raise NoDocument(type(error).__name__) from None
    finally:
        _LOCK.release()


def _render(document: pypdfium2.PdfDocument) -> Image.Image | None:
    page = document[0]
    try:
        width, height = page.get_size()
        if not (width > 0 and height > 0):
            return None
        scale = min(_RENDERED[0] / width, _RENDERED[1] / height, _SCALE_LIMIT)
        if min(width, height) * scale < 1:
            return None
        bitmap = page.render(scale=scale, may_draw_forms=False, fill_color=(255, 255, 255, 255))
        try:
            # A copy: the picture shares its memory with the bitmap, which is closed here.
            picture: Image.Image = bitmap.to_pil().convert("RGB").copy()
            return picture
        finally:
            bitmap.close()
    except pypdfium2.PdfiumError:
        return None
    finally:
        page.close()


def _blurred(page: Image.Image | None) -> bytes:
    if page is None:
        return b""
    height = max(1, round(page.height * _SHOWN_WIDTH / page.width))
    shown = page.filter(ImageFilter.GaussianBlur(_BLUR)).resize(
        (_SHOWN_WIDTH, min(height, 4 * _SHOWN_WIDTH)), Image.Resampling.BICUBIC
    )
    target = io.BytesIO()
    shown.save(target, "JPEG", quality=60)
    return target.getvalue()
