"""One language: its sentences, and how it writes money, dates, numbers and the time that is left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from gettext import NullTranslations
from typing import Literal
from urllib.parse import urlsplit

from babel import Locale
from babel.dates import format_date, format_time, format_timedelta
from babel.numbers import format_currency, format_decimal, get_currency_precision
from markupsafe import Markup

from gateway.core.money import Money, minor_digits
from gateway.core.quantity import DAY, HOUR, MINUTE, SECOND
from gateway.core.wording import Wording
from gateway.language.catalogue import SOURCE, catalogue, phrase

_REGION = {SOURCE: "en_GB"}
"""Whose way to write numbers and dates stands for a language, where it is not the language's own."""
_NAMES = {"id": "Bahasa Indonesia"}
"""What CLDR calls otherwise."""
_OWNER = "owner"
"""The context of texts that the owner may have replaced by others."""
_UNITS: tuple[tuple[int, Literal["day", "hour", "minute", "second"]], ...] = (
    (DAY, "day"),
    (HOUR, "hour"),
    (MINUTE, "minute"),
    (SECOND, "second"),
)
_ALWAYS = 10_000
"""A threshold that no count reaches: the unit that was asked for is kept."""
_WITHIN = phrase("within two minutes")


@dataclass(frozen=True, slots=True)
class Sentence:
    """What is to be said once it is known in which language."""

    message: str
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Language:
    """How to say things to somebody."""

    tag: str
    """BCP 47."""
    locale: Locale
    sentences: NullTranslations
    by_address: bool = False
    """Whether the address of the page says which language it is in: then its links keep to it."""

    @property
    def direction(self) -> str:
        """`ltr` or `rtl`."""
        return self.locale.text_direction

    @property
    def name(self) -> str:
        """What the language calls itself."""
        name = _NAMES.get(self.tag) or self.locale.get_language_name() or self.tag
        return name[:1].upper() + name[1:]

    def say(self, message: str | Sentence, **values: object) -> str:
        """This sentence, its `%(name)s` filled in. What no catalogue knows stays as it is."""
        if isinstance(message, Sentence):
            values, message = dict(message.values), message.message
        text = self.sentences.gettext(message) if message else ""
        return text % values if values else text

    def mark_up(self, message: str, **values: object) -> Markup:
        """This sentence as HTML: it may have elements of its own, and what is filled in is escaped."""
        return Markup(self.sentences.gettext(message)) % values  # noqa: S704 - sentences are ours

    def count(self, one: str, many: str, number: int, **values: object) -> str:
        """The sentence that fits this number, which stands in it as `%(number)s`."""
        return self.sentences.ngettext(one, many, number) % {"number": self.number(number), **values}

    def own(self, text: str) -> str:
        """A text of the owner's: in this language where it was given in it, or where it is one of our defaults."""
        return text.in_language(self.tag) if isinstance(text, Wording) else self.sentences.pgettext(_OWNER, text)

    def number(self, number: int) -> str:
        """`336,776`."""
        return format_decimal(number, locale=self.locale)

    def size(self, size: int) -> str:
        """A size in bytes, at most one decimal: `312 B`, `1.4 MiB`."""
        scaled, unit = float(size), "B"
        for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
            if scaled < (1024 if unit == "B" else 1023.95) or unit == "TiB":
                break
            scaled /= 1024
        return f"{format_decimal(round(scaled, 1), '#,##0.#', locale=self.locale)} {unit}"

    def money(self, amount: Money) -> str:
        """`19,00 €`. English is read in many countries with dollars of their own, so it names currencies by code."""
        digits = minor_digits(amount.currency)
        value = Decimal(amount.minor).scaleb(-digits)
        if self.tag == SOURCE:
            return f"{format_decimal(value, '#,##0.' + '0' * digits, locale=self.locale)} {amount.currency}"
        if value == round(value, get_currency_precision(amount.currency)):
            return format_currency(value, amount.currency, locale=self.locale)
        # CLDR leaves out decimals that hardly anybody uses; never those of an amount that has some.
        pattern = self.locale.currency_formats["standard"].pattern.replace("0.00", "0." + "0" * digits)
        return format_currency(value, amount.currency, pattern, locale=self.locale, currency_digits=False)

    def moment(self, milliseconds: int) -> str:
        """`31 January 2026, 09:00 UTC`, of milliseconds since the epoch."""
        moment = datetime.fromtimestamp(milliseconds // 1000, UTC)
        date = format_date(moment, "long", locale=self.locale)
        return f"{date}, {format_time(moment, 'short', locale=self.locale)} UTC"

    def time_left(self, milliseconds: int) -> str:
        """`in 14 days`, rounded down; what lacks but a twenty-fourth of a unit counts as whole, as on the first day."""
        for unit, name in _UNITS[:3]:
            count = (milliseconds + unit // 24) // unit
            if count >= 2:
                left = timedelta(milliseconds=count * unit)
                return format_timedelta(
                    left, granularity=name, threshold=_ALWAYS, add_direction=True, locale=self.locale
                )
        return self.say(_WITHIN)

    def period(self, milliseconds: int) -> str:
        """`30 days`, in the largest unit of which it is a whole number."""
        unit, name = next(((unit, name) for unit, name in _UNITS if milliseconds % unit == 0), _UNITS[-1])
        lasting = timedelta(milliseconds=milliseconds // unit * unit)
        return format_timedelta(lasting, granularity=name, threshold=_ALWAYS, locale=self.locale)

    def keep(self, address: str, prefix: str) -> str:
        """The address of a page of ours (under `prefix`), which keeps the language where the address says which."""
        if not self.by_address or not address.startswith(f"{prefix}/"):
            return address
        return self.link(address)

    def link(self, address: str) -> str:
        """The address of a page of ours, in this language."""
        parts = urlsplit(address)
        query = "&".join(filter(None, [parts.query, f"lang={self.tag}"]))
        return parts._replace(query=query).geturl()

    def chosen(self) -> Language:
        """The same, chosen by the address of a page."""
        return replace(self, by_address=True)


@lru_cache
def language(tag: str) -> Language:
    """The language with this tag, one of `LANGUAGES`."""
    return Language(tag, Locale.parse(_REGION.get(tag, tag)), catalogue(tag))


ENGLISH = language(SOURCE)
"""What everything is written in, for programs and for whoever asks for nothing else."""
