"""Pages: whatever they hold and however they are cut, all of it goes on, and the notice stands in it once or not."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Iterator
from random import Random

from gateway.html.coding import BadCoding, GzipPage
from gateway.html.page import Page, Snippet

PAGES = (
    b"<!doctype html><html><head><title>t</title></head><body><p>text</p></body></html>\n<!-- made in 3 ms -->",
    b"<html><body><script>var end = '</body></html>';</script><p>text",
    b"<!-- </body> --><body><textarea></body></textarea></body >",
    b'<meta http-equiv="content-security-policy" content="style-src \'none\'"><body>x</body>',
    b'<base href="https://elsewhere.example/"><p title="</body>">' + b" " * 4100 + b"</body></html>",
)
PAGE_WORDS = (
    b"</body>", b"</BODY\n>", b"</bod", b"</html>", b"</html", b"<!--", b"-->", b"--!>", b"<script>", b"</script>",
    b"<style>", b"<textarea>", b"<title>", b"<p title='", b"'", b'"', b"<", b">", b"/", b"\x00", b"\xff\xfe", b"\r\n",
    b"<base href=//a>", b"<meta http-equiv=refresh content=0>", b"<frameset>", b"<plaintext>", b"<svg>", b"<template>",
    b"<head>", b"<body>", b" " * 4096, b"\xc3\xa9", b"<![CDATA[", b"<?xml version='1.0' encoding='utf-16'?>",
)  # fmt: skip

_SNIPPET = Snippet(b'<aside class="the-notice">styled</aside>', b"<hr><p>plain, the notice</p>")
_HOSTS = frozenset({b"service.example"})


def page_keeps_its_bytes(data: bytes, luck: Random) -> None:
    """All bytes of the page go on as they are, and what is put in does not depend on how the page was cut."""
    styled = luck.random() < 0.5
    whole = _through(_page(styled), [data])
    assert _through(_page(styled), pieces(data, luck)) == whole, "another cut is another page"
    put_in = whole != data
    if put_in:
        assert any(_is_put_into(data, whole, text) for text in (_SNIPPET.styled, _SNIPPET.plain)), whole
    packed = gzip.compress(data, luck.choice((0, 1, 6)), mtime=0)
    if luck.random() < 0.2:  # several members, as some servers send
        packed = gzip.compress(data[: len(data) // 2], mtime=0) + gzip.compress(data[len(data) // 2 :], mtime=0)
    unpacked = gzip.decompress(_through(GzipPage(_page(styled)), pieces(packed, luck)))
    assert unpacked == whole, "in gzip it is another page"
    _survives_rubbish(packed, styled, luck)


def pieces(data: bytes, luck: Random) -> Iterator[bytes]:
    """The data in pieces, some of them very small."""
    while data:
        size = luck.choice((1, 2, 7, 64, 4096, len(data)))
        yield data[:size]
        data = data[size:]


def _survives_rubbish(packed: bytes, styled: bool, luck: Random) -> None:
    spoilt = bytearray(packed)
    spoilt[luck.randrange(len(spoilt))] ^= 1 << luck.randrange(8)
    del spoilt[luck.randrange(len(spoilt) + 1) :]
    try:
        out = _through(GzipPage(_page(styled)), [bytes(spoilt)])
    except BadCoding:
        return
    zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(out)  # what went on can be read


def _page(styled: bool) -> Page:
    return Page(_SNIPPET, _HOSTS, styled)


def _through(page: Page | GzipPage, data: Iterable[bytes]) -> bytes:
    out = [step for piece in data for step in page.take(piece)]
    return b"".join([*out, *page.end()])


def _is_put_into(data: bytes, whole: bytes, text: bytes) -> bool:
    places = range(len(data) + 1)
    return len(whole) == len(data) + len(text) and any(
        whole.startswith(text, place) and whole[:place] == data[:place] and whole[place + len(text) :] == data[place:]
        for place in places
    )
