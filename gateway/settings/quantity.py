"""What plans give and what starts a trial, as people write it; and the bounds that plain settings have."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, Strict, WithJsonSchema

from gateway.core.money import Money
from gateway.core.quantity import DAY, Allowance, format_duration, parse_duration
from gateway.core.rule import PeriodUnit, TrialStart
from gateway.ports.fields import AllowanceField, Duration, MoneyField, Size
from gateway.settings.written import Written

_RESULTS = re.compile(r"([0-9]{1,9}) results?")
_CLAIM = re.compile(r"claim:([^\s]{1,100})")
_LONGEST_MS = 100 * 366 * 86_400_000


_CALENDAR = re.compile(r"([0-9]{1,4}) ?(day|week|month|year)s?")
_LONGEST = {
    PeriodUnit.DAY: DAY,
    PeriodUnit.WEEK: 7 * DAY,
    PeriodUnit.MONTH: 31 * DAY,
    PeriodUnit.YEAR: 366 * DAY,
}
"""What one of each gives: nobody gets less than the calendar's."""


@dataclass(frozen=True, slots=True)
class Gives:
    """What a plan gives: exactly one of the two is set."""

    results: int = 0
    period_ms: int = 0
    unit: PeriodUnit | None = None
    """Where it is a period of the calendar: what it is counted in."""
    count: int = 0

    @classmethod
    def parse(cls, text: str) -> Gives:
        """Read `1 result`, `5 results`, `30d` or `1 month`. Raises `ValueError` that says what is allowed."""
        allowed = "write a number of results or a time, like '1 result', '5 results', '30d' or '1 month'"
        found = _RESULTS.fullmatch(text.strip())
        if found is not None:
            if int(found[1]) == 0:
                raise ValueError(f"a plan can't give 0 results: {allowed}")
            return cls(results=int(found[1]))
        calendar = _CALENDAR.fullmatch(text.strip())
        if calendar is not None and int(calendar[1]):
            unit, count = PeriodUnit(calendar[2]), int(calendar[1])
            return cls(period_ms=_bounded(count * _LONGEST[unit]), unit=unit, count=count)
        try:
            period_ms = parse_duration(text.strip())
        except ValueError:
            raise ValueError(f"{text!r} is not what a plan can give: {allowed}") from None
        if period_ms == 0:
            raise ValueError(f"a plan can't give a time of nothing: {allowed}")
        return cls(period_ms=_bounded(period_ms))

    def __str__(self) -> str:
        if self.results:
            return f"{self.results} result{'' if self.results == 1 else 's'}"
        if self.unit is not None:
            return f"{self.count} {self.unit}{'' if self.count == 1 else 's'}"
        return format_duration(self.period_ms)


@dataclass(frozen=True, slots=True)
class Starts:
    """What starts a trial; `claim` names the claim where it is a claim."""

    start: TrialStart
    claim: str = ""

    @classmethod
    def parse(cls, text: str) -> Starts:
        """Read `first-visit`, `first-result` or `claim:NAME`. Raises `ValueError` that says what is allowed."""
        if text in (TrialStart.FIRST_VISIT, TrialStart.FIRST_RESULT):
            return cls(TrialStart(text))
        found = _CLAIM.fullmatch(text)
        if found is not None:
            return cls(TrialStart.CLAIM, found[1])
        if text.startswith("claim"):
            raise ValueError(f"{text!r} names no claim: write it like claim:created_at, the claim that holds the date")
        near = difflib.get_close_matches(text, [TrialStart.FIRST_VISIT, TrialStart.FIRST_RESULT], 1)
        hint = f"did you mean '{near[0]}'?" if near else "write first-visit, first-result or claim:NAME"
        raise ValueError(f"{text!r} can't start a trial: {hint}")

    def __str__(self) -> str:
        return f"claim:{self.claim}" if self.claim else self.start.value


@dataclass(frozen=True, slots=True)
class MailSource:
    """Where a subject's address of mail is: in a claim of its token, or it is its id."""

    claim: str = ""

    @classmethod
    def parse(cls, text: str) -> MailSource:
        """Read `claim:NAME` or `subject`. Raises `ValueError` that says what is allowed."""
        found = _CLAIM.fullmatch(text)
        if found is None and text != "subject":
            raise ValueError(f"{text!r} holds no address of mail: write claim:email, or subject where the id is one")
        return cls(found[1] if found else "")

    def __str__(self) -> str:
        return f"claim:{self.claim}" if self.claim else "subject"


def _network_allowance(allowance: Allowance) -> Allowance:
    if not allowance.count or not allowance.window_ms:
        raise ValueError(f"{allowance} is no number of trials within a time: write it like 5 per 30d")
    return _bounded_allowance(allowance)


def _bounded(milliseconds: int) -> int:
    if milliseconds > _LONGEST_MS:
        raise ValueError("longer than 100 years: write a shorter time")
    return milliseconds


def _positive_time(milliseconds: int) -> int:
    if milliseconds == 0:
        raise ValueError("must be longer than 0s")
    return _bounded(milliseconds)


def _positive_size(size: int) -> int:
    if size == 0:
        raise ValueError("must be more than 0B")
    if size > 2**50:
        raise ValueError("must be at most 1024TiB")
    return size


def _size_of_body(size: int) -> int:
    if _positive_size(size) > 2**20:
        raise ValueError("must be at most 1MiB: it is held in memory and read in one go")
    return size


def _positive_money(money: Money) -> Money:
    if money.minor == 0:
        raise ValueError("a price of zero can't be paid: give results for free with `grace` or a longer trial")
    return _bounded_money(money)


def _bounded_money(money: Money) -> Money:
    if money.minor >= 2**53:
        raise ValueError("the price is too large")
    return money


def _positive_count(count: int) -> int:
    if not 1 <= count <= 1_000_000:
        raise ValueError("must be a whole number from 1 to 1000000")
    return count


def _worker_count(count: int) -> int:
    if not 1 <= count <= 256:
        raise ValueError("must be a whole number from 1 to 256")
    return count


def _bounded_allowance(allowance: Allowance) -> Allowance:
    _bounded(allowance.window_ms)
    return allowance


_GIVES_PATTERN = r"^\s*([0-9]+ results?|[0-9]+ ?(day|week|month|year)s?|(\d+(ms|s|m|h|d|w))+)\s*$"
_ALLOWANCE_SCHEMA = {
    "anyOf": [
        {"type": "string", "pattern": r"^\s*\d+( per (\d+(ms|s|m|h|d|w))+)?\s*$"},
        {"type": "integer", "minimum": 0},
    ]
}

Time = Annotated[Duration, AfterValidator(_bounded)]
"""Milliseconds, 0 allowed."""
PositiveTime = Annotated[Duration, AfterValidator(_positive_time)]
PositiveSize = Annotated[Size, AfterValidator(_positive_size)]
BodySize = Annotated[Size, AfterValidator(_size_of_body)]
Price = Annotated[MoneyField, AfterValidator(_positive_money)]
PlanPrice = Annotated[MoneyField, AfterValidator(_bounded_money)]
"""Nothing is allowed: a plan that costs nothing can be taken once."""
Count = Annotated[int, Strict(), AfterValidator(_positive_count)]
WorkerCount = Annotated[int, Strict(), AfterValidator(_worker_count)]
Flag = Annotated[bool, Strict()]
Grace = Annotated[AllowanceField, AfterValidator(_bounded_allowance), WithJsonSchema(_ALLOWANCE_SCHEMA)]
GivesField = Annotated[Gives, Written(Gives.parse, "1 result or 30d", _GIVES_PATTERN)]
StartsField = Annotated[Starts, Written(Starts.parse, "first-visit", r"^(first-visit|first-result|claim:\S+)$")]
MailSourceField = Annotated[MailSource, Written(MailSource.parse, "claim:email or subject", r"^(subject|claim:\S+)$")]
PerNetwork = Annotated[AllowanceField, AfterValidator(_network_allowance), WithJsonSchema(_ALLOWANCE_SCHEMA)]
