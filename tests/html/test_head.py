"""Which answers may be changed, and what their heads say afterwards."""

from __future__ import annotations

import pytest

from gateway.core.header import Headers
from gateway.html.head import changed_head, coding_of, coding_to_ask_for, forbids_change, is_changeable

HTML = (b"content-type", b"text/html; charset=utf-8")

CHANGEABLE: dict[str, Headers] = {
    "a page": [HTML],
    "of an unnamed character set": [(b"content-type", b"text/html")],
    "of an empty character set": [(b"content-type", b"text/html; charset=")],
    "spelt otherwise": [(b"content-type", b'Text/HTML;Charset="UTF-8" ; x=y')],
    "in Cyrillic": [(b"content-type", b"text/html; charset=windows-1251")],
    "in Shift JIS": [(b"content-type", b"text/html; charset=Shift_JIS")],
    "in gzip": [HTML, (b"content-encoding", b"GZIP")],
    "in its old name": [HTML, (b"content-encoding", b"x-gzip")],
    "in no coding": [HTML, (b"content-encoding", b"identity")],
    "private": [HTML, (b"cache-control", b"private, max-age=60")],
    "with a policy": [HTML, (b"content-security-policy", b"default-src 'none'; sandbox")],
}
UNCHANGEABLE: dict[str, Headers] = {
    "no type": [],
    "two types": [HTML, HTML],
    "text": [(b"content-type", b"text/plain")],
    "XHTML": [(b"content-type", b"application/xhtml+xml")],
    "a part of a page": [(b"content-type", b"text/vnd.turbo-stream.html")],
    "JSON": [(b"content-type", b"application/json")],
    "UTF-16": [(b"content-type", b"text/html; charset=utf-16le")],
    "UTF-32": [(b"content-type", b"text/html; charset=utf-32")],
    "UTF-7": [(b"content-type", b"text/html; charset=utf-7")],
    "a character set with shifts": [(b"content-type", b"text/html; charset=iso-2022-jp")],
    "an unknown character set": [(b"content-type", b"text/html; charset=utf-8x")],
    "a download": [HTML, (b"content-disposition", b"attachment")],
    "a named page": [HTML, (b"content-disposition", b'inline; filename="a.html"')],
    "a range": [HTML, (b"content-range", b"bytes 0-9/10")],
    "not to be transformed": [HTML, (b"cache-control", b"private, No-Transform")],
    "nor with several headers": [HTML, (b"cache-control", b"private"), (b"cache-control", b"no-transform")],
    "brotli": [HTML, (b"content-encoding", b"br")],
    "zstandard": [HTML, (b"content-encoding", b"zstd")],
    "deflate": [HTML, (b"content-encoding", b"deflate")],
    "two codings": [HTML, (b"content-encoding", b"gzip, br")],
    "one coding twice": [HTML, (b"content-encoding", b"gzip"), (b"content-encoding", b"gzip")],
}


@pytest.mark.parametrize("what", CHANGEABLE)
def test_a_page_may_be_changed(what: str) -> None:
    assert is_changeable(200, CHANGEABLE[what])


@pytest.mark.parametrize("what", UNCHANGEABLE)
def test_anything_else_may_not(what: str) -> None:
    assert not is_changeable(200, UNCHANGEABLE[what])


@pytest.mark.parametrize("status", [201, 202, 203, 204, 206, 301, 304, 400, 402, 404, 500, 503])
def test_only_a_page_that_was_found_may_be_changed(status: int) -> None:
    assert not is_changeable(status, [HTML])


@pytest.mark.parametrize(
    ("accepted", "asked"),
    [
        (b"", b"identity"),
        (b"gzip, deflate, br, zstd", b"gzip"),
        (b"br;q=1.0, GZIP;q=0.8, *;q=0.1", b"gzip"),
        (b"x-gzip", b"gzip"),
        (b"br, zstd", b"identity"),
        (b"gzip;q=0, br", b"identity"),
        (b"gzip; q=0.000", b"identity"),
        (b"gzip;q=0.001", b"gzip"),
        (b"identity", b"identity"),
        (b"*", b"identity"),
    ],
)  # fmt: skip
def test_only_what_can_be_undone_is_asked_for(accepted: bytes, asked: bytes) -> None:
    assert coding_to_ask_for(accepted) == asked


def test_the_coding_is_known_by_either_name() -> None:
    assert [coding_of([(b"content-encoding", each)]) for each in (b"x-gzip", b" gzip ", b"identity")] == [
        b"gzip", b"gzip", b"",
    ]  # fmt: skip


def test_a_request_may_forbid_it_too() -> None:
    assert forbids_change([(b"cache-control", b"max-age=0, no-transform")])
    assert not forbids_change([(b"cache-control", b"max-age=0"), (b"pragma", b"no-transform")])


def test_the_head_says_nothing_of_the_bytes_as_they_were() -> None:
    before: Headers = [
        HTML,
        (b"etag", b'"1"'), (b"last-modified", b"Mon, 01 Jan 2024 00:00:00 GMT"), (b"content-md5", b"x"),
        (b"digest", b"x"), (b"content-digest", b"x"), (b"repr-digest", b"x"), (b"content-length", b"9"),
        (b"expires", b"Mon, 01 Jan 2035 00:00:00 GMT"), (b"age", b"3"), (b"accept-ranges", b"bytes"),
        (b"cache-control", b"public, max-age=600, s-maxage=900, immutable"),
        (b"cdn-cache-control", b"max-age=900"), (b"surrogate-control", b"max-age=900"),
        (b"vary", b"accept-encoding"), (b"set-cookie", b"a=1"), (b"set-cookie", b"b=2"), (b"x-made-by", b"them"),
        (b"content-security-policy", b"default-src 'self'"), (b"content-encoding", b"gzip"),
    ]  # fmt: skip
    assert changed_head(before, "authorization, cookie") == [
        HTML, (b"vary", b"accept-encoding"), (b"set-cookie", b"a=1"), (b"set-cookie", b"b=2"), (b"x-made-by", b"them"),
        (b"content-security-policy", b"default-src 'self'"), (b"content-encoding", b"gzip"),
        (b"cache-control", b"private, no-cache"),
        (b"accept-ranges", b"none"),
        (b"vary", b"Accept, Accept-Encoding, Sec-Fetch-Dest, Sec-Fetch-Mode, authorization, cookie"),
    ]  # fmt: skip


def test_what_was_not_to_be_stored_is_not_to_be_stored() -> None:
    head = changed_head([HTML, (b"cache-control", b"No-Store")], "")
    assert (b"cache-control", b"private, no-cache, no-store") in head
