"""A path has one reading on every framework, or it is ambiguous."""

from __future__ import annotations

import re
import sys
import tracemalloc
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.target import canonical_form, fold, read_path
from tests.hostile.open_urls import OPEN_URLS

CLAUSES: dict[str, tuple[bytes, bytes]] = {
    "no slash at the beginning": (b"api/result/7", b"/api/result/7"),
    "empty": (b"", b"/"),
    "another host": (b"http://evil/api/result/7", b"/http:/x"),
    "asterisk form": (b"*", b"/*"),
    "raw semicolon": (b"/a;x", b"/a,x"),
    "raw backslash": (b"/a\\b", b"/a-b"),
    "raw fragment": (b"/a#b", b"/a%21b"),
    "raw question mark": (b"/a?b", b"/a:b"),
    "raw space": (b"/a b", b"/a%20b"),
    "raw brace": (b"/{a}", b"/%7Ba%7D"),
    "raw quote": (b'/"a"', b"/%22a%22"),
    "raw UTF-8": ("/café".encode(), b"/caf%C3%A9"),
    "raw tab": (b"/a\tb", b"/a+b"),
    "raw newline at the end": (b"/a\n", b"/a"),
    "raw NUL": (b"/a\x00", b"/a0"),
    "percent sign alone": (b"/100%", b"/100"),
    "percent sign before no hexadecimal digits": (b"/a%zz", b"/azz"),
    "half an escape": (b"/a%4", b"/a4"),
    "escaped letter": (b"/%61pi", b"/api"),
    "escaped digit": (b"/%37", b"/7"),
    "escaped tilde": (b"/%7Eme", b"/~me"),
    "escaped hyphen": (b"/a%2Db", b"/a-b"),
    "escaped underscore": (b"/a%5fb", b"/a_b"),
    "escaped slash": (b"/a%2fb", b"/a/b"),
    "escaped backslash": (b"/a%5Cb", b"/a%40b"),
    "escaped dot": (b"/a%2Ehtml", b"/a.html"),
    "escaped percent sign": (b"/a%252fb", b"/a%28b"),
    "escaped semicolon": (b"/a%3Bx", b"/a%3Dx"),
    "escaped question mark": (b"/a%3Fx", b"/a%3Ax"),
    "escaped hash": (b"/C%23", b"/C%2B"),
    "escaped NUL": (b"/a%00", b"/a%20"),
    "escaped newline": (b"/a%0A", b"/a%24"),
    "escaped DEL": (b"/a%7F", b"/a%7D"),
    "dot segment": (b"/x/./a", b"/x/.a"),
    "dot segment at the end": (b"/x/.", b"/x/..."),
    "double dot segment": (b"/x/../a", b"/x/..a"),
    "double dot segment at the end": (b"/x/..", b"/x/a.."),
    "empty segment at the beginning": (b"//api", b"/api"),
    "empty segment inside": (b"/api//result", b"/api/result"),
    "empty segments at the end": (b"/api//", b"/api/"),
    "not UTF-8": (b"/caf%E9", b"/caf%C3%A9"),
    "overlong UTF-8 of a slash": (b"/a%C0%AFb", b"/a%C2%A7b"),
    "surrogate in UTF-8": (b"/%ED%A0%80", b"/%ED%95%9C"),
    "full-width letter": (quote("/ａpi").encode(), quote("/äpi").encode()),
    "full-width slash": (quote("/a／b").encode(), quote("/a・b").encode()),
    "full-width full stop": (quote("/a．b").encode(), quote("/a。b").encode()),
    "long s": (quote("/ſecret").encode(), quote("/ßecret").encode()),
    "Kelvin sign": (quote("/\u212aey").encode(), quote("/κey").encode()),
    "ligature": (quote("/ﬁle").encode(), quote("/œuvre").encode()),
    "ellipsis": (quote("/a…").encode(), quote("/a—").encode()),
    "Greek question mark": (quote("/a\u037eb").encode(), quote("/a·b").encode()),
    "zero-width joiner": (quote("/a\u200db").encode(), quote("/a‿b").encode()),
    "right-to-left override": (quote("/a\u202eb").encode(), quote("/אb").encode()),
    "byte order mark": (quote("/\ufeffa").encode(), quote("/あ").encode()),
    "C1 control": (b"/a%C2%85", b"/a%C2%A9"),
    "private use": (quote("/\ue000").encode(), quote("/中").encode()),
    "unassigned": (quote("/\u0378").encode(), quote("/\u0370").encode()),
}


@pytest.mark.parametrize("clause", CLAUSES)
def test_what_frameworks_read_differently_is_ambiguous_and_its_twin_is_not(clause: str) -> None:
    bad, good = CLAUSES[clause]
    assert read_path(bad).ambiguous
    assert not read_path(good).ambiguous


@pytest.mark.parametrize(
    ("raw", "path", "folded"),
    [
        (b"/", "/", "/"),
        (b"/A/b.C/", "/A/b.C/", "/a/b.c/"),
        (b"/caf%C3%A9", "/café", "/café"),
        (b"/CAF%C3%89", "/CAFÉ", "/café"),
        (b"/a%20b", "/a b", "/a b"),
        (b"/C%2B%2B", "/C++", "/c++"),
        (b"/stra%C3%9Fe", "/straße", "/strasse"),
        (quote("/ılıca/İstanbul").encode(), "/ılıca/İstanbul", "/ilica/istanbul"),
        (b"/a%252fb", "/a%2fb", "/a%2fb"),
    ],
)
def test_a_path_is_decoded_once_and_folded(raw: bytes, path: str, folded: str) -> None:
    reading = read_path(raw)
    assert (reading.path, reading.folded) == (path, folded)


def test_no_letter_that_is_taken_for_a_plain_one_goes_unnoticed() -> None:
    plain = re.compile("[a-z0-9]", re.IGNORECASE)
    taken = [letter for letter in map(chr, range(0x80, sys.maxunicode + 1)) if plain.fullmatch(letter)]
    assert {"\u0130", "\u0131", "\u017f", "\u212a"} <= set(taken)
    for letter in taken:
        reading = read_path(quote(f"/{letter}").encode())
        assert reading.ambiguous or plain.fullmatch(reading.folded[1:]), letter


def test_canonical_urls_are_read_in_one_way() -> None:
    assert len(OPEN_URLS) == 500
    found = {url: why for url in OPEN_URLS if (why := read_path(url.partition("?")[0].encode("ascii")).ambiguous)}
    assert not found


class TestEncodedSlash:
    def test_is_ambiguous_unless_allowed(self) -> None:
        assert read_path(b"/files/a%2Fb").ambiguous
        assert not read_path(b"/files/a%2Fb", allow_encoded_slash=True).ambiguous

    @pytest.mark.parametrize("raw", [b"/files/a%2Fb", b"/files/a%2fb"])
    def test_parts_no_segments_where_it_is_allowed(self, raw: bytes) -> None:
        assert read_path(raw, allow_encoded_slash=True).path == "/files/a%2Fb"

    @pytest.mark.parametrize("raw", [b"/a%252Fb", b"/a%5Cb", b"/a%2Fb/..", b"/a%2Fb;x", b"/a%2Fb%E9"])
    def test_allows_nothing_else(self, raw: bytes) -> None:
        assert read_path(raw, allow_encoded_slash=True).ambiguous


def test_thousands_of_long_paths_do_not_fill_the_memory() -> None:
    tracemalloc.start()
    try:
        for number in range(60):
            read_path(b"/%d/" % number + b"%C3%A9" * 300 + b"a" * 30_000)
            read_path(b"/%d/" % number + b"a" * 30_000)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 2**20


class TestCanonicalForm:
    @pytest.mark.parametrize(
        ("raw", "canonical"),
        [
            (b"//evil.example/x", b"/evil.example/x"),
            (b"///", b"/"),
            (b"/a//b/", b"/a/b/"),
            (b"/a/./b", b"/a/b"),
            (b"/a/../b", b"/b"),
            (b"/../../b", b"/b"),
            (b"/a/b/..", b"/a/"),
            (b"/a/%2e%2e/b", b"/b"),
            (b"/%61pi", b"/api"),
            (b"/a%2Fb", b"/a/b"),
            (b"/a b", b"/a%20b"),
            ("/café".encode(), b"/caf%C3%A9"),
            (b"/caf%c3%a9", b"/caf%C3%A9"),
            (b"/api", None),
            (b"api", None),
            (b"", None),
            (b"*", None),
            (b"http://evil/x", None),
            (b"/a%5Cb", None),
            (b"/a\\b", None),
            (b"/a;b", None),
            (b"/100%", None),
            (b"/a%2561", None),
            (b"/caf%E9", None),
            (b"/a%00", None),
            (quote("//ａ").encode(), None),
        ],
    )
    def test_is_where_a_browser_is_sent(self, raw: bytes, canonical: bytes | None) -> None:
        assert canonical_form(raw) == canonical


_PIECES = st.sampled_from(
    [
        *(b"/", b"//", b".", b"..", b"%2e", b"%2F", b"%5c", b"%25", b"%", b";", b"a", b"B", b"%61", b" ", b"%20", b"#"),
        *(b"?", b"%00", b"%C3%A9", b"%E9", b"\xc3\xa9", b"%EF%BC%8F", b"\n", b"~", b"+", b"evil.example", b"@", b"\\"),
    ]
)
PATHS = st.one_of(st.binary(max_size=40), st.lists(_PIECES, max_size=12).map(lambda pieces: b"/" + b"".join(pieces)))


@given(PATHS, st.booleans())
def test_any_bytes_are_read(raw: bytes, allow_encoded_slash: bool) -> None:
    reading = read_path(raw, allow_encoded_slash)
    assert reading.folded == fold(reading.path)
    if not reading.ambiguous:
        assert reading.path.startswith("/")
        assert not set(reading.path.split("/")) & {".", ".."}


@given(PATHS)
def test_a_canonical_form_is_unambiguous_final_and_on_this_host(raw: bytes) -> None:
    canonical = canonical_form(raw)
    if canonical is None:
        return
    assert canonical.startswith(b"/") and not canonical.startswith((b"//", b"/\\"))
    assert not read_path(canonical).ambiguous
    assert canonical_form(canonical) is None
    assert canonical != raw


@given(st.text(st.characters(exclude_characters="\\%;?#/.", exclude_categories=["C"]), min_size=1, max_size=20))
def test_names_that_are_escaped_only_where_they_must_be_are_read_as_they_are_meant(name: str) -> None:
    reading = read_path(b"/files/" + quote(name, safe="!$&'()*+,=:@").encode("ascii"))
    assert reading.path == "/files/" + name
    assert not reading.ambiguous or not name.isascii()
