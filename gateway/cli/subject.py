"""`paywall subject …`: look at one subject, and change where it stands."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from gateway.cli.loading import load_config
from gateway.cli.output import CommandFailed, put, put_json, say
from gateway.cli.store_access import with_store
from gateway.core.quantity import parse_duration
from gateway.core.standing import SubjectState
from gateway.core.subject import Subject
from gateway.settings.policy import build_policy
from gateway.store.connection import Store
from gateway.wiring.assemble import wall_clock

app = App(name="subject", help="Look at one subject (person:42, key:…, visitor:…), and change where it stands.")

Id = Annotated[str, Parameter(help="Who: person:42, account:7, key:…, visitor:… (a bare word is a person).")]
Operation = Annotated[
    str, Parameter(help="A name for this change: the same one again changes nothing. Made of the minute when left out.")
]
Config = Annotated[Path, Parameter(help="The config file.")]


@app.command
def show(subject: Id, /, *, config: Config, json: Annotated[bool, Parameter(negative="")] = False) -> None:
    """Where the subject stands, its holds and what it paid."""
    found = _do(config, lambda store: store.operations.export(_parse(subject)))
    if json:
        put_json(found)
        return
    _print_state(subject, _state_of(config, subject), config)
    for title in ("holds", "ledger"):
        for entry in found.get(title) or []:
            put(f"{title[:-1] if title.endswith('s') else title}: " + ", ".join(f"{k}={v}" for k, v in entry.items()))


@app.command
def expire(subject: Id, /, *, config: Config) -> None:
    """End the subject's trial now."""
    _print_state(subject, _do(config, lambda store: store.operations.expire(_parse(subject))), config)


@app.command
def extend(
    subject: Id,
    by: Annotated[str, Parameter(help="How long: 7d.")],
    /,
    *,
    config: Config,
    operation: Operation = "",
) -> None:
    """Extend the subject's trial: from its current end, or from now when it is over."""
    length, name = _duration(by), operation or _operation("extended", by)
    _print_state(subject, _do(config, lambda store: store.operations.extend(_parse(subject), name, length)), config)


@app.command
def grant(
    subject: Id,
    /,
    *,
    config: Config,
    period: Annotated[str, Parameter(help="A paid period: 30d.")] = "",
    results: Annotated[int, Parameter(help="A number of results.")] = 0,
    operation: Operation = "",
) -> None:
    """Give the subject a paid period or results, at no cost."""
    if bool(period) == (results > 0):
        raise CommandFailed("give one of the two: --period 30d, or --results 5", 2)
    length = _duration(period) if period else 0
    name = operation or _operation("granted", period or str(results))
    state = _do(config, lambda store: store.operations.grant(_parse(subject), name, length, results))
    _print_state(subject, state, config)


@app.command
def export(subject: Id, /, *, config: Config) -> None:
    """Everything the store holds about the subject, as JSON."""
    put_json(_do(config, lambda store: store.operations.export(_parse(subject))))


@app.command
def erase(subject: Id, /, *, config: Config, yes: Annotated[bool, Parameter(negative="")] = False) -> None:
    """Forget the subject: trial, counters, held results, payments. Can't be undone."""
    if not yes:
        raise CommandFailed(f"this forgets {subject} and can't be undone: export first, then add --yes", 2)
    if not _do(config, lambda store: store.operations.erase(_parse(subject))):
        raise CommandFailed(f"nothing is known of {subject}")
    say(f"{subject} is forgotten")


def _do(config: Path, work: Callable[[Store], Awaitable[Any]]) -> Any:
    return with_store(load_config(config).settings, work)


def _state_of(config: Path, subject: str) -> SubjectState:
    state: SubjectState = _do(config, lambda store: store.subjects.visit(_parse(subject)))
    return state


def _operation(what: str, how_much: str) -> str:
    # By the minute: a command sent twice by accident does nothing the second time, one meant twice does.
    return f"{what}-{datetime.now(UTC):%Y-%m-%dT%H:%M}-{how_much}"


def _parse(subject: str) -> Subject:
    try:
        return Subject.parse(subject)
    except ValueError as error:
        raise CommandFailed(str(error), 2) from None


def _duration(text: str) -> int:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise CommandFailed(str(error), 2) from None


def _print_state(subject: str, state: SubjectState, config: Path) -> None:
    policy = build_policy(load_config(config).settings)
    standing = state.standing(policy.default_result.grace.count, wall_clock())
    put(f"{_parse(subject)}: {standing}")
    dates = {"trial began": state.trial_started, "trial ends": state.trial_ends, "paid until": state.entitled_until}
    for name, instant in dates.items():
        if instant:
            put(f"  {name:<14}{datetime.fromtimestamp(instant / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC")
    counts = {"results paid": state.credits, "held results": state.holds, "payments": state.settled}
    for name, count in counts.items():
        if count:
            put(f"  {name:<14}{count}")
    if state.declined_at:
        put(f"  said not now  {state.decline_reason}")
