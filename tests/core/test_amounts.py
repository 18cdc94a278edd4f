"""Money, durations, sizes and allowances, as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.money import Money, minor_digits
from gateway.core.quantity import (
    DAY,
    HOUR,
    MINUTE,
    Allowance,
    format_duration,
    format_size,
    parse_duration,
    parse_size,
)

CURRENCIES = st.sampled_from(["USD", "EUR", "JPY", "KWD", "XXX"])


class TestMoney:
    @pytest.mark.parametrize(
        ("text", "minor", "currency"),
        [
            ("19.00 USD", 1900, "USD"),
            ("19USD", 1900, "USD"),
            (" 19.5 EUR ", 1950, "EUR"),
            ("0.01 USD", 1, "USD"),
            ("0 USD", 0, "USD"),
            ("500 JPY", 500, "JPY"),
            ("1.234 KWD", 1234, "KWD"),
            ("1.2 KWD", 1200, "KWD"),
            ("999999999999.99 USD", 99999999999999, "USD"),
        ],
    )
    def test_is_read(self, text: str, minor: int, currency: str) -> None:
        assert Money.parse(text) == Money(minor, currency)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "19",
            "USD",
            "19.00 usd",
            "$19",
            "-1 USD",
            "1,000 USD",
            "19.001 USD",
            "1.5 JPY",
            "1. USD",
            ".5 USD",
            "1e3 USD",
            "19.00  USD",
            "1 USDT",
            "٣ USD",
            "1 USD\n2 USD",
            "1000000000000 USD",
            "NaN USD",
        ],
    )
    def test_anything_else_is_refused_with_an_example(self, text: str) -> None:
        with pytest.raises(ValueError, match=r"write it like 19\.00 USD|too many decimals"):
            Money.parse(text)

    @given(st.integers(0, 10**12 - 1), CURRENCIES)
    def test_is_written_so_that_it_is_read_again(self, minor: int, currency: str) -> None:
        money = Money(minor, currency)
        assert Money.parse(str(money)) == money

    @given(st.integers(1, 10**12 - 1), CURRENCIES)
    def test_a_debt_is_written_with_a_sign(self, minor: int, currency: str) -> None:
        assert str(Money(-minor, currency)) == f"-{Money(minor, currency)}"

    @pytest.mark.parametrize(("currency", "digits"), [("USD", 2), ("JPY", 0), ("KWD", 3), ("ABC", 2)])
    def test_minor_digits(self, currency: str, digits: int) -> None:
        assert minor_digits(currency) == digits


class TestDuration:
    @pytest.mark.parametrize(
        ("text", "milliseconds"),
        [
            ("90s", 90_000),
            ("15m", 15 * MINUTE),
            ("24h", DAY),
            ("14d", 14 * DAY),
            ("2w", 14 * DAY),
            ("500ms", 500),
            ("1h30m", 90 * MINUTE),
            ("1m500ms", MINUTE + 500),
            ("0s", 0),
        ],
    )
    def test_is_read(self, text: str, milliseconds: int) -> None:
        assert parse_duration(text) == milliseconds

    @pytest.mark.parametrize(
        "text", ["", "5", "s", "-5s", "1.5h", "5 s", "5S", "5y", "1h 30m", "5s\n", "٣s", "9999999999s"]
    )
    def test_anything_else_is_refused_with_an_example(self, text: str) -> None:
        with pytest.raises(ValueError, match="write it like 90s"):
            parse_duration(text)

    @given(st.integers(0, 10**14))
    def test_is_written_so_that_it_is_read_again(self, milliseconds: int) -> None:
        assert parse_duration(format_duration(milliseconds)) == milliseconds

    @pytest.mark.parametrize(
        ("milliseconds", "text"), [(0, "0s"), (90 * MINUTE, "1h30m"), (14 * DAY, "14d"), (DAY + 1, "1d1ms")]
    )
    def test_is_written_shortly(self, milliseconds: int, text: str) -> None:
        assert format_duration(milliseconds) == text


class TestSize:
    @pytest.mark.parametrize(
        ("text", "size"),
        [
            ("0B", 0),
            ("16MiB", 16 * 2**20),
            ("500KB", 500_000),
            ("500 KB", 500_000),
            ("1TiB", 2**40),
            ("2GB", 2 * 10**9),
        ],
    )
    def test_is_read(self, text: str, size: int) -> None:
        assert parse_size(text) == size

    @pytest.mark.parametrize("text", ["", "16", "MiB", "16mib", "1.5MiB", "-1B", "16  MiB", "16MiB\n", "1PB"])
    def test_anything_else_is_refused_with_an_example(self, text: str) -> None:
        with pytest.raises(ValueError, match="write it like 500KB"):
            parse_size(text)

    @pytest.mark.parametrize(
        ("size", "text"),
        [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1 KiB"),
            (1536, "1.5 KiB"),
            (2**20 - 1, "1 MiB"),
            (10 * 2**20, "10 MiB"),
            (2**50, "1024 TiB"),
        ],
    )
    def test_is_written_for_people(self, size: int, text: str) -> None:
        assert format_size(size) == text


class TestAllowance:
    @pytest.mark.parametrize(
        ("text", "allowance"),
        [
            ("2 per 30d", Allowance(2, 30 * DAY)),
            ("2", Allowance(2, 0)),
            ("0", Allowance(0, 0)),
            (" 1 per 1h ", Allowance(1, HOUR)),
        ],
    )
    def test_is_read(self, text: str, allowance: Allowance) -> None:
        assert Allowance.parse(text) == allowance

    @pytest.mark.parametrize("text", ["", "two", "2 per", "2 per month", "-1", "2/30d", "2 per  30d", "1.5 per 1d"])
    def test_anything_else_is_refused_with_an_example(self, text: str) -> None:
        with pytest.raises(ValueError, match="write it like"):
            Allowance.parse(text)

    @given(st.integers(0, 10**9 - 1), st.integers(0, 10**12))
    def test_is_written_so_that_it_is_read_again(self, count: int, window_ms: int) -> None:
        allowance = Allowance(count, window_ms)
        assert Allowance.parse(str(allowance)) == allowance
