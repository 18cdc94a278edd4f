"""`paywall subject …`: look at one subject, and change where it stands."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from gateway.cli.holds import remove_outside
from gateway.cli.loading import load_config
from gateway.cli.output import CommandFailed, put, put_json, say
from gateway.cli.store_access import with_store
from gateway.cli.who import read_subject
from gateway.core.quantity import DAY, parse_duration
from gateway.core.standing import SubjectState
from gateway.core.subject import Subject
from gateway.ports.operations import EraseOutcome, MergeOutcome
from gateway.ports.state import NO_TRIAL
from gateway.settings.policy import build_policy
from gateway.settings.problem import one_line
from gateway.store.connection import Store
from gateway.wiring.assemble import wall_clock

app = App(name="subject", help="Look at one subject (person:42, key:…, visitor:…), and change where it stands.")

Id = Annotated[str, Parameter(help="Who: person:42, account:7, key:…, visitor:… (a bare word is a person).")]
Operation = Annotated[
    str | None,
    Parameter(
        help="A name for this change: the same one again changes nothing. Made of the minute when left out.",
        metavar="NAME",
    ),
]
Config = Annotated[Path, Parameter(help="The config file.")]

RESULTS_LIMIT = 1_000_000
DURATION_LIMIT = 36_500 * DAY
_TRACES = (
    "trial_started",
    "entitled_until",
    "credits",
    "declined_at",
    "settled",
    "holds",
    "checkouts",
    "ledger",
    "erased_at",
)
"""What the store has of anybody who has been here."""


@app.command
def show(
    subject: Id,
    /,
    *,
    config: Config,
    json: Annotated[bool, Parameter(help="Everything, for programs.", negative="")] = False,
) -> None:
    """Where the subject stands, its holds and what it paid."""
    who = read_subject(subject)
    found = _do(config, lambda store: store.operations.export(who))
    if json:
        put_json(found)
        return
    _print_state(who, _do(config, lambda store: store.subjects.visit(who)), config)
    if not any(found.get(what) for what in _TRACES):
        say(f"nothing is known of {who}: it has not come yet, or has another name")
    if into := found["merged_into"]:
        put(f"  {'became':<14}{_do(config, lambda store: store.payments.subject(into)) or into}")
    if found["erased_at"]:
        put(f"  {'forgotten':<14}{_written(found['erased_at'])}")
    for title in ("holds", "ledger"):
        for entry in found.get(title) or []:
            put(f"{title.removesuffix('s')}: " + one_line(", ".join(f"{k}={v}" for k, v in entry.items())))


@app.command
def expire(subject: Id, /, *, config: Config) -> None:
    """End the subject's trial now."""
    who = read_subject(subject)
    _print_state(who, _do(config, lambda store: store.operations.expire(who)), config)


@app.command
def extend(
    subject: Id,
    by: Annotated[str, Parameter(help="How long: 7d.")],
    /,
    *,
    config: Config,
    operation: Operation = None,
) -> None:
    """Extend the subject's trial: from its current end, or from now when it is over."""
    who, length = read_subject(subject), _duration(by)
    name = operation or _operation("extended", by)
    _change(config, who, "extension", name, lambda store: store.operations.extend(who, name, length))


@app.command
def grant(
    subject: Id,
    /,
    *,
    config: Config,
    period: Annotated[str | None, Parameter(help="A paid period: 30d.", metavar="TIME")] = None,
    results: Annotated[int | None, Parameter(help="A number of results.")] = None,
    operation: Operation = None,
) -> None:
    """Give the subject a paid period or results, at no cost."""
    if (period is None) == (results is None):
        raise CommandFailed("give one of the two: --period 30d, or --results 5", 2)
    if results is not None and not 0 < results <= RESULTS_LIMIT:
        raise CommandFailed(f"--results {results}: write a number from 1 to {RESULTS_LIMIT}", 2)
    who, length = read_subject(subject), _duration(period) if period is not None else 0
    name = operation or _operation("granted", period or str(results))
    _change(config, who, "grant", name, lambda store: store.operations.grant(who, name, length, results or 0))


@app.command
def export(subject: Id, /, *, config: Config) -> None:
    """Everything the store holds about the subject, as JSON."""
    who = read_subject(subject)
    put_json(_do(config, lambda store: store.operations.export(who)))


@app.command
def merge(
    source: Annotated[str, Parameter(help="Who is to be merged: visitor:…, person:42.")],
    target: Annotated[str, Parameter(help="Whom it becomes: person:42, account:7.")],
    /,
    *,
    config: Config,
) -> None:
    """Bring all that one subject has to another: a visitor becomes a person, a person joins an account."""
    one, other = read_subject(source), read_subject(target)
    if one == other:
        raise CommandFailed(f"{one} can't be merged into itself: name two subjects", 2)
    match _do(config, lambda store: store.operations.merge(one, other)):
        case MergeOutcome.UNKNOWN:
            raise CommandFailed(f"nothing is known of {one}")
        case MergeOutcome.ANOTHER:
            raise CommandFailed(f"{one} was merged into another subject before: see merged_into in its export")
        case MergeOutcome.TARGET_MERGED:
            raise CommandFailed(f"{other} was merged itself: name whom it became, see merged_into in its export")
        case MergeOutcome.NOTHING_NEW:
            say(f"{one} was merged into {other} before, and nothing has come since")
        case _:
            say(f"{one} is {other} from now on")
    _print_state(other, _do(config, lambda store: store.subjects.visit(other)), config)


@app.command
def erase(
    subject: Id,
    /,
    *,
    config: Config,
    yes: Annotated[bool, Parameter(help="Do it.", negative="")] = False,
    with_ledger: Annotated[
        bool,
        Parameter(help="The ledger goes, too: once the law no longer wants payments kept.", negative=""),
    ] = False,
) -> None:
    """Forget the subject, and end what it paid for. Can't be undone.

    What stays, under a digest: that it has had its trial, and the ledger with the payments.
    """
    who = read_subject(subject)
    if not yes:
        raise CommandFailed(
            f"this forgets {who}, ends what it paid for, and can't be undone: export first, then add --yes", 2
        )
    loaded = load_config(config)

    async def forget(store: Store) -> tuple[EraseOutcome, list[str]]:
        places = [record.outside_at for record in await store.holds.all(who) if record.outside_at]
        return await store.operations.erase(who, with_ledger), places

    outcome, places = with_store(loaded.settings, forget)
    if outcome is EraseOutcome.UNKNOWN:
        raise CommandFailed(f"nothing is known of {who}")
    if places:
        try:
            asyncio.run(remove_outside(loaded, places))
        except CommandFailed as failed:
            raise CommandFailed(
                f"{who} is forgotten; {len(places)} large results, which nobody can open any more, are left to the "
                f"next sweep: {failed}"
            ) from None
    if outcome is EraseOutcome.ALREADY_ERASED:
        say(f"{who} was forgotten before: nothing has come since")
    else:
        say(f"{who} is forgotten")


def _do(config: Path, work: Callable[[Store], Awaitable[Any]]) -> Any:
    return with_store(load_config(config).settings, work)


def _change(
    config: Path, who: Subject, kind: str, name: str, change: Callable[[Store], Awaitable[SubjectState]]
) -> None:
    """Make a change that counts once, and say so where it was made before."""

    async def work(store: Store) -> tuple[bool, SubjectState]:
        ledger: Any = (await store.operations.export(who))["ledger"]
        return any((entry.get("kind"), entry.get("operation")) == (kind, name) for entry in ledger), await change(store)

    made_before, state = _do(config, work)
    _print_state(who, state, config)
    if made_before:
        say(f"nothing was changed: this was done before as {name!r}; to do it again give it another --operation")


def _operation(what: str, how_much: str) -> str:
    # By the minute: a command sent twice by accident does nothing the second time, one meant twice does.
    return f"{what}-{datetime.now(UTC):%Y-%m-%dT%H:%M}-{how_much}"


def _duration(text: str) -> int:
    try:
        length = parse_duration(text)
    except ValueError as error:
        raise CommandFailed(str(error), 2) from None
    if not 0 < length <= DURATION_LIMIT:
        raise CommandFailed(f"{text} is no time to give: write one from 1s to 36500d", 2)
    return length


def _written(instant: int) -> str:
    return f"{datetime.fromtimestamp(instant / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _print_state(who: Subject, state: SubjectState, config: Path) -> None:
    policy = build_policy(load_config(config).settings)
    standing = state.standing(policy.default_result.grace.count, wall_clock())
    put(one_line(f"{who}: {standing}"))
    dates = {"trial began": state.trial_started, "trial ends": state.trial_ends, "paid until": state.entitled_until}
    for name, instant in dates.items():
        if instant > NO_TRIAL.from_ms:
            put(f"  {name:<14}{_written(instant)}")
    if state.trial_started == NO_TRIAL.from_ms:
        put("  had its trial under another name")
    counts = {"results paid": state.credits, "held results": state.holds, "payments": state.settled}
    for name, count in counts.items():
        if count:
            put(f"  {name:<14}{count}")
    if state.declined_at:
        put(f"  said not now  {state.decline_reason}")
