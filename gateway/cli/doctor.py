"""`paywall doctor`: what is wrong with a deployment, and what to do about it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from gateway.cli.facilitator_findings import facilitator_findings
from gateway.cli.folder_findings import data_findings, embedded_server, secret_findings
from gateway.cli.loading import load_config
from gateway.cli.network_findings import admin_findings, public_findings, upstream_findings
from gateway.cli.output import CommandFailed, put, put_json, say
from gateway.cli.storage_findings import storage_findings
from gateway.core.finding import Finding, Gravity, Matter
from gateway.core.keyring import Keyring
from gateway.settings.load import Loaded
from gateway.settings.problem import WILL_NOT_START, Problem
from gateway.settings.schema import GatewaySettings
from gateway.store.connection import open_store
from gateway.store.fitness.examination import examine
from gateway.store.fitness.findings import findings
from gateway.store.schema import schema_findings
from gateway.wiring.assemble import wall_clock
from gateway.wiring.plugins import check_plugins, make_providers

_SHOWN = {Gravity.FAULT: "FAULT", Gravity.WARNING: "warning", Gravity.UNKNOWN: "can't tell", Gravity.GOOD: "good"}


def doctor(
    file: Annotated[Path, Parameter(help="The config file.")],
    /,
    *,
    json: Annotated[bool, Parameter(help="For programs.", negative="")] = False,
) -> None:
    """Say what is wrong with a deployment, and the mend: config, secret, data, upstream, store, plugins.

    Looks, and changes nothing, but for a few bytes that it writes to `holds.storage` and removes again: start it where
    the gateway runs, as its user, whether it runs or not. Exit 1 when there is a fault; warnings, and what it can't
    tell, do not count.
    """
    found = examined(load_config(file))
    if json:
        put_json([_as_json(each) for each in found])
    else:
        for each in found:
            put(_block(each))
    count = {gravity: sum(each.gravity is gravity for each in found) for gravity in Gravity}
    summary = f"{file}: {_counted(count[Gravity.FAULT], 'fault')}, {_counted(count[Gravity.WARNING], 'warning')}"
    if count[Gravity.UNKNOWN]:
        summary += f"; {count[Gravity.UNKNOWN]} can't be told from here"
    if count[Gravity.FAULT]:
        raise CommandFailed(summary)
    say(summary)


def examined(loaded: Loaded) -> list[Finding]:
    """Everything that can be found of a deployment without starting or changing anything, the worst first."""
    settings = loaded.settings
    found = [_of_config(problem) for problem in (*loaded.problems, *check_plugins(loaded))]
    found += [*secret_findings(settings), *data_findings(settings), *public_findings(settings)]
    found += asyncio.run(_asked(loaded))
    found += _plugins(loaded)
    told = {str(each) for each in found}
    found += [each for each in admin_findings(settings) if each.text not in told]
    return sorted(found, key=lambda each: list(Gravity).index(each.gravity))


async def _asked(loaded: Loaded) -> list[Finding]:
    settings = loaded.settings
    upstream, store, storage, facilitator = await asyncio.gather(
        upstream_findings(settings), _store(settings), storage_findings(loaded), facilitator_findings(settings)
    )
    return [*upstream, *store, *storage, *facilitator]


async def _store(settings: GatewaySettings) -> tuple[Finding, ...]:
    address = embedded_server(settings) if settings.store == "embedded" else str(settings.store)
    if isinstance(address, Finding):
        return (address,)
    try:
        store = open_store(address)
    except ValueError as error:
        return (Finding(Gravity.FAULT, Matter.STORE, "store", str(error)),)
    try:
        examinations = await examine(store.link)
        found = [found for one in examinations for found in findings(one, wall_clock())]
        return (*found, *await schema_findings(store.link))
    finally:
        await store.stop()


def _of_config(problem: Problem) -> Finding:
    gravity = Gravity.FAULT if problem.message.endswith(WILL_NOT_START) else Gravity.WARNING
    place = f"{problem.where}:{problem.line}" if problem.line else problem.where
    return Finding(gravity, Matter.CONFIG, f"{place}: {problem.key}" if problem.key else place, problem.message)


def _plugins(loaded: Loaded) -> Iterator[Finding]:
    """Whether they can be made, which has no effects. Only starting them would show whether their providers answer."""
    keyring = Keyring(secrets.token_bytes(32))  # nothing that is made here is used
    try:
        made = make_providers(loaded, keyring, loaded.settings.prefix, wall_clock, lambda line: None)
    except Exception as error:  # a plugin may raise anything, and would keep the gateway from starting, too
        text = f"they can't be made: {error}; `paywall run` will not start"
        yield Finding(Gravity.FAULT, Matter.PLUGINS, "plugins", text, "look at their part of the config")
        return
    if not made.payments:
        text = "there is no way to pay: people see the offer and can't take it"
        yield Finding(Gravity.WARNING, Matter.PLUGINS, "payments", text, "name a provider in `payments`")
    for name in made.payments:
        text = f"{name} has all the settings it needs; whether its provider answers shows with the first payment"
        yield Finding(Gravity.GOOD, Matter.PLUGINS, "payments", text)


def _block(finding: Finding) -> str:
    """A finding for people: what, and below it what to do."""
    head = f"{_SHOWN[finding.gravity]:<12}"
    lines = [f"{head}{finding.place}: {finding.text}"]
    if finding.mend:
        lines.append(f"{'':<12}-> {finding.mend}")
    return "\n".join(lines)


def _as_json(finding: Finding) -> dict[str, str]:
    return {
        "gravity": finding.gravity.value,
        "matter": finding.matter.value,
        "place": finding.place,
        "text": finding.text,
        "mend": finding.mend,
    }


def _counted(number: int, what: str) -> str:
    return f"{number or 'no'} {what}{'s' if number != 1 else ''}"
