"""A page with a snippet in it is the page and the snippet: in every coding, however it was cut, whatever it says."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.html.coding import STEP, BadCoding, GzipPage
from gateway.html.page import Page, Snippet

from .samples import SNIPPET, bytewise, cut, cuts, pages

PLAIN = b"<div>plain</div>"
HOSTS = frozenset({b"app.example", b"app.example:8080"})
PAGE = b"<!doctype html><html><head></head><body><p>text</p>|</body></html>"


def new_page(styled: bool = True) -> Page:
    return Page(Snippet(SNIPPET, PLAIN), HOSTS, styled)


def sent(page: Page | GzipPage, pieces: Iterable[bytes]) -> bytes:
    """Everything that goes to the client."""
    return b"".join([step for piece in pieces for step in page.take(piece)] + list(page.end()))


def changed(page: bytes, styled: bool = True) -> bytes:
    return sent(new_page(styled), [page])


def with_head(head: bytes) -> bytes:
    return PAGE.replace(b"<head>", b"<head>" + head)


def inflated(data: bytes) -> bytes:
    """As browsers do: whatever can be decoded of one member."""
    return zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(data)


@given(pages, cuts, st.integers(0, 9))
def test_a_page_in_gzip_is_changed_as_one_without(page: bytes, places: list[float], level: int) -> None:
    coded = gzip.compress(page, level)
    assert gzip.decompress(sent(GzipPage(new_page()), cut(coded, places))) == changed(page)


@given(pages, pages)
def test_gzip_may_come_in_several_members(one: bytes, other: bytes) -> None:
    coded = gzip.compress(one) + gzip.compress(other)
    assert gzip.decompress(sent(GzipPage(new_page()), bytewise(coded))) == changed(one + other)


@pytest.mark.parametrize("rest", [b"\x00" * 20, b"garbage", b"\x1f\x8b\x00"])
def test_what_stands_behind_gzip_is_read_by_nobody(rest: bytes) -> None:
    assert gzip.decompress(sent(GzipPage(new_page()), [gzip.compress(PAGE) + rest, b"more"])) == changed(PAGE)


def test_gzip_that_breaks_off_is_passed_on_as_far_as_it_came() -> None:
    compressor = zlib.compressobj(6, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    coded = compressor.compress(b"<p>first") + compressor.flush(zlib.Z_SYNC_FLUSH)
    assert inflated(sent(GzipPage(new_page()), [coded])) == b"<p>first" + SNIPPET


@pytest.mark.parametrize("coded", [b"<p>not coded at all", gzip.compress(PAGE, mtime=0)[:-8] + b"\x00" * 8])
def test_what_is_no_gzip_is_noticed(coded: bytes) -> None:
    with pytest.raises(BadCoding):
        sent(GzipPage(new_page()), [coded])


def test_what_has_been_sent_of_a_page_can_be_read_at_once() -> None:
    compressor = zlib.compressobj(6, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    page, decoder = GzipPage(new_page()), zlib.decompressobj(16 + zlib.MAX_WBITS)
    for part in (b"<p>first", b"<p>second", b"<p>third"):
        coded = compressor.compress(part) + compressor.flush(zlib.Z_SYNC_FLUSH)
        assert b"".join(decoder.decompress(step) for step in page.take(coded)) == part


def test_a_bomb_is_taken_apart_in_small_steps() -> None:
    bomb = gzip.compress(b"\x00" * (200 * STEP))
    sizes = [len(step) for step in GzipPage(new_page()).take(bomb)]
    assert len(sizes) > 200  # one for each STEP of zeros
    assert max(sizes) < STEP


@pytest.mark.parametrize("cut_up", [lambda page: [page], bytewise])
@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"", SNIPPET),
        (b'<meta http-equiv="Content-Security-Policy" content="style-src \'none\'">', PLAIN),
        (b"<META HTTP-EQUIV=content-security-policy CONTENT=default-src>", PLAIN),
        (b'<base href="/">', SNIPPET),
        (b'<base href="/app/">', SNIPPET),
        (b'<base target="_blank"><base href="//elsewhere.example/">', b""),
        (b'<base href="https://APP.example/app/">', SNIPPET),
        (b"<base\nhref=//app.example:8080/>", SNIPPET),
        (b'<base href="https://elsewhere.example/">', b""),
        (b"<BASE TARGET=_top HREF='HTTP://elsewhere.example'>", b""),
        (b"<base href=//app.example.evil.example>", b""),
        (b"<base href='\\\\elsewhere.example/'>", b""),
        (b'<base href="https://app.example@elsewhere.example/">', b""),
        (b'<base href="/"><base href="https://elsewhere.example/">', SNIPPET),
        (b'<base data-href="https://elsewhere.example/" href="/">', SNIPPET),
        (b"<base " + b"x" * 3000 + b' href="/">', b""),
        (b"<basefont color=red>", SNIPPET),
        (b"<p>the base href is https://elsewhere.example/", SNIPPET),
    ],
)  # fmt: skip
def test_a_page_that_says_more_of_itself_gets_what_fits(head: bytes, expected: bytes, cut_up: object) -> None:
    assert callable(cut_up)
    page = with_head(head)
    assert sent(new_page(), cut_up(page.replace(b"|", b""))) == page.replace(b"|", expected)


def test_a_page_whose_head_forbids_the_style_sheet_gets_the_plain_one() -> None:
    assert changed(PAGE.replace(b"|", b""), styled=False) == PAGE.replace(b"|", PLAIN)


@pytest.mark.parametrize("page", [b"", "<p>ä</p></body>".encode("utf-16"), b"\xfe\xff\x00<\x00p", b"\xff\xfe\x00\x00<"])
def test_nothing_and_what_is_in_another_alphabet_stay_as_they_are(page: bytes) -> None:
    assert sent(new_page(), bytewise(page)) == changed(page) == page


@pytest.mark.parametrize("charset", ["utf-8-sig", "windows-1251", "shift_jis", "gb18030", "big5", "euc-kr", "koi8-r"])
@given(text=st.text(max_size=20), places=cuts)
def test_text_in_other_alphabets_stays_as_it_is(charset: str, text: str, places: list[float]) -> None:
    page = f"<body>{text}".encode(charset, "ignore") + b"</body>"
    out = sent(new_page(), cut(page, places))
    assert out == page[: -len(b"</body>")] + SNIPPET + b"</body>"
    whole = page.decode(charset, "replace").replace("</body>", SNIPPET.decode() + "</body>")
    assert out.decode(charset, "replace") == whole
