"""Pages of a PDF: how many, and how the first one looks from afar."""

from __future__ import annotations

import io
import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops

from gateway_teaser_pdf import plugin
from tests.plugins.deblur import share_read
from tests.plugins.samples import assert_bounded, calmly, maker, sample

A4 = (595, 842)


def document(content: bytes, pages: int = 1, size: tuple[float, float] = A4) -> bytes:
    """A PDF of the plainest kind."""
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 %f %f]/Contents 4 0 R/Resources<</Font<</F1 3 0 R>>>>>>" % size
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count %d/Kids[%s]>>" % (pages, b" ".join(b"%d 0 R" % (5 + index) for index in range(pages))),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
        *[page] * pages,
    ]
    body, places = b"%PDF-1.4\n", []
    for number, text in enumerate(objects, start=1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, text)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    trailer = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, len(body))
    return body + b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table + trailer


def writing(words: bytes, size: int, place: tuple[int, int] = (60, 500)) -> bytes:
    return b"BT /F1 %d Tf %d %d Td (%s) Tj ET\n" % (size, *place, words)


def body_text(seed: int) -> bytes:
    """A page of words of random digits."""
    chance = random.Random(seed)
    lines = (" ".join(str(chance.randrange(10_000, 99_999)) for _ in range(12)) for _ in range(40))
    return b"BT /F1 12 Tf 16 TL 60 760 Td " + b"".join(b"(%s) ' " % line.encode() for line in lines) + b"ET\n"


def picture(content: bytes, size: tuple[float, float] = A4) -> Image.Image:
    teaser = maker(plugin).make(sample(document(content, size=size), "application/pdf", whole=True))
    assert_bounded(teaser)
    return Image.open(io.BytesIO(teaser.image)).convert("RGB")


def test_pages_are_counted_and_the_first_is_recognisable() -> None:
    teaser = maker(plugin).make(sample(document(b"1 0 0 rg 300 400 200 200 re f", pages=12), "application/pdf"))
    assert teaser.facts == {"Pages": "12"}
    assert teaser.image_type == "image/jpeg"
    page = Image.open(io.BytesIO(teaser.image))
    assert page.width == 160 and 220 <= page.height <= 232
    red, white = page.getpixel((108, 92)), page.getpixel((20, 20))
    assert isinstance(red, tuple) and isinstance(white, tuple)
    assert red[0] > 200 and red[1] < 60 and min(white) > 240


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (body_text(1), body_text(2)),
        (writing(b"Result: 4711", 24), writing(b"Result: 8360", 24)),
        (writing(b"Result: 4711", 48), writing(b"Result: 8360", 48)),
        (writing(b"4711-77", 72), writing(b"8360-28", 72)),
    ],
)
def test_writing_can_not_be_told_apart(one: bytes, other: bytes) -> None:
    """Pages with other figures in the same place look the same: no difference that the eye or JPEG would tell."""
    difference = ImageChops.difference(picture(one).convert("L"), picture(other).convert("L"))
    assert difference.getextrema()[1] < 40  # type: ignore[operator]
    assert picture(one).convert("L").getextrema()[0] < 250, "something is there to be seen"  # type: ignore[operator]


def test_a_small_page_is_not_drawn_larger() -> None:
    label = (120, 80)
    one, other = (picture(writing(words, 12, (20, 40)), label) for words in (b"CODE 4711", b"CODE 8360"))
    assert ImageChops.difference(one.convert("L"), other.convert("L")).getextrema()[1] < 40  # type: ignore[operator]


def test_a_matrix_code_across_the_page_can_not_be_worked_back() -> None:
    def blurred(code: Image.Image) -> Image.Image:
        page = io.BytesIO()
        code.save(page, "PDF")
        teaser = maker(plugin).make(sample(page.getvalue(), "application/pdf", whole=True))
        return Image.open(io.BytesIO(teaser.image))

    assert share_read(21, blurred) < 0.8


@pytest.mark.parametrize("size", [(14_400, 14_400), (14_400, 20), (20, 14_400), (1, 1), (0, 0)])
def test_pages_of_odd_sizes_do_no_harm(size: tuple[float, float]) -> None:
    assert_bounded(maker(plugin).make(sample(document(b"", size=size), "application/pdf")))


GOOD = document(writing(b"Result", 24))


@pytest.mark.parametrize("body", [b"", b"nonsense", b"%PDF-1.7\n%%EOF", b"\0" * 1000])
def test_what_is_no_document_is_left_to_others(body: bytes) -> None:
    assert maker(plugin).make(sample(body, "application/pdf")) is None


def test_the_beginning_of_a_document_is_not_enough() -> None:
    assert maker(plugin).make(sample(GOOD + b" " * 300_000, "application/pdf")) is None


def test_many_threads_make_teasers_at_once() -> None:
    made = maker(plugin)
    with ThreadPoolExecutor(8) as pool:
        teasers = list(pool.map(lambda _: made.make(sample(GOOD, "application/pdf")), range(100)))
    assert {teaser.facts["Pages"] for teaser in teasers} == {"1"}


@calmly
@given(st.integers(0, len(GOOD) - 1), st.binary(min_size=1, max_size=20))
def test_no_damage_makes_it_fail(place: int, junk: bytes) -> None:
    assert_bounded(maker(plugin).make(sample(GOOD[:place] + junk + GOOD[place + len(junk) :], "application/pdf")))
