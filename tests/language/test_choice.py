"""The language is the one that the page's address names, else the one that the browser wants most and that is there."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.wording import LANGUAGES
from gateway.language.choice import Languages

ALL = Languages(LANGUAGES)


def chosen(accepted: bytes, languages: Languages = ALL) -> str:
    return languages.of([(b"accept", b"text/html"), (b"accept-language", accepted)]).tag


@pytest.mark.parametrize(
    ("accepted", "tag"),
    [
        (b"de", "de"),
        (b"DE-de", "de"),
        (b"de-CH-1996", "de"),
        (b"zh-Hant-TW, de;q=0.5", "de"),
        (b"fr, it", "en"),
        (b"*", "en"),
        (b"*, ru;q=0.1", "ru"),
        (b"ru;q=0.3, es;q=0.8, en;q=0.5", "es"),
        (b"es-419,es;q=0.9,en;q=0.8", "es"),
        (b"es;q=0, ru;q=0.2", "ru"),
        (b"de;q=0.5, es;q=0.5", "de"),
        (b"in-ID", "id"),
        (b" ru ; q=1.0 ", "ru"),
        (b"", "en"),
    ],
)
def test_the_language_that_is_wanted_most(accepted: bytes, tag: str) -> None:
    assert chosen(accepted) == tag


def test_nobody_is_asked_where_there_is_one_language() -> None:
    only = Languages(("ru",))
    assert chosen(b"de", only) == "ru"
    assert only.vary == "" and ALL.vary == "Accept-Language"


def test_the_first_language_is_for_whoever_wants_none_of_them() -> None:
    assert chosen(b"fr", Languages(("de", "en"))) == "de"
    assert Languages(("es", "en")).of([]).tag == "es"
    assert chosen(b"ru, en;q=0.1", Languages(("de", "en"))) == "en"


@pytest.mark.parametrize(
    "hostile",
    [
        b"," * 60_000, b"-" * 60_000, b"de-" * 20_000, b"de;q=" + b"9" * 60_000, b"de;q=nan", b"de;q=inf", b"de;q=-1",
        b"de;q=1e400", b"de;" * 20_000, b"\xff\xfe\x00", b"../../etc/passwd", b"de\x00", b"%s%n%(x)s", b"de;q", b";q=1",
        b"__proto__", b"{{7*7}}", "де".encode(),
    ],
)  # fmt: skip
def test_what_is_no_list_of_languages_chooses_none(hostile: bytes) -> None:
    began = time.thread_time()
    assert chosen(hostile) in ("en", "de")
    assert time.thread_time() - began < 1  # a thousandth is enough


def test_a_language_far_behind_many_others_is_not_looked_for() -> None:
    assert chosen(b", ".join([b"fr"] * 40) + b", de") == "en"


@given(st.binary(max_size=300))
def test_any_bytes_choose_one_of_the_languages(accepted: bytes) -> None:
    assert chosen(accepted) in LANGUAGES


@pytest.mark.parametrize("query", [b"lang=de", b"route=x&lang=de", b"lang=DE&hold=1"])
def test_an_address_decides_and_its_page_keeps_to_it(query: bytes) -> None:
    headers = ALL.named_by(query, [(b"accept-language", b"ru"), (b"host", b"x")])
    language = ALL.of(headers)
    assert (language.tag, language.by_address) == ("de", True)
    assert (b"host", b"x") in headers
    assert language.keep("/_paywall/offer?hold=1", "/_paywall") == "/_paywall/offer?hold=1&lang=de"
    assert language.keep("/_paywall/offer", "/_paywall") == "/_paywall/offer?lang=de"
    for elsewhere in ("/", "/_paywalled/x", "https://x.example/_paywall/", "mailto:a@example.com"):
        assert language.keep(elsewhere, "/_paywall") == elsewhere


@pytest.mark.parametrize("query", [b"", b"lang=", b"lang=fr", b"lang=../de", b"language=de", b"lang=%00", b"xlang=de"])
def test_an_address_that_names_no_language_of_ours_decides_nothing(query: bytes) -> None:
    headers = [(b"accept-language", b"ru")]
    assert ALL.named_by(query, headers) == headers
    assert not ALL.of(headers).by_address
    assert ALL.of(headers).keep("/_paywall/offer", "/_paywall") == "/_paywall/offer"


def test_a_language_that_the_config_leaves_out_is_not_named() -> None:
    assert Languages(("de", "en")).named_by(b"lang=ru", []) == []
