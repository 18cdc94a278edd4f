"""Money, dates and numbers as each language writes them: never another amount, never another instant."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from gateway.core.money import Money, minor_digits
from gateway.core.quantity import DAY, HOUR, MINUTE
from gateway.core.wording import LANGUAGES, Wording
from gateway.language.language import ENGLISH, Sentence, language

NARROW, WIDE = "\u202f", "\u00a0"
INSTANT = 1_769_850_000_000


def plain(text: str) -> str:
    return text.replace(NARROW, " ").replace(WIDE, " ")


@pytest.mark.parametrize(
    ("tag", "written", "amount"),
    [
        ("en", "19.00 USD", Money(1900, "USD")), ("en", "1,234.50 EUR", Money(123450, "EUR")),
        ("en", "500 JPY", Money(500, "JPY")), ("de", "19,00 $", Money(1900, "USD")),
        ("de", "1.234,50 €", Money(123450, "EUR")), ("es", "19,00 US$", Money(1900, "USD")),
        ("id", "US$19,00", Money(1900, "USD")), ("id", "Rp19.000", Money(1_900_000, "IDR")),
        ("id", "Rp19,50", Money(1950, "IDR")), ("ru", "19,00 $", Money(1900, "USD")),
        ("ru", "19,00 ₽", Money(1900, "RUB")), ("de", "1,234 KWD", Money(1234, "KWD")),
    ],
)  # fmt: skip
def test_money(tag: str, written: str, amount: Money) -> None:
    assert plain(language(tag).money(amount)) == written


@given(
    st.sampled_from(LANGUAGES),
    st.integers(0, 10**11),
    st.sampled_from(["USD", "EUR", "JPY", "IDR", "RUB", "KWD", "CLP", "KRW", "HUF", "XYZ"]),
)
def test_an_amount_is_never_rounded(tag: str, minor: int, currency: str) -> None:
    text = language(tag).money(Money(minor, currency))
    digits = re.sub(r"[^\d.,]", "", text).strip(".,")
    grouping, point = (",", ".") if tag == "en" else (".", ",")
    value = Decimal(digits.replace(grouping, "").replace(point, "."))
    assert value == Decimal(minor).scaleb(-minor_digits(currency)), text


@pytest.mark.parametrize(
    ("tag", "written"),
    [
        ("en", "31 January 2026, 09:00 UTC"), ("de", "31. Januar 2026, 09:00 UTC"),
        ("es", "31 de enero de 2026, 9:00 UTC"), ("id", "31 Januari 2026, 09.00 UTC"),
        ("ru", "31 января 2026 г., 09:00 UTC"),
    ],
)  # fmt: skip
def test_an_instant_is_told_in_utc_and_says_so(tag: str, written: str) -> None:
    assert plain(language(tag).moment(INSTANT)) == written


@pytest.mark.parametrize(
    ("tag", "written"),
    [("en", "in 14 days"), ("de", "in 14 Tagen"), ("es", "dentro de 14 días"), ("id", "dalam 14 hari"),
     ("ru", "через 14 дней")],
)  # fmt: skip
def test_the_time_that_is_left(tag: str, written: str) -> None:
    assert plain(language(tag).time_left(14 * DAY)) == written


@pytest.mark.parametrize(
    ("milliseconds", "written"),
    [
        (14 * DAY, "in 14 days"), (14 * DAY - 1, "in 14 days"), (14 * DAY - 2 * HOUR, "in 13 days"),
        (400 * DAY, "in 400 days"), (47 * HOUR, "in 2 days"), (46 * HOUR, "in 46 hours"), (2 * HOUR, "in 2 hours"),
        (100 * MINUTE, "in 100 minutes"), (2 * MINUTE, "in 2 minutes"), (MINUTE, "within two minutes"),
        (1, "within two minutes"),
    ],
)  # fmt: skip
def test_what_is_left_is_rounded_down(milliseconds: int, written: str) -> None:
    assert ENGLISH.time_left(milliseconds) == written


@pytest.mark.parametrize(
    ("milliseconds", "written"),
    [(30 * DAY, "30 days"), (DAY, "1 day"), (36 * HOUR, "36 hours"), (90 * MINUTE, "90 minutes"), (5000, "5 seconds")],
)
def test_a_period_is_told_exactly(milliseconds: int, written: str) -> None:
    assert ENGLISH.period(milliseconds) == written


def test_numbers_and_sizes() -> None:
    assert plain(language("ru").number(336776)) == "336 776"
    assert [ENGLISH.size(size) for size in (0, 312, 1023, 1024, 1500, 1024**2 - 1, 31_053_321, 5 * 1024**4)] == [
        "0 B", "312 B", "1,023 B", "1 KiB", "1.5 KiB", "1 MiB", "29.6 MiB", "5 TiB",
    ]  # fmt: skip
    assert plain(language("de").size(31_053_321)) == "29,6 MiB"


def test_what_is_filled_in_stays_text() -> None:
    said = language("de").mark_up("Pay %(price)s", price="<b>")
    assert said == Markup("&lt;b&gt; bezahlen")
    assert ENGLISH.say("Pay %(price)s", price="%(x)s") == "Pay %(x)s"
    assert ENGLISH.say("100 %") == "100 %"
    assert ENGLISH.say("") == language("ru").say("") == ""
    assert language("de").say(Sentence("Pay %(price)s", {"price": "1"})) == "1 bezahlen"


def test_an_owner_is_quoted_in_the_readers_language_where_it_was_given() -> None:
    name = Wording({"en": "Pro", "de": "Profi"})
    assert (name, name.in_language("de"), name.in_language("ru")) == ("Pro", "Profi", "Pro")
    assert language("de").own(name) == "Profi"
    assert language("ru").own(name) == "Pro"
    assert language("de").own("Contact") == "Contact"  # the owner's word, not ours
    assert language("de").own("This result") == "Dieses Ergebnis"


def test_every_language_says_what_it_is_called() -> None:
    names = [language(tag).name for tag in LANGUAGES]
    assert names == ["English", "Deutsch", "Español", "Bahasa Indonesia", "Русский"]
