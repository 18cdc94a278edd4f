"""What an offer is made of, as the page shows it: the held result, the plans, the days."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from gateway.core.quantity import DAY, format_duration, format_size
from gateway.core.rule import Plan
from gateway.core.standing import SubjectState
from gateway.ports.state import NEVER, HoldRecord

_TOLD_ELSEWHERE = {"Name", "Type", "Size"}
_LONGEST_SUFFIX = 5


def hold_view(record: HoldRecord) -> Mapping[str, Any]:
    """A held result; `id` and the expiry are empty for a preview, of which nothing is kept. The expiry alone is empty
    for one that is kept until it is taken."""
    teaser: dict[str, Any] = json.loads(record.teaser or b"{}")
    facts: dict[str, str] = teaser.get("facts", {})
    ends = bool(record.id) and record.expires < NEVER
    own = {"Kind": facts.get("Type") or _kind(record), "Size": format_size(record.size)}
    return {
        "id": record.id,
        "name": record.filename,
        "facts": {**own, **{name: value for name, value in facts.items() if name not in _TOLD_ELSEWHERE}},
        "teaser": {part: teaser.get(part, ()) for part in ("lines", "columns", "rows", "image")},
        "expires": instant(record.expires) if ends else "",
        "expires_day": day(record.expires) if ends else "",
        "paid": record.paid,
        "is_page": record.is_page,
    }


def _kind(record: HoldRecord) -> str:
    """`CSV file` where the name says so, since few people read media types."""
    suffix = record.filename.rpartition(".")[2] if "." in record.filename else ""
    if suffix.isascii() and suffix.isalnum() and len(suffix) <= _LONGEST_SUFFIX:
        return f"{suffix.upper()} file"
    return record.media_type


def plan_view(plan: Plan, held: bool = False) -> Mapping[str, str]:
    """A plan; beside a result that is held for it, what it gives names that result first."""
    price = "Free" if plan.is_free else str(plan.price)
    free = "once" if plan.is_free else ""
    return {"id": plan.id, "name": plan.name, "price": price, "free": free, "gives": _gives(plan, held)}


def _gives(plan: Plan, held: bool) -> str:
    if plan.results > 1:
        return f"{plan.results} results, this one among them" if held else f"{plan.results} results"
    if not plan.period_ms:
        return "1 result: this one" if held else "1 result"
    days, rest = divmod(plan.period_ms, DAY)
    period = format_duration(plan.period_ms) if rest else ("1 day" if days == 1 else f"{days} days")
    return f"This result, and all others for {period}" if held else f"All results for {period}"


def open_until(state: SubjectState, now: int) -> str:
    """The paid period that runs, as a sentence; empty without one."""
    return f"Results are open to you until {day(state.entitled_until)}." if state.entitled_until > now else ""


def to_use(state: SubjectState) -> str:
    """The results that were paid for by number and not yet taken, as a sentence; empty without any."""
    count = state.credits
    return (
        f"You have {count} result{'s' if count > 1 else ''} to use: ask for one, and it is not withheld."
        if count
        else ""
    )


def instant(milliseconds: int) -> str:
    """`2026-01-31T09:00:00Z`."""
    return datetime.fromtimestamp(milliseconds // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def day(milliseconds: int) -> str:
    """`31 January 2026, 09:00 UTC`."""
    moment = datetime.fromtimestamp(milliseconds // 1000, UTC)
    return f"{moment.day} {moment:%B %Y}, {moment:%H:%M} UTC"
