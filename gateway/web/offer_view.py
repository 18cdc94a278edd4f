"""What an offer is made of, as the page shows it: the held result, the plans, the days."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from gateway.core.rule import PeriodUnit, Plan, Renewal
from gateway.core.standing import SubjectState
from gateway.language.catalogue import phrase, phrases
from gateway.language.language import ENGLISH, Language
from gateway.ports.state import NEVER, HoldRecord
from gateway.web.fact_words import fact_name, fact_value

_TOLD_ELSEWHERE = {"Name", "Type", "Size"}
_LONGEST_SUFFIX = 5

_RENEWS = {
    PeriodUnit.DAY: phrase("Renews every day until you cancel."),
    PeriodUnit.WEEK: phrase("Renews every week until you cancel."),
    PeriodUnit.MONTH: phrase("Renews every month until you cancel."),
    PeriodUnit.YEAR: phrase("Renews every year until you cancel."),
}
_RENEWS_EACH = {
    PeriodUnit.DAY: phrases(
        "Renews every %(number)s day until you cancel.", "Renews every %(number)s days until you cancel."
    ),
    PeriodUnit.WEEK: phrases(
        "Renews every %(number)s week until you cancel.", "Renews every %(number)s weeks until you cancel."
    ),
    PeriodUnit.MONTH: phrases(
        "Renews every %(number)s month until you cancel.", "Renews every %(number)s months until you cancel."
    ),
    PeriodUnit.YEAR: phrases(
        "Renews every %(number)s year until you cancel.", "Renews every %(number)s years until you cancel."
    ),
}


def hold_view(record: HoldRecord, language: Language = ENGLISH) -> Mapping[str, Any]:
    """A held result; `id` and the expiry are empty for a preview, of which nothing is kept. The expiry alone is empty
    for one that is kept until it is taken."""
    teaser: dict[str, Any] = json.loads(record.teaser or b"{}")
    facts: dict[str, str] = teaser.get("facts", {})
    ends = bool(record.id) and record.expires < NEVER
    kind, size = language.say(facts.get("Type", "")) or _kind(record, language), language.size(record.size)
    told = {
        fact_name(name, language): fact_value(value, language)
        for name, value in facts.items()
        if name not in _TOLD_ELSEWHERE
    }
    return {
        "id": record.id,
        "name": record.filename,
        "kind": kind,
        "size": size,
        "facts": {language.say("Kind"): kind, language.say("Size"): size, **told},
        "teaser": {part: teaser.get(part, ()) for part in ("lines", "columns", "rows", "image")},
        "expires": instant(record.expires) if ends else "",
        "expires_day": language.moment(record.expires) if ends else "",
        "paid": record.paid,
        "is_page": record.is_page,
    }


def _kind(record: HoldRecord, language: Language) -> str:
    """`CSV file` where the name says so, since few people read media types."""
    suffix = record.filename.rpartition(".")[2] if "." in record.filename else ""
    if suffix.isascii() and suffix.isalnum() and len(suffix) <= _LONGEST_SUFFIX:
        return language.say("%(type)s file", type=suffix.upper())
    return record.media_type


def plan_view(plan: Plan, language: Language = ENGLISH, held: bool = False) -> Mapping[str, str]:
    """A plan; beside a result that is held for it, what it gives names that result first."""
    return {
        "id": plan.id,
        "name": language.own(plan.name),
        "price": language.say("Free") if plan.is_free else language.money(plan.price),
        "free": "once" if plan.is_free else "",
        "gives": _gives(plan, language, held),
        "renews": _renews(plan.renews, language) if plan.renews else "",
    }


def _gives(plan: Plan, language: Language, held: bool) -> str:
    if plan.results > 1:
        if held:
            return language.count(
                "%(number)s result, this one among them", "%(number)s results, this one among them", plan.results
            )
        return language.count("%(number)s result", "%(number)s results", plan.results)
    if not plan.period_ms:
        return language.say("1 result: this one") if held else language.say("1 result")
    if plan.renews:
        return language.say("This result, and all others") if held else language.say("All results")
    period = language.period(plan.period_ms)
    if held:
        return language.say("This result, and all others for %(period)s", period=period)
    return language.say("All results for %(period)s", period=period)


def _renews(renewal: Renewal, language: Language) -> str:
    """How a subscription goes on, and that it can be ended."""
    if renewal.count == 1:
        return language.say(_RENEWS[renewal.unit])
    return language.count(*_RENEWS_EACH[renewal.unit], renewal.count)


def open_until(state: SubjectState, now: int, language: Language = ENGLISH) -> str:
    """The paid period that runs, as a sentence; empty without one."""
    if state.entitled_until <= now:
        return ""
    return language.say("Results are open to you until %(day)s.", day=language.moment(state.entitled_until))


def to_use(state: SubjectState, language: Language = ENGLISH) -> str:
    """The results that were paid for by number and not yet taken, as a sentence; empty without any."""
    if not state.credits:
        return ""
    return language.count(
        "You have %(number)s result to use: ask for one, and it is not withheld.",
        "You have %(number)s results to use: ask for one, and it is not withheld.",
        state.credits,
    )


def instant(milliseconds: int) -> str:
    """`2026-01-31T09:00:00Z`."""
    return datetime.fromtimestamp(milliseconds // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
