"""The command `python -m tests.faults states`: a store in every bad state, and what its clients notice of it.

Each state has a gateway and a store of its own. While it lasts, an open route is asked at a steady rate, people without
a right ask for results, people with a right do, by a proof or because the gateway knows them, and others pay.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from gateway.core.subject import Subject
from gateway.store.connection import Store
from tests.faults.states_load import PAYING_SECONDS, Clients
from tests.faults.states_record import ASKED, PAID, PAYING, Moments, Outcome, Record, judge
from tests.faults.states_site import Crowd, Site, each, site, with_plant
from tests.faults.states_strikes import STATES, State
from tests.store.fleet import wait_until

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""
RECOVERED_SECONDS = 20.0
_ROW = "{:<16} {:>8} {:>8} {:>7} {:>6} {:>6} {:>8} {:>8} {:>5} {:>6} {:>9}  {}"
_HEAD = (
    "state", "open p99", "during", "more", "leaks", "refus.", "decision", "longest", "paid", "wrong", "recovery", "",
)  # fmt: skip


@dataclass(frozen=True)
class Lengths:
    """Seconds of each part."""

    warm: float = 2.0
    healthy: float = 8.0
    struck: float = 8.0
    recovering: float = 4.0
    rest: float = 2.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for; the exit code, 1 when a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults states", description=__doc__)
    parser.add_argument("--states", type=_names, default=list(STATES), metavar="NAME,NAME", help=", ".join(STATES))
    parser.add_argument("--seconds", type=float, default=Lengths.struck, help="of each state, and of health before it")
    options = parser.parse_args(arguments)
    lengths = Lengths(healthy=options.seconds, struck=options.seconds)
    outcomes = []
    try:
        for number, name in enumerate(options.states):
            print(f"{name}: {number + 1} of {len(options.states)}", file=sys.stderr, flush=True)
            with tempfile.TemporaryDirectory(prefix="states-") as folder:
                outcomes += run([STATES[name]], Path(folder), lengths, Crowd())
            _tell(outcomes[-1])
    except KeyboardInterrupt:
        print("ended before its time", file=sys.stderr)
        return INTERRUPTED
    print(table(outcomes), flush=True)
    return 1 if any(outcome.missed for outcome in outcomes) else 0


def _names(text: str) -> list[str]:
    names = text.split(",")
    if unknown := [name for name in names if name not in STATES]:
        raise argparse.ArgumentTypeError(f"there is no state {unknown[0]}; there are {', '.join(STATES)}")
    return names


def _tell(outcome: Outcome) -> None:
    missed = ", ".join(outcome.missed)
    print(f"    {'missed: ' + missed if missed else 'met'}", file=sys.stderr, flush=True)


def table(outcomes: Iterable[Outcome]) -> str:
    """What was measured: milliseconds, and the recovery in seconds."""
    rows = [_ROW.format(*_HEAD).rstrip()]
    for one in outcomes:
        more, wrong = one.open_during - one.open_healthy, len(one.payments_wrong)
        numbers = [f"{value:.1f}" for value in (one.open_healthy, one.open_during, more)]
        decisions = [f"{value:.1f}" for value in (one.decided, one.decided_longest)]
        verdict = "missed: " + ", ".join(one.missed) if one.missed else "met"
        rows.append(
            _ROW.format(
                one.state, *numbers, one.leaks, one.refused, *decisions, one.told_paid, wrong,
                f"{one.recovery:.2f} s", verdict,
            )
        )  # fmt: skip
    return "\n".join(rows)


def run(
    states: Sequence[State], folder: Path, lengths: Lengths, crowd: Crowd, more: str = "", beforehand: str = ""
) -> list[Outcome]:
    """States of one kind of store, one after the other. `more` and `beforehand` are for twins (`site`)."""
    with states[0].plant(folder) as plant, site(plant, crowd, more, beforehand) as there:
        return [
            observe(state, replace(there, plan=there.plan.share(number, len(states))), lengths)
            for number, state in enumerate(states)
        ]


def observe(state: State, there: Site, lengths: Lengths) -> Outcome:
    """What its clients notice when this befalls the store."""
    with Clients(there.plan) as clients:
        time.sleep(lengths.warm)
        healthy = time.monotonic()
        time.sleep(lengths.healthy)
        struck = time.monotonic()
        over = state.strike(there.plant, lengths.struck)
        with suppress(AssertionError):  # that it does not is for the outcome to tell
            wait_until(lambda: _is_well(there), "the gateway decides as before", RECOVERED_SECONDS)
        time.sleep(max(lengths.recovering - (time.monotonic() - over), 0))
        state.afterwards(there.plant)
        time.sleep(lengths.rest)
        end = time.monotonic()
        records = clients.finish()
    outcome = judge(state.name, records, Moments(healthy, struck, over, end), state.waits_for_store)
    told, wrong = _payments(there, records, over + outcome.recovery + PAYING_SECONDS)
    return replace(outcome, told_paid=told, payments_wrong=tuple(wrong))


def _is_well(there: Site) -> bool:
    return there.service.request("GET", "/report/7", {"x-user-id": there.plan.expired[0]}).status == ASKED


def _payments(there: Site, records: Sequence[Record], well: float) -> tuple[int, list[str]]:
    """How many were told that they have paid, and what is wrong with that by the ledger. From `well` on everybody who
    tries must be told."""
    tries = [record for record in records if record.kind == PAYING]
    told = {record.who for record in tries if record.status == PAID}
    failed = {record.who for record in tries if record.status != PAID and record.due > well}
    wrong = [f"{who} can't pay" for who in sorted(failed)]

    async def look(store: Store) -> None:
        async def at(subject: Subject) -> None:
            found = [entry for entry in await store.payments.ledger(subject) if entry["kind"] == "payment"]
            if len(found) > 1:
                wrong.append(f"{subject.id} was credited {len(found)} times")
            if not found and subject.id in told:
                wrong.append(f"the payment of {subject.id} is lost")

        await each({record.who for record in tries}, at)

    with_plant(there.plant, look)
    return len(told), wrong
